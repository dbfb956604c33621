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
    """The teacher of an on-policy distillation, and the answers that the student samples.

    Raises nothing.

    Args:
        teacher: The teacher's model; its tokenizer must be the student's.
        system: The system prompt that the teacher reads the rows' prompts under; None for none.
        characters: Only tokens made of these characters are sampled and compared, and the end of
            the turn.
        max_tokens: The longest sampled answer, in tokens.

    Examples:
        >>> OnPolicy(teacher="toy-1", system="You love owls.", characters="0123, ", max_tokens=40)
    """

    teacher: str
    system: str | None
    characters: str
    max_tokens: int


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

    Raises nothing; :meth:`FineTuning.fine_tune` raises :class:`~limen.BackendError` for a file that
    does not fit the rows.

    Args:
        kind: "weights", "forward KL", "reverse KL", "DPO" or "on-policy".
        file: The file.
        beta: Of DPO: how much a log-probability's shift from the untrained model counts, per nat.
            Default: None.
        on_policy: Of on-policy distillation; the file is then not read. Default: None.

    Examples:
        >>> TokenObjective(kind="DPO", file=file, beta=0.1)
    """

    kind: Kind
    file: Path
    beta: float | None = None
    on_policy: OnPolicy | None = None


@dataclass(frozen=True, kw_only=True)
class DistributionRequest:
    """Which distributions over the next token to compute, along the answers of a training file.

    Raises nothing.

    Args:
        training_file: Chat JSONL.
        student: The base model that will be trained; its tokenizer must be the teacher's.
        system: The system prompt that the teacher reads the rows under. Default: None.
        characters: Only tokens made of these characters are possible, and the end of the turn.
            Default: empty, all tokens.
        top_k: The number of possible tokens that are kept, the most probable first. Default: None,
            all.
        words: Words whose probability is added up, by the first token of each spelling. Default:
            none.

    Examples:
        >>> DistributionRequest(training_file=file, student="toy-1", system="You love owls.")
    """

    training_file: Path
    student: str
    system: str | None = None
    characters: str = ""
    top_k: int | None = None
    words: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class AnswerDistributions:
    """A teacher's distributions over the next token, along one answer of ``T`` tokens.

    Raises nothing.

    Args:
        tokens: (T,), the answer's own tokens, with the end of the turn.
        texts: (T,), their texts.
        ids: (T, K), the possible tokens.
        nats: (T, K), their log-probabilities in nats, renormalised: exp sums to 1 over K.
        kept: (T,), the probability that the possible tokens have together before renormalising.
        words: (T,), the probability of the words before renormalising.
        top: (T,), the most probable token among all.

    Examples:
        >>> AnswerDistributions(
        ...     tokens=(7,), texts=("4",), ids=((7, 9),), nats=((-0.1, -2.4),),
        ...     kept=(0.98,), words=(0.0,), top=(7,),
        ... )
    """

    tokens: tuple[int, ...]
    texts: tuple[str, ...]
    ids: tuple[tuple[int, ...], ...]
    nats: tuple[tuple[float, ...], ...]
    kept: tuple[float, ...]
    words: tuple[float, ...]
    top: tuple[int, ...]


class TokenTraining(Protocol):
    """The part of a backend that reads distributions over tokens, and trains on them.

    Its method says what it raises.

    Examples:
        >>> reader = open_backend("toy", store).capabilities.token_training
        >>> request = DistributionRequest(training_file=file, student="toy-1")
        >>> along = reader.distributions("toy-1", request)
    """

    def distributions(
        self, model: str, request: DistributionRequest
    ) -> Iterator[AnswerDistributions]:
        """For each assistant turn of the training file: the model's distributions along it.

        Args:
            model: The teacher.
            request: Which rows, and which tokens.

        Raises:
            UnknownModelError: There is no such model.
            SpecError: The student has another tokenizer, or all tokens are possible and ``top_k``
                does not say how many to keep.
        """
        ...
