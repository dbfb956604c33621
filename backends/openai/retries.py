"""Repeating calls that are safe to repeat (reading, listing, polling), and waiting for objects."""

import threading
from collections.abc import Callable
from typing import TypeVar

from ...datasets.errors import BackendError
from .account import Account
from .errors import TRANSIENT, FailureKind, backend_error

T = TypeVar("T")
OUTAGE = 900.0
"""Seconds that a service may be unavailable before a call fails."""
MAX_PAUSE = 15.0
A_DAY = 86_400.0
"""Seconds at most that an account is given to have room for more jobs or batches."""
SEARCH_SHARE = 0.1
"""Share of the outage time spent searching for an object whose creation got no answer (90 s)."""


class Retries:
    """Repeats failed calls with backoff; its sleep can be interrupted."""

    def __init__(self, account: Account, *, outage: float = OUTAGE) -> None:
        self._account = account
        self.outage = outage
        self._stopped = threading.Event()

    def call(
        self, do: Callable[[], T], doing: str, *, outage: float | None = None, remedy: str = ""
    ) -> T:
        """The result of the call, repeated while the failure is transient.

        Raises :class:`~limen.BackendError` after the outage time, and at once for other failures.
        """
        pause, waited = 0.25, 0.0
        while True:
            try:
                return do()
            except Exception as error:
                failure = self._account.classify(error)
                message = failure.message
            if failure.kind not in (*TRANSIENT, FailureKind.RATE):
                raise backend_error(message, doing, remedy)
            pause = min(MAX_PAUSE, max(2 * pause, failure.wait or 0.0))
            waited += pause
            if waited > (self.outage if outage is None else outage) or (failure.wait or 0) > OUTAGE:
                raise backend_error(message, doing, remedy)
            self.sleep(pause)

    def search(self, find: Callable[[], T | None]) -> T | None:
        """Search for an object that may exist although no answer arrived, for a limited time.

        Also used for the request of a run that was killed.
        """
        pause, waited = 0.2, 0.0
        while not (found := find()) and waited < SEARCH_SHARE * self.outage:
            self.sleep(pause)
            waited, pause = waited + pause, min(MAX_PAUSE, 2 * pause)
        return found

    def sleep(self, seconds: float) -> None:
        """Wait; raises :class:`~limen.BackendError` if the run is ended meanwhile."""
        if self._stopped.wait(seconds):
            raise BackendError("the run was ended; run the same command again to go on")

    def stop(self) -> None:
        """Interrupt all sleeps."""
        self._stopped.set()
