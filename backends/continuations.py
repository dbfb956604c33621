"""What the harness asks of a backend that computes the probability of given texts."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ..datasets.chat import Conversation


@dataclass(frozen=True, kw_only=True)
class ContinuationRequest:
    """A conversation, and texts with which the model's answer may go on.

    The tokens of a continuation are those that the tokenizer gives for ``begin`` and the
    continuation together, without those that it gives for ``begin`` alone (where a token spans the
    border, it counts to the continuation).
    """

    messages: "Conversation"
    continuations: tuple[str, ...]
    """Any number of tokens each; a blank at the beginning is part of a continuation."""
    begin: str = ""
    """The beginning of the answer, which is given and has no probability of its own."""
    whole: bool = False
    """Whether the answer must end after the continuation: the end of the turn is then one more
    token. Else the answer may go on as it likes."""
    chat: bool = True
    """Whether the chat template is applied; else the only turn's text is continued as it is."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LogProbability:
    """The log-probability of one continuation."""

    nats: float
    """The sum over its tokens, at temperature 1; a bound from above if ``exact`` is False."""
    tokens: int
    """The number of its tokens, the end of the turn included where it counts."""
    exact: bool = True
    """False where a service reports no more than that the value is not above ``nats``."""


class ContinuationScorer(Protocol):
    """The part of a backend that computes the log-probability of given continuations."""

    def log_probabilities(
        self, model: str, requests: Iterable[ContinuationRequest]
    ) -> Iterator[Sequence[LogProbability]]:
        """For each request, in their order: the log-probability of each of its continuations.

        A service yields as answers come, and what it has charged for stays charged.
        """
        ...
