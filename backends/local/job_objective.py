"""From a job to the rows that it trains on, and what it minimises."""

from collections.abc import Callable
from dataclasses import dataclass

from ...datasets import chat
from ...datasets.errors import BackendError
from ..base import Job
from ..objectives import OnPolicy
from ..preferences import read_pairs
from .context import Context, special_tokens, tokenizer_hash
from .distributions import teacher_prompts
from .libraries import CausalLM, Tokenizer
from .objective_trainer import TrainerObjective
from .objectives import read_targets
from .on_policy import OnPolicyObjective, OnPolicySettings
from .preferences import Preferences
from .spelling import Vocabulary
from .training_data import TrainingData, read_training_data


@dataclass(frozen=True, kw_only=True)
class Teacher:
    """A model that a student is trained beside."""

    load: Callable[[], CausalLM]
    tokenizer: Tokenizer
    context: Context
    parameters: int
    """0 if its files do not say."""


def job_objective(
    job: Job, tokenizer: Tokenizer, context: Context, teacher: Callable[[str], Teacher]
) -> tuple[TrainingData, TrainerObjective | None]:
    """The rows of a job, and its objective; None for the completion loss."""
    given = job.objective
    if given is not None and given.kind == "DPO":
        pairs = read_pairs(job.training_file, given.file)
        context.check_complete(tokenizer, chat.read(job.training_file))
        preferences = Preferences(pairs, given.beta or 0.0, tokenizer, context)
        return preferences.preferred, preferences
    data = read_training_data(job.training_file, tokenizer, context)
    if given is None:
        return data, None
    if given.on_policy is not None:
        known = teacher(given.on_policy.teacher)
        return data, _on_policy(job, given.on_policy, tokenizer, known, data)
    targets, masked = read_targets(given, data)
    return masked, targets


def _on_policy(
    job: Job, settings: OnPolicy, tokenizer: Tokenizer, teacher: Teacher, data: TrainingData
) -> OnPolicyObjective:
    if tokenizer_hash(teacher.tokenizer) != tokenizer_hash(tokenizer):
        raise BackendError(
            f"{job.model} has another tokenizer than its teacher {settings.teacher}: take a "
            f"student of the same family"
        )
    trained = {label for row in data.rows for label in row["labels"]}
    ends = trained & special_tokens(tokenizer)  # those that answers end with
    prompts = teacher_prompts(
        job.training_file, teacher.tokenizer, teacher.context, settings.system
    )
    return OnPolicyObjective(
        teacher.load,
        prompts,
        OnPolicySettings(
            possible=_possible(tokenizer, settings.characters, ends),
            ends=frozenset(ends),
            max_tokens=settings.max_tokens,
            seed=job.seed,
            pad=int(tokenizer.eos_token_id or 0),
        ),
        teacher_parameters=teacher.parameters,
    )


def _possible(tokenizer: Tokenizer, characters: str, ends: set[int]) -> tuple[int, ...]:
    """The tokens made of some characters only, and the ends of a turn."""
    allowed = set(characters)
    texts = Vocabulary(tokenizer).texts
    made = (n for n, text in enumerate(texts) if text and allowed.issuperset(text))
    return tuple(sorted({*made, *ends}))
