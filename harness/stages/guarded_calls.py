"""Calls of a researcher's functions in this process, after which it is as it was before."""

from collections.abc import Callable, Sequence
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

_pace = Pace()
"""When the functions that were not tried are compared in this process."""


def guarded_call(
    function: Callable[..., object],
    given: Sequence[object],
    seconds: float,
    *,
    result: TrialResult,
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
        return interrupted_by_signals(partial(_watched, call, watched))
    return _undone(call, modules=False) if result.changes_settings else call()


def _watched(call: Call, watched: Callable[[Call], WatchedCall]) -> object:
    watch = current_watch()
    try:
        return _undone(call, modules=watch is None and _pace.is_due())
    finally:
        if watch is not None:
            watch.add(watched(call))


def _undone(call: Call, *, modules: bool) -> object:
    effects = SideEffects(modules=modules)
    try:
        return call()
    finally:
        if harm := effects.undo():
            raise SideEffectError(harm)
