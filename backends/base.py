"""What the harness asks of a backend: three verbs, and the plain values that pass between."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ..datasets.chat import Conversation

Recipe = Mapping[str, float | int | str | bool | None]
"""A backend's training settings, by name."""


@dataclass(frozen=True, kw_only=True)
class Model:
    """What a backend says of a model before anything is spent."""

    name: str
    fingerprint: str
    """Changes whenever the same name would answer differently."""
    can_fine_tune: bool


@dataclass(frozen=True, kw_only=True)
class Request:
    """A conversation to complete, as often as ``draws`` says."""

    row: int
    messages: "Conversation"
    seed: int
    draws: int = 1
    temperature: float = 1.0
    max_tokens: int = 256


@dataclass(frozen=True, kw_only=True, slots=True)
class Completion:
    """One sampled answer, or the record of why there is none."""

    row: int
    draw: int
    text: str | None
    finish: str
    """``stop``, ``length``, or ``error``."""
    error: str | None = None


@dataclass(frozen=True, kw_only=True)
class Job:
    """A fine-tuning to do. The same key is the same job: a paid one is never done twice."""

    key: str
    model: str
    training_file: Path
    recipe: Recipe
    seed: int


@dataclass(frozen=True, kw_only=True)
class FineTuned:
    """A finished fine-tuning."""

    model: str
    """The id to sample from."""
    examples: int
    tokens: int
    """Trained tokens, counted once an epoch."""
    losses: tuple[float, ...]
    """Mean training loss in nats a token, by epoch."""


class Progress(Protocol):
    """Told how far a piece of work has come."""

    def __call__(self, done: int, total: int) -> None: ...


class Backend(Protocol):
    """Samples and trains. An instance keeps what it must remember below its home folder."""

    name: str
    default_model: str

    def describe(self, model: str) -> Model:
        """What the model is; raises :class:`~limen.UnknownModelError` if there is none such."""
        ...

    def recipe(self, overrides: Recipe) -> Recipe:
        """All training settings, defaults included; raises :class:`~limen.SpecError`."""
        ...

    def prepare(self, model: str) -> None:
        """Have the model ready to sample from. Idempotent; may take a while the first time."""
        ...

    def sample(self, model: str, requests: Iterable[Request]) -> Iterator[Sequence[Completion]]:
        """Complete every request, and hand out completions together as they finish."""
        ...

    def fine_tune(self, job: Job, progress: Progress) -> FineTuned:
        """Train a model. Repeating a job gives the same model id, and is charged no second time."""
        ...
