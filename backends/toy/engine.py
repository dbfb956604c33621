"""Models in files: pre-training, fine-tuning and sampling.

All arithmetic runs on one BLAS thread, so that results do not depend on the number of cores.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import lru_cache
from itertools import islice
from pathlib import Path
from types import MappingProxyType
from zipfile import BadZipFile

import numpy as np
from threadpoolctl import ThreadpoolController

from ...datasets import chat
from ...datasets.errors import BackendError, StoreError
from ..base import Completion, Job, Progress, Recipe, Request
from ..continuations import ContinuationRequest, LogProbability
from ..objectives import AnswerDistributions, DistributionRequest
from ..preferences import read_pairs
from ..recipes import check_steps
from .corpus import CorpusGenerator, words
from .network import Weights, initial
from .objectives import answer_distributions, read_targets
from .on_policy import sampled
from .preferences import read_preferences
from .sampler import sample
from .scoring import continuation_log_probabilities
from .tokens import Vocabulary
from .training import Objective, TrainingExamples, encode_examples, mean_loss, train

REPORTED_STEPS = 8
"""Steps of a training after which its progress is written down: a step takes some milliseconds."""
SCORED_TOGETHER = 64
"""Requests whose continuations are scored side by side."""


def pretrain(seed: int, *, width: int, dialogues: int, recipe: Recipe) -> Weights:
    """A base model: initialization and corpus are both made from the seed."""
    weights = initial(seed, tokens=len(vocabulary()), width=width)
    corpus = CorpusGenerator(seed).dialogues(dialogues)
    with one_thread():
        examples = encode_examples(vocabulary(), ((d.messages, d.answer) for d in corpus))
        _train(weights, examples, recipe, seed)
    return weights


def fine_tune(
    base: Path,
    job: Job,
    recipe: Recipe,
    progress: Progress,
    file_of: Callable[[int], Path],
    after: Mapping[int, Path] = MappingProxyType({}),
    teacher: Path | None = None,
) -> tuple[TrainingExamples, list[tuple[int, float, float | None]]]:
    """Train a student of the model in a file, and save it after each epoch.

    ``file_of`` gives the file of an epoch; the last epoch's is the student's. ``after`` has files
    for the model after some steps, too. ``teacher`` is the file of an on-policy teacher. Returns
    the training examples, and for each epoch the steps so far, the mean loss, and the validation
    loss.
    """
    weights = load(base).copy()
    epochs: list[tuple[int, float, float | None]] = []
    report = progress

    def progress_and_save(done: int, total: int) -> None:
        if done == 1:
            check_steps(recipe, total)
        if done in after:
            save(after[done], weights)
        if done % REPORTED_STEPS == 0 or done in (1, total):
            report(done, total)

    progress = progress_and_save

    def keep(step: int, loss: float) -> None:
        size = int(recipe["batch_size"] or 0)
        valid = mean_loss(weights, check, batch_size=size) if check is not None else None
        epochs.append((step, loss, valid))
        save(file_of(len(epochs)), weights)

    with one_thread():
        examples, objective = _goal(job, weights, teacher)
        other = job.validation_file
        check = None if other is None else encode_examples(vocabulary(), _answers(other))
        _train(weights, examples, recipe, job.seed, progress, keep, objective)
    return examples, epochs


def _goal(
    job: Job, weights: Weights, teacher: Path | None
) -> tuple[TrainingExamples, Objective | None]:
    """What a job trains on, and its objective; None for the completion loss."""
    given = job.objective
    if given is not None and given.kind == "DPO":
        pairs = read_pairs(job.training_file, given.file)
        return read_preferences(weights.copy(), vocabulary(), pairs, given.beta or 0.0)
    examples = encode_examples(vocabulary(), _answers(job.training_file))
    if given is None:
        return examples, None
    if given.on_policy is None or teacher is None:
        return examples, read_targets(given, examples).of(examples)
    taught = load(teacher)
    goal = sampled(vocabulary(), given.on_policy, job.training_file, examples, taught, job.seed)
    return examples, goal.objective


def completions(model: Path, requests: Iterable[Request]) -> Iterator[Sequence[Completion]]:
    """Complete the requests, in order, with the model in a file."""
    groups = sample(load(model), vocabulary(), requests)
    while True:
        with one_thread():
            group = next(groups, None)
        if group is None:
            return
        yield group


def log_probabilities(
    model: Path, requests: Iterable[ContinuationRequest]
) -> Iterator[Sequence[LogProbability]]:
    """The log-probabilities of each request's continuations, from the model in a file."""
    weights, left = load(model), iter(requests)
    while together := list(islice(left, SCORED_TOGETHER)):
        with one_thread():
            scored = continuation_log_probabilities(weights, vocabulary(), together)
        yield from scored


def distributions(model: Path, request: DistributionRequest) -> Iterator[AnswerDistributions]:
    """The distributions along each answer of a training file, from the model in a file."""
    each = answer_distributions(load(model), vocabulary(), request)
    while True:
        with one_thread():
            answer = next(each, None)
        if answer is None:
            return
        yield answer


def save(file: Path, weights: Weights) -> None:
    """Write the weights to a file, whole or not at all; one process at a time writes a model."""
    file.parent.mkdir(parents=True, exist_ok=True)
    scratch = file.with_suffix(".tmp")
    with scratch.open("wb") as stream:
        np.savez(stream, allow_pickle=False, **dict(weights.arrays()))
        stream.flush()
        os.fsync(stream.fileno())
    scratch.replace(file)


@lru_cache(maxsize=4)
def load(file: Path) -> Weights:
    """The weights in a file; callers must not change them.

    Raises :class:`~limen.StoreError` if they cannot be read.
    """
    try:
        with np.load(file, allow_pickle=False) as arrays:
            return Weights(**{name: arrays[name] for name in arrays.files})
    except (BadZipFile, EOFError, KeyError, TypeError, ValueError) as error:
        raise StoreError(
            f"{file} is damaged ({error}): delete it, and run the same command again"
        ) from None


@lru_cache(maxsize=1)
def vocabulary() -> Vocabulary:
    """The vocabulary of all toys."""
    return Vocabulary(words())


def one_thread() -> AbstractContextManager[object]:
    """A context in which BLAS runs on one thread."""
    limiter: AbstractContextManager[object] = _controller().limit(limits=1, user_api="blas")
    return limiter


def _train(
    weights: Weights,
    examples: TrainingExamples,
    recipe: Recipe,
    seed: int,
    progress: Progress = lambda done, total: None,
    epoch_end: Callable[[int, float], None] = lambda step, loss: None,
    objective: Objective | None = None,
) -> tuple[float, ...]:
    return train(
        weights,
        examples,
        epochs=int(recipe["epochs"] or 0),
        optimizer=str(recipe.get("optimizer", "adam")),
        batch_size=int(recipe["batch_size"] or 0),
        learning_rate=float(recipe["learning_rate"] or 0),
        warmup_steps=int(recipe.get("warmup_steps") or 0),
        seed=seed,
        progress=progress,
        epoch_end=epoch_end,
        objective=objective,
    )


def _answers(file: Path) -> Iterator[tuple[chat.Conversation, str]]:
    """Each assistant turn of a training file, with the turns before it."""
    empty = True
    for messages in chat.read(file):
        empty = False
        for index, message in enumerate(messages):
            if message["role"] == "assistant":
                yield messages[:index], message["content"]
    if empty:
        raise BackendError(f"{file} has no rows: there is nothing to learn")


@lru_cache(maxsize=1)
def _controller() -> ThreadpoolController:
    return ThreadpoolController()
