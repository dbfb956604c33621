"""Calls of a researcher's functions are tried in a copy of this process, which they may end.

``os._exit``, a fault of a compiled library, or want of memory ends the process that calls the
function. In a worker that harms one stage; in the process of pytest it would be the end of the
session. There, a call is made in a forked copy first, and the copy ends in its place. Whatever else
happens in the copy does not count: values, errors and output are those of the call that follows in
this process.

A copy has no other threads. A function that waits for one, for a lock that it holds or an answer
that it gives, waits for ever there: such a trial decides nothing, and is given up.
"""

import faulthandler
import math
import mmap
import multiprocessing
import os
import pickle
import signal
import stat
import struct
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from select import POLLIN, poll
from types import MethodType

from .time_limits import TimeIsUp, called_in_time

Call = Callable[..., object]
Given = Sequence[object]
"""What a function is called with."""

COPIES = 8
"""Forked copies that are kept, each for the calls of one function."""
GRACE = 5.0
"""Seconds beyond a function's own limit after which a copy that shows no progress is ended.

Also the seconds after which a copy that waits, and does not compute, is given up.
"""
COMPUTING = 0.1
"""The share of the time that a process which computes has at least used of a processor."""
_PLACE = struct.Struct("q")
_LENGTH = struct.Struct("q")
_DONE, _TIME_IS_UP = b".", b"t"

_is_expendable: ContextVar[bool] = ContextVar("the process may end", default=False)
_copies: "dict[tuple[int, ...], _Copy]" = {}
"""By the identity of a function; the ones used last are the last."""
_lock = threading.RLock()


class EndedError(Exception):
    """A function ended the copy of the process, or computed on beyond every limit."""

    def __init__(self, place: int, how: str) -> None:
        super().__init__(how)
        self.place = place
        """Which of the calls it was."""


class UndecidedError(Exception):
    """A trial was given up: the function waits, or its time was up. Call it without trials."""

    def __init__(self, *, waits: bool) -> None:
        super().__init__(waits)
        self.waits = waits
        """Whether it was waiting, perhaps where no timer can interrupt it."""


@contextmanager
def without_trials() -> Iterator[None]:
    """Call functions at once: whoever started this process goes on if it ends."""
    before = _is_expendable.set(True)
    try:
        yield
    finally:
        _is_expendable.reset(before)


def try_calls(function: Call, calls: Sequence[Given], seconds: float) -> None:
    """Make some calls in a copy of this process. It does nothing in a worker, or without a fork.

    Args:
        function: The researcher's function. Those of limen and of Python itself are trusted.
        calls: The arguments of each call.
        seconds: The time limit of one call; 0 is none.

    Raises:
        EndedError: A call ended the copy.
        UndecidedError: It was not found out whether a call does.
    """
    if not _is_tried(function):
        return
    with _lock:
        copy = _copy_for(function)
        try:
            copy.run(calls, seconds)
        except (EndedError, UndecidedError):
            _copies.pop(_identity(function)).close()
            raise
        except (OSError, pickle.PicklingError, TypeError, AttributeError, RecursionError):
            if (broken := _copies.pop(_identity(function), None)) is not None:
                broken.close()  # no copy can be made, or nothing be sent to it: call without


def _is_tried(function: Call) -> bool:
    if sys.platform != "linux" or _is_expendable.get():
        return False
    module = str(getattr(function, "__module__", "") or "")
    if module == "builtins" or module.startswith("limen."):
        return False
    return multiprocessing.parent_process() is None


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
        self._place = mmap.mmap(-1, _PLACE.size)
        self._pid = 0
        self._requests = self._replies = -1

    def run(self, calls: Sequence[Given], seconds: float) -> None:
        """Make the calls that were not made yet; raises :class:`EndedError`, :class:`OSError`."""
        new = self._untried(calls)
        if not new:
            return
        data = pickle.dumps((seconds, [calls[place] for place, _ in new]))
        try:
            how = self._send(data, seconds)
            if how is not None and self._done < 0:  # it had ended before, idle
                how = self._send(data, seconds)
        except BaseException:  # interrupted: the copy may be busy for long
            self.close()
            raise
        if how is not None:
            raise EndedError(new[max(self._done, 0)][0], how)
        self._tried.update(mark for _, mark in new[: self._done + 1])

    def _send(self, data: bytes, seconds: float) -> str | None:
        """Have calls made. How the copy ended, if it did; else None."""
        if not self._pid:
            self._start()
        self._place[:] = _PLACE.pack(-1)
        try:
            _write(self._requests, _LENGTH.pack(len(data)) + data)
            self._wait(seconds)
        except _ClosedError as closed:
            return self._ended(str(closed))
        return None

    def _untried(self, calls: Sequence[Given]) -> list[tuple[int, int]]:
        marks = (hash(pickle.dumps(given)) for given in calls)
        return [(n, mark) for n, mark in enumerate(marks) if mark not in self._tried]

    @property
    def _done(self) -> int:
        """The place of the call that was begun last; -1 for none."""
        place: int = _PLACE.unpack(self._place[:])[0]
        return place

    def _wait(self, seconds: float) -> None:
        """Until the calls are made; raises :class:`_ClosedError` if that does not happen."""
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
            elif time.monotonic() - began > limit:
                os.kill(self._pid, signal.SIGKILL)
                raise _ClosedError(f"it did not end within {seconds:g} seconds")

    def _read_reply(self) -> None:
        reply = os.read(self._replies, 1)
        if not reply:
            raise _ClosedError
        if reply == _TIME_IS_UP:
            raise UndecidedError(waits=False)

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
        asked, self._requests = os.pipe()
        self._replies, answered = os.pipe()
        try:
            self._pid = _fork()
            if not self._pid:
                _serve(self._function, asked, answered, self._place)
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


def _serve(function: Call, asked: int, answered: int, place: mmap.mmap) -> None:
    """What the copy does, until nobody asks any more. It never returns."""
    try:
        _detach({asked, answered})
        with os.fdopen(asked, "rb") as requests:
            while head := requests.read(_LENGTH.size):
                seconds, calls = pickle.loads(requests.read(_LENGTH.unpack(head)[0]))
                os.write(answered, _made(function, calls, seconds, place))
    finally:
        os._exit(0)


def _made(function: Call, calls: Sequence[Given], seconds: float, place: mmap.mmap) -> bytes:
    """Make some calls; returns the reply."""
    for number, given in enumerate(calls):
        place[:] = _PLACE.pack(number)
        if not _ends_in_time(function, given, seconds):
            return _TIME_IS_UP
    return _DONE


def _ends_in_time(function: Call, given: Given, seconds: float) -> bool:
    """Make a call. What it gives or raises does not count here."""
    try:
        called_in_time(lambda: function(*given), seconds)
    except TimeIsUp:
        return False
    except BaseException:
        return True
    return True


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


def _detach(kept: set[int]) -> None:
    """Leave the terminal, the sockets and the signals to the process that this is a copy of."""
    faulthandler.disable()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    for name in os.listdir("/proc/self/fd"):
        with suppress(OSError):
            if int(name) not in kept and _is_channel(int(name)):
                os.close(int(name))
    nowhere = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115  (until the copy ends)
    for descriptor in (1, 2):
        os.dup2(nowhere.fileno(), descriptor)
    sys.stdout = sys.stderr = nowhere
    with suppress(Exception):
        _use_one_thread()
    with suppress(OSError), open("/proc/self/oom_score_adj", "w", encoding="ascii") as file:
        file.write("1000")  # if memory runs out, this process is the one to end


def _is_channel(descriptor: int) -> bool:
    """Whether a descriptor is a socket or a pipe: what others read, or share with this process."""
    mode = os.fstat(descriptor).st_mode
    return stat.S_ISSOCK(mode) or (descriptor > 2 and stat.S_ISFIFO(mode))


def _use_one_thread() -> None:
    """OpenMP's threads did not come along, and would be waited for."""
    from threadpoolctl import threadpool_limits

    threadpool_limits(1)
