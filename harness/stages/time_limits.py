"""Calls that may take so long and no longer."""

import signal
import sys
import threading
from collections.abc import Callable
from concurrent.futures import wait
from contextvars import copy_context
from signal import ITIMER_REAL, SIGALRM, setitimer  # not by the module: a call may replace them
from signal import signal as set_handler
from types import FrameType

from ...backends.threads import in_thread as started_in_thread


class TimeIsUp(BaseException):
    """A function has used up its time. No ``except Exception`` in the function stops it."""


def called_in_time(
    call: Callable[[], object], seconds: float, *, in_thread: bool = False
) -> object:
    """What a call returns; raises :class:`TimeIsUp` if it takes longer.

    The call has a context of its own: what it does to NumPy's or decimal's settings ends with it.

    Args:
        call: The call, without arguments.
        seconds: The limit; 0 is none.
        in_thread: Whether the call may wait where no timer interrupts it: it is made by a thread,
            which is left alone after the limit.
    """
    context = copy_context()
    if not seconds:
        return context.run(call)
    limited = _with_alarm if not in_thread and alarm_is_free() else _in_thread
    return limited(lambda: context.run(call), seconds)


def alarm_is_free() -> bool:
    """Whether this thread can be interrupted by a timer, and nothing else uses that timer."""
    if sys.platform == "win32" or threading.current_thread() is not threading.main_thread():
        return False
    return signal.getitimer(ITIMER_REAL)[0] == 0


def _with_alarm(call: Callable[[], object], seconds: float) -> object:
    """Interrupt the call by a timer, which also stops loops, sleeps and regular expressions."""
    fired = False

    def stop(number: int, frame: FrameType | None) -> None:
        nonlocal fired
        fired = True
        raise TimeIsUp

    before = set_handler(SIGALRM, stop)
    try:
        setitimer(ITIMER_REAL, seconds, max(seconds, 1.0))  # again if it is caught
        result = call()
    finally:
        setitimer(ITIMER_REAL, 0)
        set_handler(SIGALRM, before or signal.SIG_DFL)
    if fired:  # the function caught it, and returned something
        raise TimeIsUp
    return result


def _in_thread(call: Callable[[], object], seconds: float) -> object:
    """Wait for the call in a thread. One that does not end cannot be stopped: it is left alone."""
    future = started_in_thread(call, "limen-user-function")
    wait([future], timeout=seconds)
    if not future.done():
        raise TimeIsUp
    return future.result()
