"""On-policy distillation of open weights: a teacher along the student's own answers."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from ...datasets.seeds import derive
from .forward_pass import CachedForward, Tokens
from .libraries import CausalLM, Tensor, Untyped, library
from .memory_plan import RowSizes
from .objective_trainer import answer_logits, answer_places, one_label, padded
from .token_sampling import choose_tokens, uniforms
from .training_data import IGNORED, TrainingData


def answer_divergence(student: Tensor, teacher: Tensor, rows: Tensor, count: int) -> Tensor:
    """The sum over ``count`` answers of the mean over their tokens of KL(student, teacher).

    ``student`` and ``teacher`` are (N, K), logits of the possible tokens at each token; ``rows`` is
    (N,), the answer that a token belongs to.
    """
    torch = library("torch")
    mine, theirs = student.log_softmax(1), teacher.log_softmax(1)
    each = (mine.exp() * (mine - theirs)).sum(1)
    total = torch.zeros(count, dtype=each.dtype, device=each.device).index_add(0, rows, each)
    return (total / rows.bincount(minlength=count)).sum()


@dataclass(frozen=True, kw_only=True)
class OnPolicySettings:
    """What is sampled and compared, under which random numbers."""

    possible: tuple[int, ...]
    """The tokens that can be sampled and are compared."""
    ends: frozenset[int]
    """The tokens that end an answer."""
    max_tokens: int
    seed: int
    pad: int


class OnPolicyObjective:
    """The objective over answers that the student samples in each step."""

    def __init__(
        self,
        load_teacher: Callable[[], CausalLM],
        prompts: Sequence[Tokens],
        settings: OnPolicySettings,
        *,
        teacher_parameters: int = 0,
    ) -> None:
        self._load_teacher = load_teacher
        self._teacher_parameters = teacher_parameters
        self._prompts = prompts
        """The prompts as the teacher reads them."""
        self._settings = settings
        self._teacher: CausalLM = None

    def examples(self, data: TrainingData) -> list[dict[str, Any]]:
        """The prompts of the rows, and their numbers."""
        return [
            {"input_ids": row["input_ids"][: row["labels"].count(IGNORED)], "row": number}
            for number, row in enumerate(data.rows)
        ]

    def joined(self, rows: Sequence[dict[str, Any]], pad: int) -> dict[str, Tensor]:
        """A batch of prompts; a label a row."""
        prompts = [row["input_ids"] for row in rows]
        return {
            "input_ids": padded(prompts, pad),
            "length": library("torch").tensor(list(map(len, prompts))),
            "labels": one_label(len(rows)),
            "row": library("torch").tensor([row["row"] for row in rows]),
        }

    def sizes(self, data: TrainingData) -> RowSizes:
        """The longest prompt with the longest possible answer, and the teacher."""
        own = (row["labels"].count(IGNORED) for row in data.rows)
        longest = max(*own, *map(len, self._prompts))
        return RowSizes(
            row_tokens=longest + self._settings.max_tokens,
            answer_tokens=self._settings.max_tokens,
            teacher=self._teacher_parameters,
        )

    def prepare(self, model: CausalLM) -> None:
        """Load the teacher, beside the student."""
        if self._teacher is None:
            self._teacher = self._load_teacher().to(model.device).eval().requires_grad_(False)

    def batch_loss(self, model: CausalLM, inputs: Untyped, step: int) -> tuple[Untyped, Tensor]:
        """The student's output along its own answers, and the summed loss of the answers."""
        torch = library("torch")
        rows = inputs["row"].tolist()
        lengths = inputs["length"].tolist()
        own = [ids[:n] for ids, n in zip(inputs["input_ids"].tolist(), lengths, strict=True)]
        answers = self.sampled(model, own, rows, step)
        possible = torch.tensor(self._settings.possible, device=model.device)
        outputs, logits, here = answer_logits(model, self._along(own, answers, model))
        with torch.no_grad():
            theirs = [self._prompts[row] for row in rows]
            given = self._along(theirs, answers, model)
            _, teacher, _ = answer_logits(self._teacher, given)
        numbers = here.nonzero()[:, 0]
        loss = answer_divergence(logits[:, possible], teacher[:, possible], numbers, len(rows))
        return outputs, loss

    def _along(
        self, prompts: Sequence[Sequence[int]], answers: Sequence[Sequence[int]], model: CausalLM
    ) -> dict[str, Tensor]:
        """A batch of prompts with their answers."""
        ids = [[*prompt, *answer] for prompt, answer in zip(prompts, answers, strict=True)]
        filled, answer = answer_places(list(map(len, prompts)), list(map(len, ids)))
        batch = {
            "input_ids": padded(ids, self._settings.pad),
            "attention_mask": filled.long(),
            "answer": answer,
        }
        return {name: tensor.to(model.device) for name, tensor in batch.items()}

    def sampled(
        self, model: CausalLM, prompts: Sequence[Sequence[int]], rows: Sequence[int], step: int
    ) -> list[list[int]]:
        """An answer to each prompt, with random numbers of the step and the row."""
        torch = library("torch")
        settings = self._settings
        possible = torch.tensor(settings.possible, device=model.device)
        seeds = [derive("on-policy", settings.seed, step, row) for row in rows]
        numbers = torch.from_numpy(uniforms(seeds, settings.max_tokens)).to(model.device)
        answers: list[list[int]] = [[] for _ in prompts]
        forward = CachedForward(model, settings.pad)
        going = list(range(len(prompts)))
        with evaluating(model):
            state = forward.start([tuple(prompt) for prompt in prompts])
            for place in range(settings.max_tokens):
                chances = state.logits[:, possible].softmax(1)
                every = torch.arange(len(going), device=model.device)
                drawn = possible[choose_tokens(chances, every, numbers[going, place])].tolist()
                for row, token in zip(going, drawn, strict=True):
                    answers[row].append(token)
                parents = [n for n, token in enumerate(drawn) if token not in settings.ends]
                going = [going[n] for n in parents]
                if not going:
                    break
                state = forward.extend(state, parents, [drawn[n] for n in parents])
        return answers


@contextmanager
def evaluating(model: CausalLM) -> Iterator[None]:
    """The model without dropout; training goes on as it was."""
    training = model.training
    model.eval()
    try:
        yield
    finally:
        model.train(training)
