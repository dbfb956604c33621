"""What a step-wise training service can do, as this package asks for it.

Such a service keeps the weights of one training, takes one batch at a time, and saves weights when
it is told to. An adapter of one service implements these protocols; the rest is common to all.
Calls block until the service has answered. Several threads call the same object.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from ...datasets.errors import BackendError

Tokens = tuple[int, ...]
Tokenizer = Any
"""A tokenizer of Transformers, or one with the same methods."""


class RequestRefusedError(Exception):
    """The service refuses this request and no other, for example a prompt that is too long."""


class StepFailedError(BackendError):
    """The service says that it could not do a step: a state saved after it lacks that step."""


@dataclass(frozen=True, kw_only=True)
class OfferedModel:
    """A base model that the service offers."""

    name: str
    can_train: bool = True
    max_tokens: int | None = None
    """The longest text in tokens, if the service states it."""


@dataclass(frozen=True, kw_only=True)
class AdapterSettings:
    """The shape of a LoRA adapter."""

    rank: int
    seed: int
    """Of its initial weights."""
    train_mlp: bool = True
    train_attn: bool = True
    train_unembed: bool = True


@dataclass(frozen=True, kw_only=True)
class AdamSettings:
    """The settings of one step of AdamW."""

    learning_rate: float
    beta1: float
    beta2: float
    eps: float
    weight_decay: float
    grad_clip_norm: float


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainingRow:
    """A text of ``T`` tokens to train on; its answer is at the end."""

    tokens: Tokens
    """(T,)"""
    answer: int
    """The number of tokens of the answer. They alone are in the loss."""

    @property
    def inputs(self) -> Tokens:
        """(T - 1,), what the model reads."""
        return self.tokens[:-1]

    @property
    def targets(self) -> Tokens:
        """(T - 1,), what it is to predict."""
        return self.tokens[1:]

    @property
    def weights(self) -> tuple[float, ...]:
        """(T - 1,), 1 for the tokens of the answer and 0 for those of the prompt."""
        return (0.0,) * (len(self.tokens) - 1 - self.answer) + (1.0,) * self.answer


@dataclass(frozen=True, kw_only=True)
class StepResult:
    """What a step gave."""

    loss: float | None
    """The mean over the answer tokens of the batch, in nats, before the step."""
    state: str | None = None
    """The address of the state that was saved after the step, if one was to be saved."""


@dataclass(frozen=True, kw_only=True)
class KeptWeights:
    """Weights that the service keeps for a training."""

    path: str
    """The address by which the service knows them."""
    name: str
    """The name that they were saved under."""
    kind: Literal["state", "weights"]
    """``state``: with the optimizer, to train on. ``weights``: to sample from."""
    size: int | None = None
    """Bytes, if the service states it."""
    expires: str | None = None
    """When the service deletes them, if it states it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Sampled:
    """One sampled sequence of tokens."""

    tokens: Tokens
    stopped: bool
    """Whether it ended by itself, and not at the limit of tokens."""


@dataclass(frozen=True, kw_only=True)
class Sampling:
    """How sequences are sampled."""

    draws: int
    seed: int
    """Draw ``i`` of a call has the seed ``seed + i``."""
    max_tokens: int
    temperature: float
    top_p: float
    stop: Tokens
    """Tokens that end a sequence."""


class TrainingSession(Protocol):
    """One training at the service. Its steps are applied in the order of the calls."""

    @property
    def run(self) -> str:
        """The service's id of the training."""
        ...

    def step(
        self, batch: Sequence[TrainingRow], adam: AdamSettings, *, save_as: str | None
    ) -> StepResult:
        """Apply one step; with a name, save the state after it in the same call.

        Raises :class:`StepFailedError` if the service could not do it, and another
        :class:`~limen.BackendError` if its answer did not come.
        """
        ...

    def save_state(self, name: str) -> str:
        """Save weights and optimizer; returns their address."""
        ...

    def save_weights(self, name: str) -> str:
        """Save weights to sample from; returns their address."""
        ...

    def close(self) -> None:
        """Let the service free what the training takes there. Raises nothing."""
        ...


class WeightsSampler(Protocol):
    """Samples from one set of weights. Raises :class:`RequestRefusedError` for a refused prompt."""

    def sample(self, prompt: Tokens, how: Sampling) -> Sequence[Sampled]:
        """As many sequences as there are draws."""
        ...

    def log_probabilities(self, tokens: Tokens) -> Sequence[float | None]:
        """(T,), the log-probability of each token after those before it; None for the first."""
        ...

    def close(self) -> None:
        """Let the service free what the sampler takes there. Raises nothing."""
        ...


class StepwiseService(Protocol):
    """A service. Failures of the service as a whole are raised as :class:`~limen.BackendError`."""

    @property
    def address(self) -> str:
        """Where the service is, without credentials."""
        ...

    @property
    def identity(self) -> str:
        """What tells its models from those of other servers; empty for the provider's own."""
        ...

    @property
    def is_free(self) -> bool:
        """Whether nothing is charged: it runs on the user's own machine."""
        ...

    @property
    def settles_in(self) -> float:
        """Seconds after which it is no longer busy with what a killed client had sent, as a rule.

        A resumed training waits so long for the answer of the step that was under way.
        """
        ...

    def offered(self) -> Sequence[OfferedModel]:
        """The base models that it offers."""
        ...

    def tokenizer(self, base: str) -> Tokenizer:
        """The tokenizer of a base model, with its chat template."""
        ...

    def start(self, base: str, adapter: AdapterSettings) -> TrainingSession:
        """A new training of a base model."""
        ...

    def resume(self, base: str, state: str) -> TrainingSession:
        """A training that goes on from a saved state.

        Raises :class:`~limen.UnknownModelError` if the service has it no longer.
        """
        ...

    def sampler(self, base: str, weights: str | None, state: str | None) -> WeightsSampler:
        """A sampler of saved weights, or of the base model, for one stage.

        ``state`` is a state of the same weights, if one is kept: a server that samples only from
        what it has in memory can load it again. Raises :class:`~limen.UnknownModelError` if the
        service has the weights no longer.
        """
        ...

    def kept(self, run: str) -> Sequence[KeptWeights]:
        """What it keeps for a training; empty for a training that it does not know."""
        ...

    def delete(self, path: str) -> bool:
        """Delete kept weights; False if the service has no way to. Those that are gone are fine."""
        ...

    def facts(self) -> Mapping[str, str]:
        """What is known about the service, by name."""
        ...

    def stop(self) -> None:
        """Have every call give up at once."""
        ...
