"""Calls that other threads make are ended, as far as Python can do that."""

import asyncio
import ctypes
import sys
import threading
from concurrent.futures import wait
from types import FrameType
from typing import Any

from ...backends.threads import ThreadCall

ATTEMPTS = 100
"""How often a call is interrupted; then it is left in its thread."""
PAUSE = 0.05
"""Seconds in which a call may end."""


def interrupt(call: ThreadCall[Any], error: type[BaseException]) -> bool:
    """Raise an error in what a thread does. Whether its call has ended then.

    Tasks of an event loop that waits are cancelled; Python code is interrupted at its next step.
    What waits elsewhere, in compiled code or for a lock, cannot be interrupted.

    Args:
        call: The call of another thread.
        error: The class of the error; a call may catch it, and is interrupted again.
    """
    for _ in range(ATTEMPTS):
        _cancel_tasks(call.thread)
        wait([call], PAUSE)
        if call.done():
            return True
        _raise_in(call.thread, ctypes.py_object(error))
        wait([call], PAUSE)
    _raise_in(call.thread, None)  # one that stays pending slows all threads down
    return call.done()


def _raise_in(
    thread: threading.Thread, error: "ctypes.py_object[type[BaseException]] | None"
) -> None:
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident or 0), error)


def _cancel_tasks(thread: threading.Thread) -> None:
    """Cancel all tasks of the event loop that a thread runs, if it runs one."""
    loop = _loop_of(sys._current_frames().get(thread.ident or 0))
    if loop is not None and not loop.is_closed():
        loop.call_soon_threadsafe(_cancel_all, loop)


def _cancel_all(loop: asyncio.AbstractEventLoop) -> None:
    for task in asyncio.all_tasks(loop):
        task.cancel()


def _loop_of(frame: FrameType | None) -> asyncio.AbstractEventLoop | None:
    """The event loop that runs in a frame, or in one that called it."""
    while frame is not None:
        if isinstance(loop := frame.f_locals.get("self"), asyncio.AbstractEventLoop):
            return loop
        frame = frame.f_back
    return None
