"""Long calls that may go on as long as something happens in them."""

import signal
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from contextlib import contextmanager
from types import FrameType
from typing import TypeVar

from .time_limits import TimeIsUp

T = TypeVar("T")
LOOKS = 20
"""How often within the limit a call is looked at."""
UNWINDING = 5.0
"""Seconds that an interrupted call has to end before it is interrupted again."""


def interrupted_if_stalled(
    call: Callable[[], T], idle_seconds: Callable[[], float], limit: float
) -> T:
    """What a call of the main thread returns; a timer interrupts it.

    Args:
        call: The call, without arguments.
        idle_seconds: For how long nothing has happened in the call.
        limit: How long that may be; 0 is without limit.

    Raises:
        TimeIsUp: Nothing happened for that long.
    """
    if not limit:
        return call()
    with _interrupting(idle_seconds, limit):
        return call()


def result_unless_stalled(
    future: "Future[T]", idle_seconds: Callable[[], float], limit: float
) -> T:
    """What a future gives; arguments and errors as for :func:`interrupted_if_stalled`."""
    while limit and not future.done():
        wait([future], timeout=limit / LOOKS)
        if not future.done() and idle_seconds() >= limit:
            raise TimeIsUp
    return future.result()


@contextmanager
def _interrupting(idle_seconds: Callable[[], float], limit: float) -> Iterator[None]:
    """Raise :class:`TimeIsUp` in what is running, again and again if it is caught there."""
    fired = False

    def look(number: int, frame: FrameType | None) -> None:
        nonlocal fired
        if idle_seconds() >= limit:
            fired = True
            signal.setitimer(signal.ITIMER_REAL, UNWINDING, UNWINDING)
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
