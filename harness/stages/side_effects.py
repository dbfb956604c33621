"""What calls of a researcher's functions do to the process: it is undone, and the call named."""

import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from importlib import import_module

from ...datasets.errors import LimenError
from .process_bindings import ModuleBindings
from .process_settings import ProcessSettings

SHARE = 0.05
"""The share of the time that comparing modules may take."""
UNCHANGED = "correct it, so that it leaves the process as it was, for all else that runs there"
SHOWN = 3
"""Names of what was replaced that a message shows."""

Call = Callable[[], object]


def called_here(function: Callable[..., object], given: Sequence[object]) -> object:
    """What a call returns. A copy of the process that it forks does not return: it ends.

    Raises:
        SideEffectError: It lowered the recursion limit. No function could put that back.
    """
    process, depth = os.getpid(), sys.getrecursionlimit()
    try:
        return function(*given)
    finally:
        if os.getpid() != process:
            os._exit(0)
        if (lower := sys.getrecursionlimit()) < depth:
            sys.setrecursionlimit(depth)
            raise SideEffectError(f"lowered the recursion limit from {depth} to {lower}")


class SideEffects:
    """What is changed in the process after this was made: its settings, and its modules."""

    def __init__(self, *, settings: bool = True, modules: bool | ModuleBindings = True) -> None:
        self._settings = ProcessSettings() if settings else None
        self._bindings = ModuleBindings() if modules is True else modules or None

    @property
    def changes_settings(self) -> bool:
        """Whether any setting was put back."""
        return self._settings is not None and self._settings.were_changed

    def undo(self) -> str:
        """Undo the changes; returns those that are errors, as what a function did; or nothing."""
        names = (
            self._bindings.undo() if self._bindings else []
        )  # first: the rest is done by functions of modules
        return _harm(self._settings.put_back() if self._settings else (), names)

    def cause(self, calls: Sequence[Call]) -> int:
        """The place of a call that makes changes, among calls of which one has made some.

        They are made again, by halves. One that does so at its first call alone is not found: it is
        the last one then.
        """
        low, high = 0, len(calls)
        while high - low > 1:
            middle = (low + high) // 2
            for call in calls[low:middle]:
                with suppress(BaseException):
                    call()
            if self.undo():
                high = middle
            else:
                low = middle
        return low


def _harm(faults: Sequence[str], names: Sequence[str]) -> str:
    if not names:
        return " and ".join(faults)
    more = f" and {len(names) - SHOWN:,} more" if len(names) > SHOWN else ""
    return " and ".join([*faults, f"replaced or removed {', '.join(names[:SHOWN])}{more}"])


class SideEffectError(Exception):
    """What a function did to the process, and so to all others. The text is what it did."""

    def __init__(self, harm: str, call: "WatchedCall | None" = None) -> None:
        super().__init__(harm)
        self.call = call
        """The call that did it; None if that is not known."""


@dataclass(frozen=True)
class WatchedCall:
    """A call of a user's function, as it is made again and named in errors."""

    make: Call
    failure: Callable[[str], LimenError]
    """The error to raise, given what the function did."""


class Pace:
    """When modules are compared again: after 1, 2, 4, ... calls, and when it takes little time."""

    def __init__(self) -> None:
        self._calls = 0
        self._last = time.monotonic()
        self._seconds = 0.0

    def is_due(self) -> bool:
        """Whether to compare after the next call."""
        self._calls += 1
        is_early = self._calls & (self._calls - 1) == 0
        return is_early or (time.monotonic() - self._last) * SHARE > self._seconds

    @contextmanager
    def comparing(self) -> Iterator[None]:
        """Take the time of a comparison."""
        began = time.monotonic()
        yield
        self._last = time.monotonic()
        self._seconds = self._last - began


class Watch:
    """The calls of one stage in a worker process: nothing else runs between them."""

    def __init__(self) -> None:
        self._effects: SideEffects | None = None
        self._pace = Pace()
        self._calls: list[WatchedCall] = []

    def begin(self) -> None:
        """Look at the process, before the first call."""
        import_module("numpy")  # stages need it: a call that imports it first could harm them
        self._effects = self._effects or SideEffects(settings=False)  # each call puts those back

    def add(self, call: WatchedCall) -> None:
        """Note a call that was made; raises :class:`SideEffectError` of it, or of one before."""
        self._calls.append(call)
        if self._pace.is_due():
            self.check()

    def check(self) -> None:
        """Undo what has changed; raises :class:`SideEffectError` if a call did that."""
        calls, self._calls = self._calls, []
        if self._effects is None:
            return
        with self._pace.comparing():
            harm = self._effects.undo()
        if harm:
            place = self._effects.cause([call.make for call in calls])
            raise SideEffectError(harm, calls[place] if calls else None)


_watch: ContextVar[Watch | None] = ContextVar("the watch of a stage's calls", default=None)


def current_watch() -> Watch | None:
    """The watch of the stage that is running; None where functions are tried instead."""
    watch = _watch.get()
    if watch is not None:
        watch.begin()
    return watch


@contextmanager
def watched_calls() -> Iterator[None]:
    """Watch what the functions of a stage do to the process.

    Raises the error of the call that did harm, in place of one that this has caused elsewhere, and
    :class:`SideEffectError` where the call is not known.
    """
    watch = Watch()
    before = _watch.set(watch)
    try:
        yield
    finally:
        _watch.reset(before)
        try:
            watch.check()
        except SideEffectError as effect:
            if effect.call is None:
                raise
            raise effect.call.failure(str(effect)) from None
