"""Settings of the process that a researcher's function may change: they are put back afterwards."""

import gc
import locale
import os
import signal
import socket
import sys
import threading
import time
import warnings
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from types import ModuleType
from typing import Any, TypeAlias

from .standard_streams import (
    DESCRIPTORS,
    Stream,
    descriptor,
    keep_descriptors,
    put_descriptor_back,
    put_stream_back,
    stream,
)

Value: TypeAlias = Any
"""Of a setting; what is read is what is put back."""
_ENVIRON = os.environ


def _no_fault(before: Value, now: Value) -> str:
    return ""


@dataclass(frozen=True)
class _Setting:
    """One setting: how it is read, and how it is put back."""

    read: Callable[[], Value]
    put_back: Callable[[Value], object]
    fault: Callable[[Value, Value], str] = _no_fault
    """What a function did that changed it, given both values; empty if that is no error."""
    main_thread: bool = False
    """Whether it is the main thread's: seen from others, somebody else may have changed it."""


class ProcessSettings:
    """The settings of the process as they are now."""

    def __init__(self) -> None:
        is_main = threading.current_thread() is threading.main_thread()
        if is_main:
            keep_descriptors()
        own = SETTINGS if is_main else _OF_ALL_THREADS
        torch = sys.modules.get("torch")
        self._settings = own if torch is None else (*own, *_of_torch(torch))
        self._before = self._values()
        self.were_changed = False
        """Whether anything was ever put back."""

    def put_back(self) -> list[str]:
        """Put back what has changed; returns those changes that are errors."""
        after = self._values()
        if after == self._before:
            return []
        self.were_changed = True
        faults = []
        for setting, before, now in zip(self._settings, self._before, after, strict=True):
            if now != before:
                faults.append(setting.fault(before, now))
                with suppress(Exception):  # others are put back all the same
                    setting.put_back(before)
        self._before = self._values()  # a stream that was closed is another one now
        return [fault for fault in faults if fault]

    def _values(self) -> list[Value]:
        return [setting.read() for setting in self._settings]


def _folder() -> str | None:
    with suppress(OSError):  # it was removed
        return os.getcwd()
    return None


def _enter(folder: str | None) -> None:
    if folder is not None:
        os.chdir(folder)


def _environment() -> tuple[Value, dict[Value, Value]]:
    variables = os.environ
    raw = vars(variables).get("_data") if variables is _ENVIRON else None
    return variables, dict(raw or variables)  # decoding them takes ten times as long


def _set_environment(before: tuple[Value, dict[Value, Value]]) -> None:
    os.environ, variables = before
    decoded = {os.fsdecode(name): os.fsdecode(value) for name, value in variables.items()}
    zone = os.environ.get("TZ")
    for name in os.environ.keys() - decoded.keys():
        del os.environ[name]
    os.environ.update(decoded)
    if zone != os.environ.get("TZ") and sys.platform != "win32":
        time.tzset()


def _paths() -> tuple[Value, ...]:
    """Where modules are imported from, and how."""
    return sys.path, tuple(sys.path), sys.meta_path, tuple(sys.meta_path)


def _set_paths(before: tuple[Value, ...]) -> None:
    """Put back what was removed; what was added stays, for later imports."""
    sys.path, folders, sys.meta_path, finders = before
    sys.path[:] = [*(each for each in sys.path if each not in folders), *folders]
    sys.meta_path[:] = [*(each for each in sys.meta_path if each not in finders), *finders]


def _set_filters(before: tuple[Value, ...]) -> None:
    """Put back filters that were removed, and drop new ones that make errors of warnings.

    Libraries add others when they are imported.
    """
    new = [each for each in warnings.filters if each not in before and each[0] != "error"]
    warnings.resetwarnings()  # which also has the filters read anew
    warnings.filters.extend([*new, *before])  # type: ignore[attr-defined]


def _logging() -> tuple[Value, ...]:
    logging: Value = sys.modules.get("logging")
    if logging is None:
        return ()
    return logging.root.level, logging.root.manager.disable, tuple(logging.root.handlers)


def _set_logging(before: tuple[Value, ...]) -> None:
    if before:
        root: Value = sys.modules["logging"].root
        root.setLevel(before[0])
        root.manager.disable = before[1]
        root.handlers[:] = before[2]


def _hook(module: ModuleType, name: str) -> _Setting:
    return _Setting(lambda: vars(module).get(name), partial(setattr, module, name))


def _handler(number: signal.Signals) -> _Setting:
    """What a signal does that ends a run in order."""

    def put_back(before: Value) -> None:
        if before is not None:  # else it was not set from Python
            signal.signal(number, before)

    return _Setting(
        partial(signal.getsignal, number),
        put_back,
        lambda before, now: f"changed what {number.name} does",
        main_thread=True,
    )


def _signal_mask() -> set[int]:
    return set() if sys.platform == "win32" else set(signal.pthread_sigmask(signal.SIG_BLOCK, ()))


def _set_signal_mask(before: set[int]) -> None:
    if sys.platform != "win32":
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _stream_setting(name: str) -> _Setting:
    def fault(before: Stream, now: Stream) -> str:
        return f"{'closed' if now.stream is before.stream else 'replaced'} sys.{name}"

    put_back = partial(put_stream_back, name)
    return _Setting(partial(stream, name), put_back, fault, main_thread=True)


def _descriptor_setting(number: int) -> _Setting:
    return _Setting(
        partial(descriptor, number),
        partial(put_descriptor_back, number),
        lambda before, now: f"closed or replaced file descriptor {number}",
        main_thread=True,
    )


def _of_torch(torch: Value) -> tuple[_Setting, ...]:
    """Global switches of PyTorch; none while it is being imported."""
    if not all(map(vars(torch).get, ("set_num_threads", "use_deterministic_algorithms"))):
        return ()
    return (
        _Setting(torch.get_default_dtype, torch.set_default_dtype),
        _Setting(torch.is_grad_enabled, torch.set_grad_enabled),
        _Setting(torch.get_num_threads, torch.set_num_threads),
        _Setting(
            torch.are_deterministic_algorithms_enabled, torch.use_deterministic_algorithms
        ),
    )  # fmt: skip


SETTINGS = (
    _Setting(sys.getrecursionlimit, sys.setrecursionlimit),
    _Setting(_folder, _enter),
    _Setting(_environment, _set_environment),
    _Setting(_paths, _set_paths),
    _Setting(lambda: tuple(warnings.filters), _set_filters, main_thread=True),
    _Setting(_logging, _set_logging, main_thread=True),
    _Setting(gc.isenabled, lambda before: gc.enable() if before else gc.disable()),
    _Setting(sys.getswitchinterval, sys.setswitchinterval),
    _Setting(socket.getdefaulttimeout, socket.setdefaulttimeout),
    _Setting(partial(locale.setlocale, locale.LC_ALL), partial(locale.setlocale, locale.LC_ALL)),
    _Setting(sys.gettrace, sys.settrace),
    _Setting(sys.getprofile, sys.setprofile),
    _Setting(_signal_mask, _set_signal_mask),
    *(_hook(sys, name) for name in ("excepthook", "unraisablehook", "displayhook")),
    _hook(threading, "excepthook"),
    *map(_handler, (signal.SIGINT, signal.SIGTERM)),
    *map(_stream_setting, ("stdin", "stdout", "stderr")),
    *map(_descriptor_setting, DESCRIPTORS),
)
_OF_ALL_THREADS = tuple(each for each in SETTINGS if not each.main_thread)
