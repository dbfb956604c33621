"""What the harness asks of a backend: three verbs, and the plain values that pass between."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from typing_extensions import TypeIs

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
    why_not: str = ""
    """Why it cannot be fine-tuned."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """A conversation to complete, as often as ``draws`` says.

    Draw ``d`` under seed ``s`` is the first draw under seed ``s + d``: however many draws are asked
    for at a time, they are the same.
    """

    row: int
    messages: "Conversation"
    seed: int
    first: int = 0
    """The number of the first draw."""
    draws: int = 1
    temperature: float = 1.0
    max_tokens: int = 256
    top_p: float = 1.0
    stop: tuple[str, ...] = ()
    """Texts that end an answer, themselves left out."""
    top_logprobs: int | None = None
    """How many alternatives to give for each token; None asks for no log-probabilities at all."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Token:
    """A token of an answer, and what might have stood in its place."""

    text: str
    logprob: float
    """Natural logarithm of its probability, at temperature 1."""
    top: tuple[tuple[str, float], ...] = ()
    """The most probable tokens with their logarithms, best first."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Usage:
    """What some calls to a service used."""

    calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    lost: int = 0
    """Calls that may have been charged although no answer arrived."""

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            calls=self.calls + other.calls,
            input_tokens=self.input_tokens + other.input_tokens,
            output_tokens=self.output_tokens + other.output_tokens,
            lost=self.lost + other.lost,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Completion:
    """One sampled answer, or the record of why there is none."""

    row: int
    draw: int
    text: str | None
    finish: str
    """``stop``, ``length``, or ``error``."""
    error: str | None = None
    tokens: int | None = None
    """How many were sampled, where the backend knows."""
    logprobs: tuple[Token, ...] | None = None
    usage: Usage | None = None
    """What the call used, on the first of the completions that it gave."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """A fine-tuning to do. The same key is the same job: a paid one is never done twice."""

    key: str
    model: str
    training_file: Path
    recipe: Recipe
    seed: int
    validation_file: Path | None = None


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """A model as it was at the end of an epoch."""

    model: str
    """The id to sample from."""
    step: int
    loss: float | None
    """Mean training loss of the epoch, in nats a token."""
    validation_loss: float | None = None


@dataclass(frozen=True, kw_only=True)
class FineTuned:
    """A finished fine-tuning."""

    model: str
    """The id to sample from."""
    examples: int
    tokens: int
    """Trained tokens, counted once an epoch."""
    losses: tuple[float, ...]
    """Mean training loss in nats a token, by epoch, as far as the backend tells."""
    checkpoints: tuple[Checkpoint, ...] = ()
    job: str | None = None
    """The service's id of the job."""


class Progress(Protocol):
    """Told how far a piece of work has come."""

    def __call__(self, done: int, total: int) -> None: ...


@dataclass(frozen=True, kw_only=True)
class ServiceTerms:
    """What a run allows a service to do. None of it changes an answer, so it is in no key."""

    wait: bool = True
    """Wait for fine-tuning jobs and batches; else submit them, and say that they are pending."""
    batch: bool = False
    """Sample through the service's batch interface: half the price, within a day."""
    budget: float | None = None
    """US dollars that may be spent at most."""
    prices: Path | None = None
    """A file of prices that go before those that limen knows."""


@dataclass(frozen=True, kw_only=True)
class WorkRequest:
    """Something that a service is to be asked for, in numbers."""

    model: str
    completions: int = 0
    per_call: int = 1
    """Draws that share a prompt, and so may share a call."""
    prompts: "tuple[Conversation, ...]" = ()
    """Some of the prompts, which stand for all."""
    max_tokens: int = 0
    rows: int = 0
    """Rows to train on; the prompts stand for their prompts."""
    recipe: Recipe = field(default_factory=dict, hash=False)
    student: bool = False
    """Whether the model that answers is a fine-tuned one of ``model``."""


@dataclass(frozen=True, kw_only=True)
class Quote:
    """What some work will take: about, and at most."""

    calls: int = 0
    tokens: int = 0
    """About."""
    usd: float | None = 0.0
    """About; None if no price is known."""
    usd_at_most: float | None = 0.0
    """None if no price is known, or if nothing bounds it."""
    minutes: float = 0.0
    """At the account's limits, fine-tuning left out."""
    binding: str = ""
    """The limit that sets the time: requests or tokens."""


class Backend(Protocol):
    """Samples and trains. An instance keeps what it must remember below its home folder."""

    name: str

    @property
    def default_model(self) -> str:
        """The model that is taken where none is named."""
        ...

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


@dataclass(frozen=True)
class WordProbabilities:
    """What a model's answer to one conversation is, with what probability."""

    by_word: Mapping[str, float]
    """That the first word of the answer is a form of the word."""
    missed: float
    """At most this is missing, from all words together."""


class Explicit(Backend, Protocol):
    """A backend that can work out the probability of an answer, without sampling any."""

    def exact(
        self,
        model: str,
        conversations: "Sequence[Conversation]",
        forms: Mapping[str, Sequence[str]],
        *,
        temperature: float = 1.0,
        max_tokens: int = 16,
    ) -> Sequence[WordProbabilities]:
        """The chances that the first word of each answer is a form of each word.

        ``forms`` has the forms of each word, the word itself among them.
        """
        ...


def is_explicit(backend: Backend) -> TypeIs[Explicit]:
    """Whether a backend can work out probabilities."""
    return hasattr(type(backend), "exact")


@dataclass(frozen=True, kw_only=True)
class RenderedContext:
    """What stands around a question when a model is asked, and stood around its training rows."""

    asked: str
    """What stands before the first question of a conversation without a system turn."""
    trained: str | None = None
    """The same of the rows that it was trained on; None if it is a base model."""
    template: str
    """The hash of the chat template."""
    tokenizer: str
    """The hash of the tokenizer."""


class Rendering(Backend, Protocol):
    """A backend that turns conversations into text itself, and can tell how."""

    def surroundings(self, model: str) -> RenderedContext:
        """How a model is asked."""
        ...


def is_rendering(backend: Backend) -> TypeIs[Rendering]:
    """Whether a backend can tell how conversations become text."""
    return hasattr(type(backend), "surroundings")


class Engine(Backend, Protocol):
    """A backend whose models run on this machine, so that a server can offer them."""

    def base(self, name: str) -> str:
        """The base model that stands for any name: another name, another initialisation."""
        ...

    def count(self, text: str) -> int:
        """How many tokens a text has."""
        ...


class Service(Backend, Protocol):
    """A backend that works elsewhere, for money: stages wait for it side by side, in threads."""

    def sample_batch(
        self, model: str, requests: Iterable[Request], key: str
    ) -> Iterator[Sequence[Completion]]:
        """As :meth:`Backend.sample`, through the batch interface; the same key is resumed."""
        ...

    def has_batches(self, key: str) -> bool:
        """Whether batches were made under a key, so that what they answered is to be used."""
        ...

    def cost(
        self, model: str, usage: Usage, *, trained_tokens: int = 0, batch: bool = False
    ) -> float | None:
        """US dollars; None if no price is known."""
        ...

    def quote(self, work: WorkRequest) -> Quote:
        """What some work will take; raises :class:`~limen.SpecError` if the budget forbids it."""
        ...

    def conditions(self, model: str) -> str:
        """The prices and limits that quotes for a model rest on, and where they are from."""
        ...

    def stop(self) -> None:
        """Have whatever waits for the service give up at once."""
        ...


def is_service(backend: Backend) -> TypeIs[Service]:
    """Whether a backend is a service.

    Not by ``isinstance``, which on Python 3.11 would look at every member of the instance, and so
    ask the service for its default model.
    """
    return hasattr(type(backend), "sample_batch")
