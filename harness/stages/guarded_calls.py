"""Calls of a researcher's functions in this process, after which it is as it was before."""

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from functools import partial

from .interruptions import interrupted_by_signals
from .side_effects import (
    Call,
    Pace,
    SideEffectError,
    SideEffects,
    WatchedCall,
    called_here,
    current_watch,
)
from .time_limits import called_in_time
from .user_trials import TrialResult


def guarded_call(
    function: Callable[..., object],
    given: Sequence[object],
    seconds: float,
    *,
    result: TrialResult,
    pace: Pace,
    in_thread: bool,
    watched: Callable[[Call], WatchedCall],
) -> object:
    """What a call returns. What it changes in the process is put back.

    Nothing is looked for where a trial has shown that there is nothing.

    Args:
        function: The researcher's function.
        given: What it is called with.
        seconds: The time limit; 0 is none.
        result: What trials say of it.
        pace: When modules are compared after a call of a function that was not tried.
        in_thread: Whether it may wait where no timer interrupts it.
        watched: The call for the watch of a stage.

    Raises:
        SideEffectError: It, or a call before it, did what harms others in the process.
        RaisedInterruptError: It raised ``KeyboardInterrupt`` by itself.
        TimeIsUp: It did not end in time.
    """
    here = partial(called_here, function, given)
    call = partial(called_in_time, here, seconds, in_thread=in_thread)
    if not result.tried:
        return interrupted_by_signals(partial(_watched, call, pace, watched))
    return _undone(call) if result.changes_settings else call()


def _watched(call: Call, pace: Pace, watched: Callable[[Call], WatchedCall]) -> object:
    watch = current_watch()
    try:
        return _undone(call, pace if watch is None and pace.is_due() else None)
    finally:
        if watch is not None:
            watch.add(watched(call))


def _undone(call: Call, pace: Pace | None = None) -> object:
    """Call, and undo what that changes: with a pace also in modules, which takes time."""
    with pace.comparing() if pace else nullcontext():  # most of that time is here
        effects = SideEffects(modules=pace is not None)
    try:
        return call()
    finally:
        if harm := effects.undo():
            raise SideEffectError(harm)
