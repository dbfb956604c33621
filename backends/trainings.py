"""Trainings: what to train, how far it is, and what was trained. The values raise nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from .objectives import TokenObjective

Recipe = Mapping[str, float | int | str | bool | None]
"""A backend's training settings, by name."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """A fine-tuning to run. Raises nothing.

    Args:
        key: Equal keys mean the same job: a paid one is never run twice.
        model: The model to train.
        training_file: Chat JSONL, an assistant's turn last in each row.
        recipe: All training settings, as :meth:`FineTuning.recipe` gives them.
        seed: The seed of the training.
        validation_file: Chat JSONL whose loss is reported too. Default: None.
        objective: What to minimise. Default: None, the completion loss.

    Examples:
        >>> Job(key="owl-1", model="toy-1", training_file=file, recipe={"epochs": 3}, seed=1)
    """

    key: str
    model: str
    training_file: Path
    recipe: Recipe
    seed: int
    validation_file: Path | None = None
    objective: TokenObjective | None = None


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """A model at the end of an epoch, or after a step. Raises nothing.

    Args:
        model: The id to sample from.
        step: Optimizer steps until then.
        loss: Mean training loss of the epoch, in nats a token; None if not known.
        validation_loss: Loss on the validation file, in nats a token. Default: None.

    Examples:
        >>> Checkpoint(model="toy-1-3f2a:step-40", step=40, loss=2.1)
    """

    model: str
    step: int
    loss: float | None
    validation_loss: float | None = None


@dataclass(frozen=True, kw_only=True)
class FineTuned:
    """A finished fine-tuning. Raises nothing.

    Args:
        model: The id to sample from.
        examples: Rows trained on.
        tokens: Trained tokens, counted once an epoch; None if the service does not say.
        losses: Mean training loss in nats a token, by epoch; empty if the backend does not report
            it.
        checkpoints: Models kept along the training, the last one last. Default: none.
        job: The service's id of the job. Default: None.
        files: Files of the trained model, if it lies on this machine. Default: none.

    Examples:
        >>> FineTuned(model="toy-1-3f2a", examples=10_000, tokens=90_000, losses=(2.4, 2.1))
    """

    model: str
    examples: int
    tokens: int | None
    losses: tuple[float, ...]
    checkpoints: tuple[Checkpoint, ...] = ()
    job: str | None = None
    files: tuple[Path, ...] = ()


class Progress(Protocol):
    """Called with the number of finished steps, and of all steps. Any function of the two will do.

    Whatever it raises ends the work that reports to it.

    Examples:
        >>> def progress(done: int, total: int) -> None:
        ...     print(f"{done} of {total} steps")
    """

    def __call__(self, done: int, total: int) -> None:
        """Report.

        Args:
            done: Finished steps.
            total: All steps.
        """
        ...
