"""Asking a service again and again, where asking twice does no harm: reading, listing, polling."""

import threading
from collections.abc import Callable
from typing import TypeVar

from ...datasets.errors import BackendError
from .account import Account
from .faults import Kind, failure, fault_of

T = TypeVar("T")
OUTAGE = 900.0
"""Seconds for which a service may be away before what waits for it gives up."""
LONGEST_WAIT = 15.0
SEEKING = 0.1
"""For what share of an outage's time a service is looked through for something whose making nobody
heard the end of: a minute and a half."""


class Patience:
    """Repeats calls that a fault spoiled, and sleeps so that it can be woken."""

    def __init__(self, account: Account, *, outage: float = OUTAGE) -> None:
        self._account = account
        self.outage = outage
        self._stopped = threading.Event()

    def ask(
        self, do: Callable[[], T], doing: str, *, outage: float | None = None, remedy: str = ""
    ) -> T:
        """What the call gives, however often it takes; raises :class:`~limen.BackendError`."""
        pause, waited = 0.25, 0.0
        while True:
            try:
                return do()
            except Exception as error:
                fault = fault_of(error)
                says = self._account.scrub(fault.says)
            if fault.kind not in (Kind.TRANSPORT, Kind.RATE):
                raise failure(says, doing, remedy)
            pause = min(LONGEST_WAIT, max(2 * pause, fault.wait or 0.0))
            waited += pause
            if waited > (self.outage if outage is None else outage) or (fault.wait or 0) > OUTAGE:
                raise failure(says, doing, remedy)
            self.sleep(pause)

    def seek(self, find: Callable[[], T | None]) -> T | None:
        """Look for what may have been made although no answer came: it may be there a little later.

        Also for what a killed run had asked for: its request may still be on its way.
        """
        pause, waited = 0.2, 0.0
        while not (found := find()) and waited < SEEKING * self.outage:
            self.sleep(pause)
            waited, pause = waited + pause, min(LONGEST_WAIT, 2 * pause)
        return found

    def sleep(self, seconds: float) -> None:
        """Wait; raises :class:`~limen.BackendError` if the run is ended meanwhile."""
        if self._stopped.wait(seconds):
            raise BackendError("the run was ended; run the same command again to go on")

    def stop(self) -> None:
        """Wake up whatever sleeps."""
        self._stopped.set()
