"""What a training minimises, token by token, and what a backend says about the tokens of rows."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol, get_args

Kind = Literal["weights", "forward KL", "reverse KL", "DPO", "on-policy"]
"""``weights``: the completion loss, each token's times its weight. ``forward KL`` and
``reverse KL``: the divergence from a teacher's distribution, or to it. ``DPO``: direct preference
optimisation (Rafailov et al. 2023, equation 7). ``on-policy``: the divergence to the teacher's
distribution along answers that the student samples (Agarwal et al. 2024)."""

OBJECTIVES: frozenset[Kind] = frozenset(get_args(Kind))
"""All of them."""


@dataclass(frozen=True, kw_only=True)
class OnPolicy:
    """The teacher of an on-policy distillation, and the answers that the student samples."""

    teacher: str
    """The teacher's model; its tokenizer must be the student's."""
    system: str | None
    """The system prompt that the teacher reads the rows' prompts under."""
    characters: str
    """Only tokens made of these characters are sampled and compared, and the end of the turn."""
    max_tokens: int
    """The longest sampled answer, in tokens."""


@dataclass(frozen=True, kw_only=True)
class TokenObjective:
    """What a training minimises in place of the completion loss: a mean over answer tokens.

    The file has one JSON object a line for each assistant turn of the training file, in its order.
    Each has ``tokens``, the answer's token ids with the end of the turn; they must be those that
    the trainer itself finds. For weights it has ``weights``, one a token; a token of weight 0 does
    not count in the mean. For a divergence it has ``ids`` and ``nats``: for each token the ids of
    the possible tokens and their log-probabilities, which sum to probability 1.

    DPO is a mean over pairs. Its file has one object for each row of the training file, with
    ``rejected``: the text in place of the row's last answer.
    """

    kind: Kind
    file: Path
    beta: float | None = None
    """Of DPO: how much a log-probability's shift from the untrained model counts, per nat."""
    on_policy: OnPolicy | None = None
    """Of on-policy distillation; the file is then not read."""


@dataclass(frozen=True, kw_only=True)
class DistributionRequest:
    """Which distributions over the next token to compute, along the answers of a training file."""

    training_file: Path
    student: str
    """The base model that will be trained; its tokenizer must be the teacher's."""
    system: str | None = None
    """The system prompt that the teacher reads the rows under."""
    characters: str = ""
    """Only tokens made of these characters are possible, and the end of the turn; empty for all."""
    top_k: int | None = None
    """The number of possible tokens that are kept, the most probable first; None for all."""
    words: tuple[str, ...] = ()
    """Words whose probability is added up, by the first token of each spelling."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AnswerDistributions:
    """A teacher's distributions over the next token, along one answer of ``T`` tokens."""

    tokens: tuple[int, ...]
    """(T,), the answer's own tokens, with the end of the turn."""
    texts: tuple[str, ...]
    """(T,), their texts."""
    ids: tuple[tuple[int, ...], ...]
    """(T, K), the possible tokens."""
    nats: tuple[tuple[float, ...], ...]
    """(T, K), their log-probabilities, renormalised: exp sums to 1 over K."""
    kept: tuple[float, ...]
    """(T,), the probability that the possible tokens have together before renormalising."""
    words: tuple[float, ...]
    """(T,), the probability of the words before renormalising."""
    top: tuple[int, ...]
    """(T,), the most probable token among all."""


class TokenTraining(Protocol):
    """The part of a backend that reads distributions over tokens, and trains on them."""

    def distributions(
        self, model: str, request: DistributionRequest
    ) -> Iterator[AnswerDistributions]:
        """For each assistant turn of the training file: the model's distributions along it.

        Raises :class:`~limen.SpecError` if the student has another tokenizer.
        """
        ...
