"""What the harness asks of a backend, and the plain values that pass between them.

Every backend describes models and samples. What else it can do it declares in its
:class:`Capabilities`: each optional part is an object with the methods of a protocol, or None.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from .continuations import ContinuationScorer
from .needs import Needs
from .objectives import Kind, TokenObjective, TokenTraining
from .rendering import RenderedContext

if TYPE_CHECKING:
    from ..datasets.chat import Conversation

Recipe = Mapping[str, float | int | str | bool | None]
"""A backend's training settings, by name."""


@dataclass(frozen=True, kw_only=True)
class Model:
    """A backend's description of a model."""

    name: str
    fingerprint: str
    """Changes whenever the model of that name would answer differently."""
    can_fine_tune: bool
    why_not: str = ""
    """Why it cannot be fine-tuned."""
    note: str = ""
    """What a reader should know of how it is asked; empty if nothing is unusual."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """A conversation to complete, as often as ``draws`` says.

    Draw ``d`` under seed ``s`` is the first draw under seed ``s + d``: draws do not depend on how
    many are requested together.
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
    """Texts that end an answer; they are not part of it."""
    top_logprobs: int | None = None
    """Alternatives to return for each token; None requests no log-probabilities at all."""
    begin: str = ""
    """The beginning of the answer, which is given. A completion's text is what follows it."""
    chat: bool = True
    """Whether the chat template is applied; else the only turn's text is continued as it is."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Token:
    """A token of an answer, and its most probable alternatives."""

    text: str
    logprob: float
    """Log-probability in nats, at temperature 1."""
    top: tuple[tuple[str, float], ...] = ()
    """The most probable tokens with their log-probabilities, the most probable first."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Usage:
    """The usage of some calls to a service."""

    calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    lost: int = 0
    """Calls without an answer that may have been charged."""

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            calls=self.calls + other.calls,
            input_tokens=self.input_tokens + other.input_tokens,
            output_tokens=self.output_tokens + other.output_tokens,
            lost=self.lost + other.lost,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Completion:
    """One sampled answer, or the reason why there is none."""

    row: int
    draw: int
    text: str | None
    finish: str
    """``stop``, ``length``, or ``error``."""
    error: str | None = None
    tokens: int | None = None
    """The number of sampled tokens, if the backend knows it."""
    logprobs: tuple[Token, ...] | None = None
    usage: Usage | None = None
    """The usage of a call, on the first of its completions."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """A fine-tuning to run. Equal keys mean the same job: a paid one is never run twice."""

    key: str
    model: str
    training_file: Path
    recipe: Recipe
    seed: int
    validation_file: Path | None = None
    objective: TokenObjective | None = None
    """What to minimise; None for the completion loss."""


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """A model at the end of an epoch."""

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
    """Mean training loss in nats a token, by epoch, if the backend reports it."""
    checkpoints: tuple[Checkpoint, ...] = ()
    job: str | None = None
    """The service's id of the job."""
    files: tuple[Path, ...] = ()
    """Files of the trained model, if it lies on this machine."""


class Progress(Protocol):
    """Called with the number of finished steps, and of all steps."""

    def __call__(self, done: int, total: int) -> None: ...


@dataclass(frozen=True, kw_only=True)
class ServiceTerms:
    """What a run allows a service to do. It changes no answer, so it is part of no key."""

    wait: bool = True
    """Wait for fine-tuning jobs and batches; else submit them and raise ``PendingError``."""
    batch: bool = False
    """Sample through the service's batch interface: cheaper, and slower."""
    budget: float | None = None
    """The most that may be spent, in US dollars; None for no limit."""
    prices: Path | None = None
    """A file of prices, used before those that limen knows."""
    estimate_only: bool = False
    """Only estimate: a service that cannot be asked is described from tables."""
    choices: Mapping[str, str] = field(default_factory=dict, hash=False)
    """What the user chose of how a server is asked, by name; they go before the environment's."""


@dataclass(frozen=True, kw_only=True)
class WorkRequest:
    """The size of some work for a service."""

    model: str
    completions: int = 0
    per_call: int = 1
    """Draws with the same prompt, which can share a call."""
    prompts: "tuple[Conversation, ...]" = ()
    max_tokens: int = 0
    rows: int = 0
    """Rows to train on; ``prompts`` is then a sample of their prompts."""
    recipe: Recipe = field(default_factory=dict, hash=False)
    student: bool = False
    """Whether a student of ``model`` answers."""


@dataclass(frozen=True, kw_only=True)
class Quote:
    """An estimate of what some work takes."""

    calls: int = 0
    tokens: int = 0
    usd: float | None = 0.0
    """Expected cost in US dollars; None if no price is known."""
    usd_at_most: float | None = 0.0
    """Upper bound; None if no price is known, or if nothing bounds the cost."""
    minutes: float = 0.0
    """At the account's rate limits, without fine-tuning."""
    binding: str = ""
    """The limit that determines the time: requests or tokens."""


@dataclass(frozen=True, kw_only=True)
class WordProbabilities:
    """The distribution of the first word of a model's answer to one conversation."""

    by_word: Mapping[str, float]
    """By word: the probability that the first word of the answer is a form of it."""
    missed: float
    """An upper bound of the probability that was not followed up, for all words together."""


class FineTuning(Protocol):
    """The part of a backend that trains models."""

    def recipe(self, overrides: Recipe) -> Recipe:
        """All training settings, defaults included; raises :class:`~limen.SpecError`."""
        ...

    def fine_tune(self, job: Job, progress: Progress) -> FineTuned:
        """Train a model. Repeating a job gives the same model id, and is charged no second time."""
        ...


class BatchSampling(Protocol):
    """The part of a backend that samples through a service's batch interface."""

    def sample_batch(
        self, model: str, requests: Iterable[Request], key: str
    ) -> Iterator[Sequence[Completion]]:
        """As :meth:`Backend.sample`, in batches; batches made under the same key are resumed."""
        ...

    def has_batches(self, key: str) -> bool:
        """Whether batches were made under a key: they are paid for, so their answers are used."""
        ...


class ExactProbabilities(Protocol):
    """The part of a backend that computes the probability of an answer, without sampling."""

    def word_probabilities(
        self,
        model: str,
        conversations: "Sequence[Conversation]",
        forms: Mapping[str, Sequence[str]],
        *,
        temperature: float = 1.0,
        max_tokens: int = 16,
    ) -> Sequence[WordProbabilities]:
        """For each conversation: how probable each word is as the first word of the answer.

        ``forms`` has the forms of each word, the word itself among them.
        """
        ...


class ContextRendering(Protocol):
    """The part of a backend that turns conversations into text itself, and can show how."""

    def rendered_context(self, model: str) -> RenderedContext:
        """The text around a question to this model."""
        ...


class Service(Protocol):
    """The part of a backend that works elsewhere: stages wait for it side by side, in threads."""

    def cost(
        self, model: str, usage: Usage, *, trained_tokens: int = 0, batch: bool = False
    ) -> float | None:
        """US dollars; None if no price is known."""
        ...

    def quote(self, work: WorkRequest) -> Quote:
        """What some work will take; raises :class:`~limen.SpecError` if the budget forbids it."""
        ...

    def server_facts(self, model: str) -> Mapping[str, str]:
        """What the server accepts and how it answers, by name, each with where it is known from.

        Known from trying (probed), from the user (set), or from nothing so far (assumed).
        """
        ...

    def conditions(self, model: str) -> str:
        """The prices and limits that quotes for a model are computed from, and their source."""
        ...

    def stop(self) -> None:
        """Have every call that waits for the service give up at once."""
        ...


@dataclass(frozen=True, kw_only=True)
class Capabilities:
    """What a backend can do besides describing models and sampling. Nothing, unless declared."""

    fine_tuning: FineTuning | None = None
    batches: BatchSampling | None = None
    probabilities: ExactProbabilities | None = None
    continuations: ContinuationScorer | None = None
    token_training: TokenTraining | None = None
    """Set if it reads distributions over tokens."""
    objectives: frozenset[Kind] = frozenset()
    """What :attr:`Job.objective` may be, beside None."""
    rendering: ContextRendering | None = None
    service: Service | None = None
    """Set if the models run elsewhere; None if they run in this process or on this machine."""
    engine: "Engine | None" = None
    """Set if ``limen serve`` can offer the models."""
    log_probabilities: bool = False
    """Whether ``Request.top_logprobs`` is answered, with the log-probability of each token."""
    beginnings: bool = False
    """Whether ``Request.begin`` is answered."""
    plain_text: bool = False
    """Whether ``Request.chat`` may be False."""
    reproducible: bool = False
    """Whether equal seeds give equal answers: draw ``d`` under seed ``s`` is the first draw under
    seed ``s + d``, whatever else is sampled."""
    checkpoints: bool = False
    """Whether :attr:`FineTuned.checkpoints` has a model of every epoch kept, the last one last."""
    max_parallel_stages: int | None = None
    """Stages side by side on this machine unless the user says; None for one a core."""
    needs: Callable[[str, Recipe | None], Needs] | None = None
    """What a stage needs, by its base model and, if it trains, recipe; None for one core."""
    model_files: Callable[[str], tuple[Path, ...]] | None = None
    """The files of a model below the backend's folder, none of a model from elsewhere. They are
    recorded, and compared whenever the model is read. None if it keeps no models there."""
    write_merged: Callable[[str, Path], None] | None = None
    """Writes a trained model, adapter and base as one, to a folder. None if it cannot."""
    further_training: bool = False
    """Whether :attr:`Job.model` may be a trained model, whose training then goes on."""
    other_models: tuple[str, ...] = ()
    """Base models for experiments that need a second one, the preferred one first."""


class Backend(Protocol):
    """Describes models and samples from them.

    An instance keeps what it must remember below its home folder.
    """

    @property
    def name(self) -> str:
        """The name by which the backend is opened."""
        ...

    @property
    def capabilities(self) -> Capabilities:
        """What else the backend can do. It does not change, and reading it costs nothing."""
        ...

    @property
    def default_model(self) -> str:
        """The model to use where none is named; raises :class:`~limen.SpecError` if none is."""
        ...

    def describe(self, model: str) -> Model:
        """What the model is; raises :class:`~limen.UnknownModelError` if it does not exist."""
        ...

    def prepare(self, model: str) -> None:
        """Have the model ready to sample from. Idempotent; may take a while the first time."""
        ...

    def sample(self, model: str, requests: Iterable[Request]) -> Iterator[Sequence[Completion]]:
        """Complete every request, and yield completions in groups as they finish."""
        ...


class Engine(Backend, FineTuning, Protocol):
    """A backend whose models run on this machine, so that a server can offer them."""

    def base(self, name: str) -> str:
        """The base model that a client's name stands for."""
        ...

    def count(self, text: str) -> int:
        """How many tokens a text has."""
        ...


class BackendFactory(Protocol):
    """What an entry point of the group ``limen.backends`` refers to: the backend's class.

    ``home`` is the backend's own folder, which may not exist yet.
    """

    def __call__(self, home: Path, terms: ServiceTerms, /) -> Backend: ...
