"""Services, whose models run elsewhere, for money: terms, work, quotes, and their protocol."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from .budget import Budget
from .samples import Usage
from .trainings import Recipe

if TYPE_CHECKING:
    from ..datasets.chat import Conversation


@dataclass(frozen=True, kw_only=True)
class ServiceTerms:
    """What a run allows a service to do, and how an engine samples.

    It changes no answer, so it is part of no key; ``sampling_precision``, ``sampling_engine``
    and ``quantization`` alone do, and are part of the fingerprints of models.

    Raises nothing; the backend that gets it raises :class:`~limen.SpecError` for terms that it
    cannot keep.

    Args:
        wait: Wait for fine-tuning jobs and batches; else submit them and raise
            :class:`~limen.PendingError`. Default: True.
        batch: Sample through the service's batch interface: cheaper, and slower. Default: False.
        budget: The most that may be spent, in US dollars. Default: None, no limit.
        prices: A file of prices, used before those that limen knows. Default: None.
        estimate_only: Only estimate: a service that cannot be asked is described from tables.
            Default: False.
        choices: What the user chose of how a server is asked, by name; they go before the
            environment's. Default: none.
        sampling_precision: "bfloat16" to sample open weights so on a processor. Default: None,
            float32.
        sampling_engine: "vllm" to sample open weights by it. Default: None, by limen itself.
        quantization: "nf4" to load open weights in four bits. Default: None, as they are.
        shared_budget: What several services of a run spend from together. Default: None, a service
            has the whole ``budget`` for itself.

    Examples:
        >>> backend = open_backend("openai", store, ServiceTerms(budget=5.0))
    """

    wait: bool = True
    batch: bool = False
    budget: float | None = None
    prices: Path | None = None
    estimate_only: bool = False
    choices: Mapping[str, str] = field(default_factory=dict, hash=False)
    sampling_precision: str | None = None
    sampling_engine: str | None = None
    quantization: str | None = None
    shared_budget: Budget | None = field(default=None, compare=False, repr=False)

    @property
    def spending(self) -> Budget:
        """What a service that is opened on these terms spends from; its own if none is shared."""
        return self.shared_budget or Budget(self.budget)


@dataclass(frozen=True, kw_only=True)
class WorkRequest:
    """The size of some work for a service. Raises nothing.

    Args:
        model: The model to sample from, or to train.
        completions: Answers to sample. Default: 0.
        per_call: Draws with the same prompt, which can share a call. Default: 1.
        prompts: A sample of the prompts, to estimate tokens by. Default: none.
        max_tokens: The longest answer, in tokens. Default: 0.
        rows: Rows to train on; ``prompts`` is then a sample of their prompts. Default: 0.
        answers: A sample of the answers in these rows, to estimate tokens by. Default: none, as
            long as they are not known: half of ``max_tokens`` each is assumed.
        recipe: The training settings. Default: none.
        student: Whether a student of ``model`` answers. Default: False.

    Examples:
        >>> work = WorkRequest(model="gpt-4.1-nano", completions=10_000, max_tokens=16)
    """

    model: str
    completions: int = 0
    per_call: int = 1
    prompts: "tuple[Conversation, ...]" = ()
    max_tokens: int = 0
    rows: int = 0
    answers: tuple[str, ...] = ()
    recipe: Recipe = field(default_factory=dict, hash=False)
    student: bool = False


@dataclass(frozen=True, kw_only=True)
class Quote:
    """An estimate of what some work takes. Raises nothing.

    Args:
        calls: Calls to the service. Default: 0.
        tokens: Tokens in, out and trained. Default: 0.
        usd: Expected cost in US dollars; None if no price is known. Default: 0.0.
        usd_at_most: Upper bound in US dollars; None if no price is known, or if nothing bounds the
            cost. Default: 0.0.
        minutes: Minutes at the account's rate limits, without fine-tuning; 0 where none is known.
            Default: 0.0.
        binding: The limit that determines the time: requests or tokens. Default: empty.

    Examples:
        >>> Quote(calls=200, tokens=9_000, usd=0.02, usd_at_most=0.05, minutes=0.4)
    """

    calls: int = 0
    tokens: int = 0
    usd: float | None = 0.0
    usd_at_most: float | None = 0.0
    minutes: float = 0.0
    binding: str = ""


class Service(Protocol):
    """The part of a backend that works elsewhere: stages wait for it side by side, in threads.

    What each method raises stands in its own text; none of them asks the server.

    Examples:
        >>> service = open_backend("openai", store).capabilities.service
        >>> service.cost("gpt-4.1-nano", Usage(calls=1, input_tokens=300, output_tokens=5))
    """

    def cost(
        self, model: str, usage: Usage, *, trained_tokens: int = 0, batch: bool = False
    ) -> float | None:
        """What some usage cost, in US dollars; None if no price is known. Raises nothing.

        Args:
            model: The model that was used.
            usage: Calls and tokens.
            trained_tokens: Tokens trained on, over all epochs. Default: 0.
            batch: Whether the batch interface was used. Default: False.
        """
        ...

    def quote(self, work: WorkRequest) -> Quote:
        """What some work will take.

        Args:
            work: The size of the work.

        Raises:
            SpecError: The budget forbids it.
        """
        ...

    def server_facts(self, model: str) -> Mapping[str, str]:
        """What the server accepts and how it answers, by name, each with where it is known from.

        Known from trying (probed), from the user (set), or from nothing so far (assumed).

        Args:
            model: The model that is asked.
        """
        ...

    def conditions(self, model: str) -> str:
        """The prices and limits that quotes for a model are computed from, and their source.

        Args:
            model: The model.
        """
        ...

    def stop(self) -> None:
        """Have every call that waits for the service give up at once."""
        ...
