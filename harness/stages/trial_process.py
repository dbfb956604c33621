"""The forked copy of a process in which calls are tried: what it does, and what it replies.

It replies whether all calls of a request were made, and what they did to the process that would
harm whatever else runs in it.
"""

import faulthandler
import mmap
import os
import pickle
import signal
import stat
import struct
import sys
from collections.abc import Callable, Sequence
from contextlib import nullcontext, suppress
from functools import partial
from importlib import import_module
from types import FrameType
from typing import NamedTuple

from .process_bindings import ModuleBindings
from .side_effects import Pace, SideEffectError, SideEffects, called_here
from .standard_streams import forget_descriptors
from .time_limits import TimeIsUp, called_in_time

Call = Callable[..., object]
Given = Sequence[object]
"""What a function is called with."""

PLACE = struct.Struct("q")
"""The number of the call that was begun last, in memory that both processes share."""
LENGTH = struct.Struct("q")
"""The head of a request, and of a reply: how many bytes follow."""
THREAD_POOLS = (b"omp", b"blas", b"blis", b"mkl")
"""In the file names of libraries that compute in threads: of OpenMP, and of linear algebra."""
INTERRUPTED = "interrupted the run, by KeyboardInterrupt or SIGINT"


class Reply(NamedTuple):
    """What came of some calls."""

    harm: str = ""
    """What a call did that would harm the process; empty for nothing."""
    place: int = 0
    """Which of the calls it was."""
    time_is_up: bool = False
    """Whether a call did not end in time."""
    raised: bool = False
    """Whether a call raised an error: in the other process it may not, and go on."""
    changes_settings: bool = False
    """Whether calls change what can be put back."""
    compared: bool = True
    """Whether modules were compared. They are not after each request of a single call."""
    imported: tuple[str, ...] = ()
    """Modules that the copy has imported: what calls have done to them is not known."""


def serve(
    function: Call, asked: int, answered: int, place: mmap.mmap, bindings: ModuleBindings
) -> None:
    """What the copy does, until nobody asks any more. It never returns."""
    try:
        _detach({asked, answered})
        bindings.renew("sys")  # its streams
        pace = Pace()
        with os.fdopen(asked, "rb") as requests:
            while head := requests.read(LENGTH.size):
                seconds, calls = pickle.loads(requests.read(LENGTH.unpack(head)[0]))
                trial = _Trial(function, calls, seconds, place, answered)
                reply = pickle.dumps(trial.reply(bindings, pace))
                os.write(answered, LENGTH.pack(len(reply)) + reply)
    finally:
        os._exit(0)


class _Trial:
    """The calls of one request."""

    def __init__(
        self,
        function: Call,
        calls: Sequence[Given],
        seconds: float,
        place: mmap.mmap,
        answered: int,
    ) -> None:
        self._calls = [partial(called_here, function, given) for given in calls]
        self._seconds = seconds
        self._place = place
        self._answered = answered
        self._numbers = range(len(calls))
        self._begun = 0
        self._has_raised = False
        self._harm = ""
        """What a call did that needs no comparing."""

    def reply(self, bindings: ModuleBindings, pace: Pace) -> Reply:
        """Make the calls, and find out what they have changed."""
        compared = pace.is_due() or len(self._calls) > 1
        effects = SideEffects(modules=compared and bindings)
        time_is_up = False
        with suppress(
            TypeError, NameError, AttributeError
        ):  # of limen's own code, which a replaced function may break
            time_is_up = not all(map(self._make, self._numbers))
        with pace.comparing() if compared else nullcontext():
            harm = effects.undo()
        if self._harm:
            return Reply(self._harm, self._begun)
        if harm:
            again = [partial(self._make, place) for place in self._numbers[: self._begun + 1]]
            return Reply(harm, effects.cause(again))
        return Reply(
            time_is_up=time_is_up,
            raised=self._has_raised,
            changes_settings=effects.changes_settings,
            compared=compared,
            imported=bindings.imported_since(),
        )

    def _make(self, place: int) -> bool:
        """Make a call, unless one did harm; False if it does not end in time.

        What it gives does not count.
        """
        if self._harm:
            return True
        self._begun = place
        self._place[:] = PLACE.pack(place)
        try:
            called_in_time(self._calls[place], self._seconds)
        except TimeIsUp:
            return False
        except KeyboardInterrupt:
            _interruptions.append(place)
        except SideEffectError as effect:
            self._harm = str(effect)
        except BaseException:
            self._has_raised = True
        if _interruptions:
            self._harm = INTERRUPTED
        os.fstat(self._answered)  # an error if the call has closed it: the copy ends
        return True


_interruptions: list[int] = []
"""Whenever the copy was interrupted: nobody else does that, since no terminal reaches it."""


def _interrupt(number: int, frame: FrameType | None) -> None:
    _interruptions.append(number)
    raise KeyboardInterrupt


def _detach(kept: set[int]) -> None:
    """Leave the terminal, the sockets and the signals to the process that this is a copy of."""
    faulthandler.disable()
    os.setsid()  # no signal of the terminal comes here, and none to all of its processes leaves
    signal.signal(signal.SIGINT, _interrupt)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    for name in os.listdir("/proc/self/fd"):
        with suppress(OSError):
            if int(name) not in kept and _is_channel(int(name)):
                os.close(int(name))
    forget_descriptors()
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for descriptor in (1, 2):
        os.dup2(nowhere, descriptor)
    for name in ("stdout", "stderr"):
        setattr(sys, name, open(nowhere, "w", encoding="utf-8", closefd=False))  # noqa: SIM115
    with suppress(Exception):
        _use_one_thread()
    with suppress(OSError), open("/proc/self/oom_score_adj", "w", encoding="utf-8") as file:
        file.write("1000")  # if memory runs out, this process is the one to end


def _is_channel(descriptor: int) -> bool:
    """Whether a descriptor is a socket or a pipe: what others read, or share with this process."""
    mode = os.fstat(descriptor).st_mode
    return stat.S_ISSOCK(mode) or (descriptor > 2 and stat.S_ISFIFO(mode))


def import_before_fork() -> None:
    """Import what a copy needs itself: there it would count as imported by the function."""
    if _has_thread_pools():
        import_module("threadpoolctl")


def _use_one_thread() -> None:
    """OpenMP's threads did not come along, and would be waited for."""
    if _has_thread_pools():
        from threadpoolctl import threadpool_limits

        threadpool_limits(1)


def _has_thread_pools() -> bool:
    """Whether a library with threads of its own is loaded: NumPy and PyTorch bring some."""
    with open("/proc/self/maps", "rb") as maps:
        loaded = maps.read()
    return any(name in loaded for name in THREAD_POOLS)
