"""Calls of a researcher's own functions: whatever they do, it is one error that shows the text."""

import os
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial
from math import isfinite
from pathlib import Path
from types import MethodType
from weakref import WeakKeyDictionary

from ...datasets.errors import LimenError, SpecError
from ...datasets.unicode_text import is_writable
from ...datasets.visible import visible
from .guarded_calls import guarded_call
from .interruptions import RaisedInterruptError
from .side_effects import UNCHANGED, Pace, SideEffectError, WatchedCall
from .time_limits import TimeIsUp
from .trial_process import INTERRUPTED
from .user_trials import UNTRIED, HarmfulCallError, TrialResult, UndecidedError, try_calls

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


@dataclass(frozen=True)
class _Failed:
    """A function that is not called again."""

    text: str
    """What it was called on."""
    harm: str = ""
    """What it did to the process; empty for one that did not end in time."""
    remedy: str = UNCHANGED


_failed: "WeakKeyDictionary[object, _Failed]" = WeakKeyDictionary()
"""Functions that did not end in time, or harmed the process."""
_untried: "WeakKeyDictionary[object, bool]" = WeakKeyDictionary()
"""Functions of which trials decide nothing, and whether they wait for something."""
_paces: "WeakKeyDictionary[object, Pace]" = WeakKeyDictionary()
"""When modules are compared after calls of functions that no trial has cleared."""


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

    Whatever it raises or does to the process, but for Ctrl-C, is an error of this one function.
    One that ends the process, harms what else runs in it, or does not end within the time limit, is
    not called again in this process.

    Args:
        function: The researcher's function.
        text: What it is called with.
        name: The function, for the message: "the outcome function".
        what: The text, for the message: "the answer".
        error: The class of the error to raise.
        given: All that it is called with, where that is more than the text.
    """
    seconds = function_timeout()
    arguments = (text,) if given is None else given
    _record(f"{name} was called on {what} {text[:SHOWN]!r}")
    failure = partial(_failure, name, what, error, seconds)
    if (failed := _failure_of(function)) is not None:
        raise failure(failed)

    def harmful(harm: str, remedy: str = UNCHANGED) -> LimenError:
        return failure(_remembered(function, _Failed(text, harm, remedy)))

    try:
        return _called(function, arguments, seconds, harmful)
    except KeyboardInterrupt:
        raise
    except (TimeIsUp, RaisedInterruptError) as fault:
        raise harmful("" if isinstance(fault, TimeIsUp) else INTERRUPTED) from None
    except HarmfulCallError as trial:
        raise harmful(str(trial), _remedy_of(trial)) from None
    except SideEffectError as effect:
        found = harmful if effect.call is None else effect.call.failure
        raise found(str(effect)) from None
    except BaseException as fault:
        failed_call = error(f"{name} failed on {what} {text[:SHOWN]!r}: {described(fault)}")
        failed_call.add_note(_where(fault))
        raise failed_call from None  # Python would print the text of the cause as it is


def _called(
    function: UserFunction,
    arguments: Sequence[object],
    seconds: float,
    failure: Callable[[str], LimenError],
) -> object:
    """Call a function within a time limit, after a trial unless trials decide nothing of it."""
    return guarded_call(
        function,
        arguments,
        seconds,
        result=_try(function, [arguments], seconds),
        pace=_pace_of(function),
        in_thread=_untried_waits(function) or False,
        watched=lambda call: WatchedCall(call, failure),
    )


def _try(function: UserFunction, calls: Sequence[Sequence[object]], seconds: float) -> TrialResult:
    if _untried_waits(function) is not None:
        return UNTRIED
    try:
        return try_calls(function, calls, seconds)
    except UndecidedError as undecided:
        with suppress(TypeError):  # as in _remembered
            _untried[_identity(function)] = undecided.waits
        return UNTRIED


def try_on_texts(function: UserFunction, texts: Iterable[str]) -> None:
    """Find out whether a function harms the process on one of some texts, all of them at once.

    Nothing else comes of it. A function that does is an error as soon as it is called.
    """
    listed = list(texts)
    if _failure_of(function) is not None:
        return
    try:
        _try(function, [(text,) for text in listed], function_timeout())
    except HarmfulCallError as trial:
        _remembered(function, _Failed(listed[trial.place], str(trial), _remedy_of(trial)))


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


def is_text(value: object) -> bool:
    """Whether a value is a text that can be written to a file: no half of a surrogate pair."""
    return isinstance(value, str) and is_writable(value)


def function_timeout() -> float:
    """The seconds that a function may take for one text, from the environment; 0 is no limit."""
    return timeout_from(os.environ.get(TIMEOUT_VARIABLE) or None, TIMEOUT_VARIABLE)


def set_function_timeout(text: str, source: str) -> Callable[[], None]:
    """Set that limit for this process and those that it starts; returns what puts it back.

    Raises :class:`~limen.SpecError` for a text that is no time limit.
    """
    timeout_from(text, source)
    before = os.environ.get(TIMEOUT_VARIABLE)
    os.environ[TIMEOUT_VARIABLE] = text

    def put_back() -> None:
        os.environ.pop(TIMEOUT_VARIABLE, None)
        if before is not None:
            os.environ[TIMEOUT_VARIABLE] = before

    return put_back


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


def _failure(
    name: str, what: str, error: type[LimenError], seconds: float, failed: _Failed
) -> LimenError:
    """The error of a function that is not called again."""
    text = failed.text[:SHOWN]
    if failed.harm:
        return error(f"{name} was called on {what} {text!r}, and {failed.harm}: {failed.remedy}")
    return error(
        f"{name} did not end within {seconds:g} seconds on {what} {text!r}: correct it, or "
        f"set {TIMEOUT_VARIABLE} to more seconds"
    )


def _remedy_of(trial: HarmfulCallError) -> str:
    """What to do about a function that did harm in a trial."""
    return "correct it, or give it more memory" if trial.ended else UNCHANGED


def _identity(function: UserFunction) -> object:
    """What stands for a function; a bound method is a new object each time it is asked for."""
    return function.__func__ if isinstance(function, MethodType) else function


def _failure_of(function: UserFunction) -> _Failed | None:
    if not _failed:
        return None
    with suppress(TypeError):  # a callable that has no hash
        return _failed.get(_identity(function))
    return None


def _untried_waits(function: UserFunction) -> bool | None:
    """Whether a function waits for something; None if trials of it are of use."""
    if not _untried:
        return None
    with suppress(TypeError):  # a callable that has no hash
        return _untried.get(_identity(function))
    return None


def _pace_of(function: UserFunction) -> Pace:
    with suppress(TypeError):  # a callable that has no hash
        return _paces.setdefault(_identity(function), Pace())
    return Pace()


def _remembered(function: UserFunction, failed: _Failed) -> _Failed:
    with suppress(TypeError):  # a callable without a hash, or without weak references
        _failed[_identity(function)] = failed
    return failed
