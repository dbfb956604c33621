"""Calls of a researcher's own functions: whatever they do, it is one error that shows the text."""

import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, wait
from contextlib import contextmanager, suppress
from contextvars import ContextVar, copy_context
from math import isfinite
from pathlib import Path
from types import FrameType, MethodType
from weakref import WeakKeyDictionary

from ...datasets.errors import LimenError, SpecError
from ...datasets.visible import visible

TIMEOUT_VARIABLE = "LIMEN_FUNCTION_TIMEOUT"
"""The seconds that a function may take for one text; 0 is no limit."""
DEFAULT_TIMEOUT = 60.0
SHOWN = 80
"""Characters of a text or a value that an error message shows."""
SHOWN_OF_ERROR = 300

UserFunction = Callable[..., object]
"""A rule or an outcome: a text in, or a prompt and a text, and anything out."""

_record_file: ContextVar[Path | None] = ContextVar("record file", default=None)
"""Where the current call is recorded, if it is."""
_endless: "WeakKeyDictionary[object, str]" = WeakKeyDictionary()
"""Functions that did not end in time, each with the text: they are not called again."""


def call_on_text(
    function: UserFunction,
    text: str,
    *,
    name: str,
    what: str,
    error: type[LimenError],
    given: Sequence[object] | None = None,
) -> object:
    """What a function returns for a text.

    Whatever it raises, but Ctrl-C, is an error of this one function: ``sys.exit()`` in it must not
    end a session. One that does not end within the time limit fails as well, and is not called
    again in this process.

    Args:
        function: The researcher's function.
        text: What it is called with.
        name: The function, for the message: "the outcome function".
        what: The text, for the message: "the answer".
        error: The class of the error to raise.
        given: All that it is called with, where that is more than the text.
    """
    seconds = function_timeout()
    _record(f"{name} was called on {what} {text[:SHOWN]!r}")
    if (known := _endless_text(function)) is not None:
        raise error(_timeout_message(name, what, known, seconds))
    try:
        return _in_time(lambda: function(*((text,) if given is None else given)), seconds)
    except KeyboardInterrupt:
        raise
    except _TimeIsUp:
        _remember(function, text)
        raise error(_timeout_message(name, what, text, seconds)) from None
    except BaseException as fault:
        failure = error(f"{name} failed on {what} {text[:SHOWN]!r}: {described(fault)}")
        failure.add_note(_where(fault))
        raise failure from None  # Python would print the text of the cause as it is


@contextmanager
def record_calls(file: Path) -> Iterator[None]:
    """Leave in a file which function is called on which text, in case it ends this process."""
    before = _record_file.set(file)
    try:
        yield
    finally:
        _record_file.reset(before)


def _record(call: str) -> None:
    if (file := _record_file.get()) is not None:
        file.write_text(call, encoding="utf-8")


def described(fault: BaseException) -> str:
    """The class and the text of an error, also of one whose text cannot be made."""
    try:
        text = str(fault)[:SHOWN_OF_ERROR]
    except Exception:
        text = "its text cannot be shown"
    return f"{type(fault).__name__}: {text}"


def _where(fault: BaseException) -> str:
    """The lines of the researcher's own code that an error came through."""
    lines = [frame for frame in traceback.extract_tb(fault.__traceback__) if frame[0] != __file__]
    return visible("".join(["in the function:\n", *traceback.format_list(lines)]).rstrip())


def shown(value: object) -> str:
    """The start of a value's repr, also of one that cannot be shown."""
    try:
        return repr(value)[:SHOWN]
    except Exception:
        return f"a {type(value).__name__}"


def function_timeout() -> float:
    """The seconds that a function may take for one text, from the environment; 0 is no limit."""
    return timeout_from(os.environ.get(TIMEOUT_VARIABLE) or None, TIMEOUT_VARIABLE)


def timeout_from(text: str | None, source: str) -> float:
    """A time limit in seconds, from a text; raises :class:`~limen.SpecError`, with its source."""
    if text is None:
        return DEFAULT_TIMEOUT
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1
    if not isfinite(seconds) or seconds < 0:
        raise SpecError(f"{source}={text!r} must be seconds, such as 60, or 0 for no time limit")
    return seconds


def _timeout_message(name: str, what: str, text: str, seconds: float) -> str:
    return (
        f"{name} did not end within {seconds:g} seconds on {what} {text[:SHOWN]!r}: correct it, or "
        f"set {TIMEOUT_VARIABLE} to more seconds"
    )


def _identity(function: UserFunction) -> object:
    """What stands for a function; a bound method is a new object each time it is asked for."""
    return function.__func__ if isinstance(function, MethodType) else function


def _endless_text(function: UserFunction) -> str | None:
    if not _endless:
        return None
    with suppress(TypeError):  # a callable that has no hash
        return _endless.get(_identity(function))
    return None


def _remember(function: UserFunction, text: str) -> None:
    with suppress(TypeError):  # a callable without a hash, or without weak references
        _endless[_identity(function)] = text


class _TimeIsUp(BaseException):
    """A function has used up its time. No ``except Exception`` in the function stops it."""


def _in_time(call: Callable[[], object], seconds: float) -> object:
    """What a call returns; raises :class:`_TimeIsUp` if it takes longer.

    The call has a context of its own: what it does to NumPy's or decimal's settings ends with it.
    """
    context = copy_context()
    if not seconds:
        return context.run(call)
    limited = _with_alarm if _alarm_is_free() else _in_thread
    return limited(lambda: context.run(call), seconds)


def _alarm_is_free() -> bool:
    """Whether this thread can be interrupted by a timer, and nothing else uses that timer."""
    if sys.platform == "win32" or threading.current_thread() is not threading.main_thread():
        return False
    return signal.getitimer(signal.ITIMER_REAL)[0] == 0


def _with_alarm(call: Callable[[], object], seconds: float) -> object:
    """Interrupt the call by a timer, which also stops loops, sleeps and regular expressions."""
    fired = False

    def stop(number: int, frame: FrameType | None) -> None:
        nonlocal fired
        fired = True
        raise _TimeIsUp

    before = signal.signal(signal.SIGALRM, stop)
    try:
        signal.setitimer(signal.ITIMER_REAL, seconds, max(seconds, 1.0))  # again if it is caught
        result = call()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before or signal.SIG_DFL)
    if fired:  # the function caught it, and returned something
        raise _TimeIsUp
    return result


def _in_thread(call: Callable[[], object], seconds: float) -> object:
    """Wait for the call in a thread. One that does not end cannot be stopped: it is left alone."""
    future: Future[object] = Future()

    def work() -> None:
        try:
            future.set_result(call())
        except BaseException as fault:
            future.set_exception(fault)

    threading.Thread(target=work, name="limen-user-function", daemon=True).start()
    wait([future], timeout=seconds)
    if not future.done():
        raise _TimeIsUp
    return future.result()
