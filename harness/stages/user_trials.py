"""Calls of a researcher's functions are tried in a copy of this process, which they may end.

``os._exit``, a fault of a compiled library, or want of memory ends the process that calls the
function. In a worker that harms one stage; in the process of pytest it would be the end of the
session. There, a call is made in a forked copy first, and the copy ends in its place. Whatever else
happens in the copy does not count: values, errors and output are those of the call that follows in
this process.

A copy has no other threads. A function that waits for one, for a lock that it holds or an answer
that it gives, waits for ever there: such a trial decides nothing, and is given up.
"""

import math
import mmap
import multiprocessing
import os
import pickle
import signal
import sys
import threading
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from importlib import import_module
from select import POLLIN, poll
from types import MethodType

from .deferred_signals import signals_deferred
from .process_bindings import ModuleBindings, note_modules
from .trial_process import LENGTH, PLACE, Call, Given, Reply, import_before_fork, serve

COPIES = 8
"""Forked copies that are kept, each for the calls of one function."""
GRACE = 5.0
"""Seconds beyond a function's own limit after which a copy that shows no progress is ended.

Also the seconds after which a copy that waits, and does not compute, is given up.
"""
COMPUTING = 0.1
"""The share of the time that a process which computes has at least used of a processor."""

_is_expendable: ContextVar[bool] = ContextVar("the process may end", default=False)
_copies: "dict[tuple[int, ...], _Copy]" = {}
"""By the identity of a function; the ones used last are the last."""
_lock = threading.RLock()


class HarmfulCallError(Exception):
    """A function did to the copy what would have harmed this process. The text is what it did."""

    def __init__(self, place: int, harm: str, *, ended: bool = False) -> None:
        super().__init__(harm)
        self.place = place
        """Which of the calls it was."""
        self.ended = ended
        """Whether it ended the copy, or computed on beyond every limit."""


class UndecidedError(Exception):
    """A trial was given up: the function waits, or its time was up. Call it without trials."""

    def __init__(self, *, waits: bool) -> None:
        super().__init__(waits)
        self.waits = waits
        """Whether it was waiting, perhaps where no timer can interrupt it."""


@dataclass(frozen=True)
class TrialResult:
    """What trials say of a function."""

    tried: bool = True
    """Whether the calls were made in a copy, and did no harm there."""
    changes_settings: bool = False
    """Whether calls change what can be put back: the folder, variables, and the like."""


UNTRIED = TrialResult(tried=False)


@contextmanager
def without_trials() -> Iterator[None]:
    """Call functions at once: whoever started this process goes on if it ends."""
    before = _is_expendable.set(True)
    try:
        yield
    finally:
        _is_expendable.reset(before)


def try_calls(function: Call, calls: Sequence[Given], seconds: float) -> TrialResult:
    """Make some calls in a copy of this process. It does nothing in a worker, or without a fork.

    Args:
        function: The researcher's function. Those of limen and of Python itself are trusted.
        calls: The arguments of each call.
        seconds: The time limit of one call; 0 is none.

    Raises:
        HarmfulCallError: A call ended the copy, or did what would harm this process.
        UndecidedError: It was not found out whether a call does.
    """
    if _is_trusted(function):
        return TrialResult()
    if sys.platform != "linux" or is_expendable():
        return UNTRIED
    with _lock:
        copy = _copy_for(function)
        try:
            return copy.run(calls, seconds)
        except (HarmfulCallError, UndecidedError):
            _copies.pop(_identity(function)).close()
            raise
        except (OSError, pickle.PicklingError, TypeError, AttributeError, RecursionError):
            if (broken := _copies.pop(_identity(function), None)) is not None:
                broken.close()  # no copy can be made, or nothing be sent to it: call without
            return UNTRIED


def is_expendable() -> bool:
    """Whether this is a worker process: functions are called there without trials."""
    return _is_expendable.get() or multiprocessing.parent_process() is not None


def _is_trusted(function: Call) -> bool:
    module = str(getattr(function, "__module__", "") or "")
    return module == "builtins" or module.startswith("limen.")


def _copy_for(function: Call) -> "_Copy":
    identity = _identity(function)
    copy = _copies.pop(identity, None) or _Copy(function)
    _copies[identity] = copy
    while len(_copies) > COPIES:
        _copies.pop(next(iter(_copies))).close()
    return copy


def _identity(function: Call) -> tuple[int, ...]:
    """What stands for a function; a bound method is a new object each time it is asked for."""
    if isinstance(function, MethodType):
        return id(function.__func__), id(function.__self__)
    return (id(function),)


class _Copy:
    """A forked copy of this process that calls one function."""

    def __init__(self, function: Call) -> None:
        self._function = function
        self._tried: set[int] = set()
        self._place = mmap.mmap(-1, PLACE.size)
        self._pid = 0
        self._requests = self._replies = -1
        self._result = TrialResult()
        self._bindings: ModuleBindings | None = None
        """The modules of this process when the copy was made."""
        self._not_imported: set[str] = set()
        """Names in the copy's table of modules that cannot be imported."""
        self._is_compared = True
        """Whether the copy has compared modules after its last call."""

    def run(self, calls: Sequence[Given], seconds: float) -> TrialResult:
        """Make the calls that were not made yet.

        Raises :class:`HarmfulCallError`, :class:`UndecidedError` and :class:`OSError`.
        """
        new = self._untried(calls)
        if not new:
            return self._result
        data = pickle.dumps((seconds, [calls[place] for place, _ in new]))
        try:
            reply = self._reply(data, seconds)
        except _ClosedError as closed:
            harm = f"ended the process ({closed})"
            raise HarmfulCallError(new[max(self._done, 0)][0], harm, ended=True) from None
        except BaseException:  # interrupted: the copy may be busy for long
            self.close()
            raise
        if reply.harm:
            if not self._is_compared and self._bindings is not None:
                self._bindings.undo()  # an earlier call may have done it, here as well
            raise HarmfulCallError(new[reply.place][0], reply.harm)
        if reply.time_is_up:
            raise UndecidedError(waits=False)
        if self._has_imported(reply.imported):
            self.close()  # another copy, made with these modules, finds what is done to them
            return self.run(calls, seconds)
        self._tried.update(mark for _, mark in new)
        self._is_compared = reply.compared
        if reply.raised:
            self._result = UNTRIED
        elif reply.changes_settings and self._result.tried:
            self._result = TrialResult(changes_settings=True)
        return self._result

    def _has_imported(self, names: Sequence[str]) -> bool:
        """Import here what the copy has imported, as the calls would; False if all of it is."""
        before = len(sys.modules)
        for name in names:
            if name not in sys.modules and name not in self._not_imported:
                with suppress(Exception):
                    import_module(name)
                if name not in sys.modules:
                    self._not_imported.add(name)
        return len(sys.modules) > before

    def _reply(self, data: bytes, seconds: float) -> Reply:
        """What the copy replies; raises :class:`_ClosedError` with how it ended, if it did."""
        try:
            return self._sent(data, seconds)
        except _ClosedError:
            if self._done >= 0:
                raise
        return self._sent(data, seconds)  # it had ended before, idle

    def _sent(self, data: bytes, seconds: float) -> Reply:
        if not self._pid:
            self._start()
        self._place[:] = PLACE.pack(-1)
        try:
            _write(self._requests, LENGTH.pack(len(data)) + data)
            return self._waited_for(seconds)
        except _ClosedError as closed:
            raise _ClosedError(self._ended(str(closed))) from None

    def _untried(self, calls: Sequence[Given]) -> list[tuple[int, int]]:
        marks = (hash(pickle.dumps(given)) for given in calls)
        return [(n, mark) for n, mark in enumerate(marks) if mark not in self._tried]

    @property
    def _done(self) -> int:
        """The place of the call that was begun last; -1 for none."""
        place: int = PLACE.unpack(self._place[:])[0]
        return place

    def _waited_for(self, seconds: float) -> Reply:
        """The reply; raises :class:`_ClosedError` if none comes."""
        limit = seconds + GRACE if seconds else math.inf
        place, began = self._done, time.monotonic()
        while True:
            used = _processor_seconds(self._pid)
            if self._is_readable(GRACE):
                return self._read_reply()
            if self._done != place:
                place, began = self._done, time.monotonic()
            elif _waits(self._pid, used):
                raise UndecidedError(waits=True)
            elif place >= 0 and time.monotonic() - began > limit:
                os.kill(self._pid, signal.SIGKILL)
                raise _ClosedError(f"it did not end within {seconds:g} seconds")

    def _read_reply(self) -> Reply:
        size = LENGTH.unpack(self._read(LENGTH.size))[0]
        reply: Reply = pickle.loads(self._read(size))
        return reply

    def _read(self, size: int) -> bytes:
        read = b""
        while len(read) < size:
            more = os.read(self._replies, size - len(read))
            if not more:
                raise _ClosedError
            read += more
        return read

    def _is_readable(self, limit: float) -> bool:
        watched = poll()
        watched.register(self._replies, POLLIN)
        return bool(watched.poll(limit * 1000))

    def _ended(self, how: str) -> str:
        """How the copy ended; it is waited for."""
        status = os.waitstatus_to_exitcode(os.waitpid(self._pid, 0)[1])
        self._pid = 0
        self.close()
        if how:
            return how
        if status >= 0:
            return f"exit status {status}"
        return f"signal {-status}, {signal.strsignal(-status) or 'unknown'}"

    def _start(self) -> None:
        with suppress(Exception):
            import_before_fork()
        note_modules()
        self._bindings = ModuleBindings()
        asked, self._requests = os.pipe()
        self._replies, answered = os.pipe()
        try:
            with signals_deferred():
                self._pid = _fork()
                if not self._pid:
                    serve(self._function, asked, answered, self._place, self._bindings)
        finally:
            os.close(asked)
            os.close(answered)

    def close(self) -> None:
        """End the copy."""
        for descriptor in (self._requests, self._replies):
            if descriptor >= 0:
                os.close(descriptor)
        self._requests = self._replies = -1
        if self._pid:
            with suppress(ProcessLookupError, ChildProcessError):
                os.kill(self._pid, signal.SIGKILL)
                os.waitpid(self._pid, 0)
        self._pid = 0


class _ClosedError(Exception):
    """The copy does not answer any more."""


def _fork() -> int:
    for stream in (sys.stdout, sys.stderr):
        with suppress(Exception):
            stream.flush()  # the copy would write it once more
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of threads, which the copy lacks
        return os.fork()


def _write(descriptor: int, data: bytes) -> None:
    left = memoryview(data)
    while left:
        try:
            left = left[os.write(descriptor, left) :]
        except BrokenPipeError:
            raise _ClosedError from None


def _processor_seconds(pid: int) -> float:
    """The processor time that a process has used so far, all of its threads together."""
    used = _facts_of(pid)[11:13]
    return sum(map(int, used)) / os.sysconf("SC_CLK_TCK")


def _waits(pid: int, used: float) -> bool:
    """Whether a process has only waited for :data:`GRACE` seconds, at whose start it had used
    that processor time. One that gets no processor, or reads a disk, does not wait.
    """
    sleeps = _facts_of(pid)[0] == "S"
    return sleeps and _processor_seconds(pid) - used < COMPUTING * GRACE


def _facts_of(pid: int) -> list[str]:
    """The fields of a process's status, from its state on; the name before it may have blanks."""
    with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
        return file.read().rpartition(")")[2].split()
