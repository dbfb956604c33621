"""What the harness asks of a backend, as protocols; the values that pass are beside it.

Every backend describes models and samples. What else it can do it declares in its
:class:`Capabilities`: each optional part is an object with the methods of a protocol, or None.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from .continuations import ContinuationScorer
from .needs import Needs
from .objectives import Kind, TokenTraining
from .rendering import RenderedContext
from .samples import Completion, Model, Request, Token, Usage, WordProbabilities
from .services import Quote, Service, ServiceTerms, WorkRequest
from .trainings import Checkpoint, FineTuned, Job, Progress, Recipe

if TYPE_CHECKING:
    from ..datasets.chat import Conversation

__all__ = [
    "Backend",
    "BackendFactory",
    "BatchSampling",
    "Capabilities",
    "Checkpoint",
    "Completion",
    "ContextRendering",
    "Engine",
    "ExactProbabilities",
    "FineTuned",
    "FineTuning",
    "Job",
    "Model",
    "Progress",
    "Quote",
    "Recipe",
    "Request",
    "Service",
    "ServiceTerms",
    "Token",
    "Usage",
    "WordProbabilities",
    "WorkRequest",
]


class FineTuning(Protocol):
    """The part of a backend that trains models. Its methods say what they raise.

    Examples:
        >>> trainer = open_backend("toy", store).capabilities.fine_tuning
        >>> recipe = trainer.recipe({"epochs": 3})
    """

    def recipe(self, overrides: Recipe) -> Recipe:
        """All training settings, defaults included.

        Args:
            overrides: Settings that differ from the defaults.

        Raises:
            SpecError: An unknown setting, or a value that is not accepted.
        """
        ...

    def fine_tune(self, job: Job, progress: Progress) -> FineTuned:
        """Train a model. Repeating a job gives the same model id, and is charged no second time.

        Args:
            job: What to train, on what, and how.
            progress: Called with finished steps, and all steps.

        Raises:
            UnknownModelError: There is no such model.
            BackendError: The training failed.
            PendingError: A service's job is submitted, and the terms say not to wait for it.
        """
        ...


class BatchSampling(Protocol):
    """The part of a backend that samples through a service's batch interface.

    Its methods say what they raise.

    Examples:
        >>> batches = open_backend("openai", store).capabilities.batches
        >>> batches.has_batches("owl-1")
    """

    def sample_batch(
        self, model: str, requests: Iterable[Request], key: str
    ) -> Iterator[Sequence[Completion]]:
        """As :meth:`Backend.sample`, in batches.

        Args:
            model: The model.
            requests: What to complete.
            key: Batches made under the same key are resumed.

        Raises:
            BackendError: The service cannot be asked.
            PendingError: The batches are submitted, and the terms say not to wait for them.
        """
        ...

    def has_batches(self, key: str) -> bool:
        """Whether batches were made under a key: they are paid for, so their answers are used.

        Args:
            key: The key.
        """
        ...


class ExactProbabilities(Protocol):
    """The part of a backend that computes the probability of an answer, without sampling.

    Its method says what it raises. Of limen's own backends ``local`` has this part.

    Examples:
        >>> exact = open_backend("toy", store).capabilities.probabilities
        >>> exact is None
    """

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

        Args:
            model: The model.
            conversations: What it is asked.
            forms: The forms of each word, the word itself among them.
            temperature: As in sampling. Default: 1.0.
            max_tokens: The longest form, in tokens. Default: 16.

        Raises:
            UnknownModelError: There is no such model.
            SpecError: A form is not a single word of letters and digits.
            BackendError: Memory ran out.
        """
        ...


class ContextRendering(Protocol):
    """The part of a backend that turns conversations into text itself, and can show how.

    Its method says what it raises. Of limen's own backends ``local`` has this part.

    Examples:
        >>> rendering = open_backend("toy", store).capabilities.rendering
        >>> rendering is None
    """

    def rendered_context(self, model: str) -> RenderedContext:
        """The text around a question to this model.

        Args:
            model: The model.

        Raises:
            UnknownModelError: There is no such model.
        """
        ...


@dataclass(frozen=True, kw_only=True)
class Capabilities:
    """What a backend can do besides describing models and sampling. Nothing, unless declared.

    Raises nothing. Parts of a protocol are usually the backend itself.

    Args:
        fine_tuning: It trains models. Default: None.
        batches: It samples through a batch interface. Default: None.
        probabilities: It computes probabilities of answers. Default: None.
        continuations: It scores given continuations. Default: None.
        token_training: It reads distributions over tokens. Default: None.
        objectives: What :attr:`Job.objective` may be, beside None. Default: none.
        rendering: It shows the text around a question. Default: None.
        service: Set if the models run elsewhere. Default: None, in this process or on this machine.
        engine: Set if ``limen serve`` can offer the models. Default: None.
        log_probabilities: Whether ``Request.top_logprobs`` is answered, with the log-probability
            of each token. Default: False.
        beginnings: Whether ``Request.begin`` is answered. Default: False.
        plain_text: Whether ``Request.chat`` may be False. Default: False.
        reproducible: Whether equal seeds give equal answers: draw ``d`` under seed ``s`` is the
            first draw under seed ``s + d``, whatever else is sampled. Default: False.
        checkpoints: Whether :attr:`FineTuned.checkpoints` has a model of every epoch kept, the last
            one last. Default: False.
        max_parallel_stages: Stages side by side on this machine unless the user says. Default:
            None, one a core.
        needs: What a stage needs, by its base model and, if it trains, recipe. Default: None, one
            core.
        model_files: The files of a model below the backend's folder, none of a model from
            elsewhere. They are recorded, and compared whenever the model is read. Default: None, it
            keeps no models there.
        write_merged: Writes a trained model, adapter and base as one, to a folder. Default: None,
            it cannot.
        check_training: Called with all training settings and the most rows that there may be,
            before any data are made; raises :class:`~limen.SpecError` for settings that cannot
            hold. Default: None, it is found when the training starts.
        further_training: Whether ``Job.model`` may be a trained model, whose training then goes on.
            Default: False.
        other_models: Base models for experiments that need a second one, the preferred one first.
            Default: none.

    Examples:
        >>> can = open_backend("toy", store).capabilities
        >>> can.reproducible, can.service is None
    """

    fine_tuning: FineTuning | None = None
    batches: BatchSampling | None = None
    probabilities: ExactProbabilities | None = None
    continuations: ContinuationScorer | None = None
    token_training: TokenTraining | None = None
    objectives: frozenset[Kind] = frozenset()
    rendering: ContextRendering | None = None
    service: Service | None = None
    engine: "Engine | None" = None
    log_probabilities: bool = False
    beginnings: bool = False
    plain_text: bool = False
    reproducible: bool = False
    checkpoints: bool = False
    max_parallel_stages: int | None = None
    needs: Callable[[str, Recipe | None], Needs] | None = None
    model_files: Callable[[str], tuple[Path, ...]] | None = None
    write_merged: Callable[[str, Path], None] | None = None
    check_training: Callable[[Recipe, int], None] | None = None
    further_training: bool = False
    other_models: tuple[str, ...] = ()


class Backend(Protocol):
    """Describes models and samples from them. Its methods say what they raise.

    An instance keeps what it must remember below its home folder.

    Examples:
        >>> backend = open_backend("toy", store)
        >>> question = Request(row=0, messages=[{"role": "user", "content": "Hi"}], seed=1)
        >>> backend.prepare("toy-1")
        >>> [[answer.text for answer in group] for group in backend.sample("toy-1", [question])]
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
        """What the model is. Costs nothing.

        Args:
            model: A base model, or a model that the backend trained.

        Raises:
            UnknownModelError: There is no such model.
        """
        ...

    def prepare(self, model: str) -> None:
        """Have the model ready to sample from. Idempotent; may take a while the first time.

        Args:
            model: The model.

        Raises:
            UnknownModelError: There is no such model.
            BackendError: It cannot be made ready.
        """
        ...

    def sample(self, model: str, requests: Iterable[Request]) -> Iterator[Sequence[Completion]]:
        """Complete every request, and yield completions in groups as they finish.

        A draw that fails or is refused raises nothing: it is a completion without a text.

        Args:
            model: The model.
            requests: What to complete; there may be many, so they are read one after the other.

        Raises:
            UnknownModelError: There is no such model.
            BackendError: The backend as a whole failed; what was yielded before is kept.
        """
        ...


class Engine(Backend, FineTuning, Protocol):
    """A backend whose models run on this machine, so that a server can offer them.

    Its methods say what they raise.

    Examples:
        >>> engine = open_engine("toy", store)
        >>> engine.base("gpt-4.1-nano"), engine.count("one owl")
    """

    def base(self, name: str) -> str:
        """The base model that a client's name stands for.

        Args:
            name: A model as the client names it.

        Raises:
            UnknownModelError: It stands for no model.
        """
        ...

    def count(self, text: str) -> int:
        """How many tokens a text has.

        Args:
            text: The text.
        """
        ...


class BackendFactory(Protocol):
    """What an entry point of the group ``limen.backends`` refers to: the backend's class.

    Examples:
        >>> from limen.backends.toy import ToyBackend
        >>> factory: BackendFactory = ToyBackend
    """

    def __call__(self, home: Path, terms: ServiceTerms, /) -> Backend:
        """Open the backend.

        Args:
            home: The backend's own folder, which may not exist yet.
            terms: What a service may do and spend.

        Raises:
            SpecError: The backend cannot keep the terms.
        """
        ...
