"""The calls that score one request: each within the budget, and counted."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from ..base import Request, Usage
from ..budget import Budget
from . import responses
from .account import Account
from .chat import maximum_usage
from .errors import TRANSIENT, Failure, FailureKind, InvalidResponseError, backend_error
from .prices import ModelPrice
from .responses import Json
from .retries import Retries

OUTAGE = 60.0
"""Seconds that a server may be unavailable."""
PAUSE = 0.02
NO_ENDPOINT = frozenset({404, 405, 410, 501})
"""What a server answers that does not have an endpoint, or not with log-probabilities."""


class TextRefusedError(Exception):
    """A server refuses a text, and scores others."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


@dataclass(eq=False)
class PaidCalls:
    """How calls of one model are sent and paid for."""

    account: Account
    retries: Retries
    budget: Budget
    price: ModelPrice | None
    """With a limited budget there must be one."""
    model: str
    _held: int = 0
    """Calls under way, whose reservations will soon be settled at what they really cost."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def cost(self, usage: Usage) -> float:
        """US dollars; 0 where no price is known."""
        return self.price.of(usage) if self.price else 0.0

    @contextmanager
    def holding(self, most: float) -> Iterator[None]:
        """Reserve what a call may cost at most, once calls under way have left enough."""
        while not self._reserved(most):
            if not self._held:
                raise self.budget.exhausted(most, "another call")
            self.retries.sleep(PAUSE)
        try:
            yield
        finally:
            with self._lock:
                self._held -= 1

    def _reserved(self, most: float) -> bool:
        with self._lock:
            fits = self.budget.reserve(most)
            self._held += fits
            return fits


@dataclass(eq=False)
class ContinuationCalls:
    """The calls of one request, and what they used."""

    paid: PaidCalls
    usage: Usage = field(default_factory=Usage)

    def post(self, path: str, body: Json, asked: Request) -> Json | Failure:
        """The response to a call, or the refusal of it.

        Raises :class:`~limen.BackendError` where the server would refuse any call: a key, credit,
        or a model that is not there.
        """
        paid, before = self.paid, self.usage
        most = paid.cost(maximum_usage(asked))
        doing = f"scoring by {paid.model}"
        with paid.holding(most):
            try:
                outcome = paid.retries.call(
                    lambda: self._sent(path, body, asked), doing, outage=OUTAGE
                )
            finally:
                used = paid.cost(self.usage) - paid.cost(before)
                lost = self.usage.lost > before.lost
                paid.budget.settle(most, most if lost else min(most, used))
        if isinstance(outcome, Failure) and _ends_all(outcome):
            raise backend_error(outcome.message, f"{doing} stopped")
        return outcome

    def _sent(self, path: str, body: Json, asked: Request) -> Json | Failure:
        import httpx2

        account = self.paid.account
        try:
            response = account.client.post(path, cast_to=httpx2.Response, body=body)
            data = responses.json_object(response.content)
        except Exception as error:
            failure = account.classify(error)
            self.usage += Usage(lost=int(failure.maybe_charged))
            again = failure.kind in (*TRANSIENT, FailureKind.RATE)
            if again and not isinstance(error, InvalidResponseError):
                raise
            return failure
        self.usage += responses.counted_usage(data, asked)
        return data


def _ends_all(failure: Failure) -> bool:
    """Whether a failure has nothing to do with log-probabilities: a key, credit, the model."""
    return failure.kind is FailureKind.FATAL and (
        failure.unknown_model or failure.status not in NO_ENDPOINT
    )
