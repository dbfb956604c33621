"""What the harness asks of a backend that computes the probability of given texts."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from .samples import Token, Usage

if TYPE_CHECKING:
    from ..datasets.chat import Conversation


@dataclass(frozen=True, kw_only=True)
class ContinuationRequest:
    """A conversation, and texts with which the model's answer may go on. Raises nothing.

    The tokens of a continuation are those that the tokenizer gives for ``begin`` and the
    continuation together, without those that it gives for ``begin`` alone (where a token spans the
    border, it counts to the continuation).

    Args:
        messages: The turns, each ``{"role": ..., "content": ...}``; the last one is answered.
        continuations: Any number of tokens each; a blank at the beginning is part of a
            continuation.
        begin: The beginning of the answer, which is given and has no probability of its own.
            Default: empty.
        whole: Whether the answer must end after the continuation: the end of the turn is then one
            more token. Else the answer may go on as it likes. Default: False.
        chat: Whether the chat template is applied; else the only turn's text is continued as it
            is. Default: True.
        each_token: Whether an engine, for a server, is to give each token too. Default: False.

    Examples:
        >>> question = [{"role": "user", "content": "Name an animal."}]
        >>> ContinuationRequest(messages=question, continuations=("Owl", "Cat"), whole=True)
    """

    messages: "Conversation"
    continuations: tuple[str, ...]
    begin: str = ""
    whole: bool = False
    chat: bool = True
    each_token: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class LogProbability:
    """The log-probability of one continuation. Raises nothing.

    Args:
        nats: The sum over its tokens, in nats, at temperature 1; a bound from above if ``exact`` is
            False.
        tokens: The number of its tokens, the end of the turn included where it counts.
        exact: False where a service reports no more than that the value is not above ``nats``.
            Default: True.
        each: The tokens, without the end of the turn, where they were asked for. Default: none.
        usage: The usage of a request's calls, on the first of its continuations. Default: None.
        error: Why the service refuses the request; all that is known then is a bound of 0 nats.
            Default: None.

    Examples:
        >>> LogProbability(nats=-3.2, tokens=2)
    """

    nats: float
    tokens: int
    exact: bool = True
    each: tuple[Token, ...] = ()
    usage: Usage | None = None
    error: str | None = None


def refused(request: ContinuationRequest, error: str) -> list[LogProbability]:
    """The record of a request that a service refuses: nothing is known of its continuations."""
    unknown = LogProbability(nats=0.0, tokens=1, exact=False, error=error)
    return [unknown] * len(request.continuations)


def with_usage(scored: Sequence[LogProbability], usage: Usage) -> list[LogProbability]:
    """The log-probabilities of a request, with what its calls used."""
    return [replace(one, usage=None if place else usage) for place, one in enumerate(scored)]


class ContinuationScorer(Protocol):
    """The part of a backend that computes the log-probability of given continuations.

    Its method says what it raises.

    Examples:
        >>> scorer = open_backend("toy", store).capabilities.continuations
        >>> question = [{"role": "user", "content": "Name an animal."}]
        >>> request = ContinuationRequest(messages=question, continuations=("Owl", "Cat"))
        >>> [[one.nats for one in of] for of in scorer.log_probabilities("toy-1", [request])]
    """

    def log_probabilities(
        self, model: str, requests: Iterable[ContinuationRequest]
    ) -> Iterator[Sequence[LogProbability]]:
        """For each request, in their order: the log-probability of each of its continuations.

        A service yields as answers come, each with its usage, and a request that it refuses with
        its ``error``. Where the service as a whole fails, what has no answer is an empty sequence,
        what was under way still follows, and then the failure is raised.

        Args:
            model: The model.
            requests: What to score.

        Raises:
            UnknownModelError: There is no such model.
            SpecError: A continuation has no tokens, or the backend does not answer the request.
            BackendError: The backend as a whole failed.
        """
        ...
