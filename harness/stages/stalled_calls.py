"""Long calls that may go on as long as something happens in them."""

import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from contextlib import contextmanager
from types import FrameType
from typing import Any, TypeVar

from ...backends.threads import in_thread
from .time_limits import TimeIsUp, alarm_is_free

T = TypeVar("T")
LOOKS = 20
"""How often within the limit a call is looked at."""


class StalledCalls:
    """Calls of a library that has one at a time in a process, and may be left behind in one.

    A timer interrupts a call of the main thread. Elsewhere it is made by a thread of its own, and
    nothing can end that: while it goes on, further calls are refused.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._left_behind: Future[Any] | None = None

    def call(self, call: Callable[[], T], idle_seconds: Callable[[], float], limit: float) -> T:
        """What a call returns.

        Args:
            call: The call, without arguments.
            idle_seconds: For how long nothing has happened in the call.
            limit: How long that may be; 0 is without limit.

        Raises:
            TimeIsUp: Nothing happened for that long.
            StillRunningError: A call that was left behind has not ended.
        """
        with self._lock:
            if self._left_behind is not None and not self._left_behind.done():
                raise StillRunningError
            if not limit:
                return call()
            if alarm_is_free():
                with _interrupting(idle_seconds, limit):
                    return call()
            return self._waited_for(call, idle_seconds, limit)

    def _waited_for(
        self, call: Callable[[], T], idle_seconds: Callable[[], float], limit: float
    ) -> T:
        future = in_thread(call, "limen-watched-call")
        while not future.done():
            wait([future], timeout=limit / LOOKS)
            if not future.done() and idle_seconds() >= limit:
                self._left_behind = future
                raise TimeIsUp
        return future.result()


class StillRunningError(Exception):
    """An earlier call was left behind, and still goes on."""


@contextmanager
def _interrupting(idle_seconds: Callable[[], float], limit: float) -> Iterator[None]:
    """Raise :class:`TimeIsUp` in what is running, again and again if it is caught there."""
    fired = False

    def look(number: int, frame: FrameType | None) -> None:
        nonlocal fired
        if idle_seconds() >= limit:
            fired = True
            raise TimeIsUp

    before = signal.signal(signal.SIGALRM, look)
    try:
        signal.setitimer(signal.ITIMER_REAL, limit / LOOKS, limit / LOOKS)
        yield
    except BaseException:
        if fired:  # in a group, or as another error
            raise TimeIsUp from None
        raise
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before or signal.SIG_DFL)
    if fired:
        raise TimeIsUp
