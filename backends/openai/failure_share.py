"""How many requests of a stage may fail before the stage ends."""

from .errors import Failure, backend_error

VARIABLE = "LIMEN_OPENAI_MAX_FAILED"
DEFAULT = 0.5
FEWEST = 5
"""Failed requests that are recorded in any case."""


class FailureShare:
    """Counts the requests of a stage that failed for good.

    ``limit`` is the share of requests, from 0 to 1, past which the stage ends.
    """

    def __init__(self, doing: str, limit: float) -> None:
        self._doing, self._limit = doing, limit
        self._answered = self._failed = 0
        self._last = ""

    def answered(self) -> None:
        """A request was answered."""
        self._answered += 1

    def failed(self, failure: Failure) -> None:
        """A request failed for good; raises :class:`~limen.BackendError` past the limit."""
        self._failed += 1
        self._last = failure.message
        done = self._answered + self._failed
        if self._failed > FEWEST and self._failed > self._limit * done:
            raise self._error(done)

    def check(self) -> None:
        """Raise :class:`~limen.BackendError` if no request at all was answered."""
        if self._failed and not self._answered:
            raise self._error(self._failed)

    def _error(self, done: int) -> Exception:
        return backend_error(
            f"{self._failed:,} of {done:,} requests failed; the last: {self._last}",
            self._doing,
            f"nothing of them was kept; {VARIABLE}=0.9 would record up to 90% of failures",
        )
