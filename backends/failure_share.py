"""How many requests of a stage may fail before the stage ends."""

from ..datasets.errors import BackendError

DEFAULT = 0.5
FEWEST = 5
"""Failed requests that are recorded in any case."""
FEWEST_OWN = 50
"""Requests at fault themselves that end no stage before its end: a file may begin with its longest
rows. Such a refusal costs nothing."""


class FailureShare:
    """Counts the requests of a stage that failed for good.

    ``limit`` is the share of requests, from 0 to 1, past which the stage ends; ``remedy`` is what
    to do then.
    """

    def __init__(self, doing: str, limit: float, remedy: str) -> None:
        self._doing, self._limit, self._remedy = doing, limit, remedy
        self._answered = self._failed = self._unexplained = 0
        self._last = ""

    def answered(self) -> None:
        """A request was answered."""
        self._answered += 1

    def failed(self, message: str, *, own: bool = False, pending: int = 0) -> None:
        """A request failed for good; raises :class:`~limen.BackendError` past the limit.

        ``own`` if the request itself is at fault: it is too long for the model. ``pending`` is the
        number of others under way. A refusal is quicker than an answer, so those count as answered
        here: whether the stage ends does not depend on which comes first.
        """
        self._failed += 1
        self._unexplained += not own
        self._last = message
        is_clear = self._unexplained > FEWEST or self._failed > FEWEST_OWN
        if is_clear and self._is_past_limit(pending):
            raise self._error()

    @property
    def is_low(self) -> bool:
        """Whether the stage is far from its end: failures need not be held back."""
        return self._failed <= self._limit / 2 * (self._answered + self._failed)

    def check(self) -> None:
        """To be called when nothing is under way any more.

        Raises :class:`~limen.BackendError` past the limit, and if no request was answered while
        none is at fault itself.
        """
        if self._is_past_limit(0) or (self._unexplained and not self._answered):
            raise self._error()

    def _is_past_limit(self, pending: int) -> bool:
        most = self._limit * (self._answered + self._failed + pending)
        return self._failed > max(FEWEST, most)

    def _error(self) -> BackendError:
        last, done = self._last.strip().rstrip("."), self._answered + self._failed
        return BackendError(
            f"{self._doing}: {self._failed:,} of {done:,} requests failed; the last: {last} "
            f"({self._remedy})"
        )
