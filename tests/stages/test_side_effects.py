"""What a researcher's function does to the process is put back, or an error with its text."""

import builtins
import gc
import json
import locale
import logging
import os
import pathlib
import random
import signal
import socket
import subprocess
import sys
import threading
import unittest.mock
import warnings
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, suppress
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any, TextIO

import pytest

from limen import ScoreError
from limen.harness import stages
from limen.harness.stages import (
    call_on_text,
    try_on_texts,
    user_trials,
    watched_calls,
    without_trials,
)
from limen.harness.stages.process_bindings import ModuleBindings

TRIED = pytest.mark.skipif(sys.platform != "linux", reason="a copy of the process is a fork")


@pytest.fixture(autouse=True, scope="module")
def libraries_are_loaded() -> None:
    """What is imported when it is first needed is there, whichever test comes first."""
    for name in ("numpy", "threadpoolctl"):  # the second sets a variable of the environment
        import_module(name)


def called(function: Callable[[str], object], text: str) -> object:
    """Call a function as a measure does."""
    return call_on_text(function, text, name="the function", what="the text", error=ScoreError)


def delete(table: object, name: str) -> None:
    """Remove a name from a module."""
    delattr(table, name)


def forget(table: Any) -> None:
    """Empty what stands there when this is called."""
    table.clear()


def close(stream: TextIO) -> None:
    """Close what stands there when this is called."""
    stream.close()


def raise_interrupt() -> None:
    """As a function that was copied from a program of its own may do."""
    raise KeyboardInterrupt


def caught_interrupt() -> None:
    """The process of pytest would be interrupted all the same."""
    with suppress(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGINT)


HARMFUL: dict[str, tuple[Callable[[], object], str]] = {
    "recursion": (lambda: sys.setrecursionlimit(150), "lowered the recursion limit from"),
    "function": (lambda: setattr(json, "dumps", None), "replaced or removed json.dumps"),
    "method": (lambda: setattr(pathlib.Path, "write_text", id), r"pathlib[._a-z]*\.Path\.write_text"),
    "class": (lambda: setattr(socket, "socket", None), "replaced or removed socket.socket"),
    "builtin": (lambda: setattr(builtins, "len", abs), "replaced or removed builtins.len"),
    "deleted": (lambda: delete(builtins, "print"), "replaced or removed builtins.print"),
    "module": (lambda: sys.modules.pop("json"), r"removed sys.modules\['json'\]"),
    "modules": (lambda: forget(sys.modules), r"and [\d,]+ more"),
    "mock": (lambda: setattr(json, "loads", unittest.mock.MagicMock()), "json.loads"),
    "limen": (lambda: setattr(stages, "run_stage", None), "limen.harness.stages.run_stage"),
    "pytest": (lambda: setattr(pytest.Item, "runtest", None), "_pytest.nodes.Item.runtest"),
    "interruption": (raise_interrupt, "interrupted the run"),
    "signal": (lambda: signal.signal(signal.SIGTERM, signal.SIG_IGN), "changed what SIGTERM does"),
}  # fmt: skip


FATAL: dict[str, tuple[Callable[[], object], str]] = {
    "stdout": (lambda: close(sys.stdout), r"closed sys\.stdout:"),
    "stderr": (lambda: setattr(sys, "stderr", None), r"replaced sys\.stderr:"),
    "descriptor": (lambda: os.close(1), "closed or replaced file descriptor 1"),
    "descriptors": (lambda: os.closerange(3, 900), "ended the process"),
    "ctrl-c": (lambda: os.kill(os.getpid(), signal.SIGINT), "interrupted the run"),
    "caught ctrl-c": (caught_interrupt, "interrupted the run"),
    "group": (lambda: os.killpg(0, signal.SIGKILL), "ended the process"),
}


def harms(way: Callable[[], object], text: str = "bad") -> Callable[[str], int]:
    """A function that does something on one text."""

    def function(given: str) -> int:
        if given == text:
            way()
        return 1

    return function


@TRIED
@pytest.mark.parametrize(
    ("way", "harm"), [*HARMFUL.values(), *FATAL.values()], ids=[*HARMFUL, *FATAL]
)
def test_what_harms_others_is_an_error_with_its_text(way: Callable[[], object], harm: str) -> None:
    """It is done to a copy of the process alone; the function is not called again."""
    function = harms(way)
    try_on_texts(function, ["good", "bad", "better"])
    for _ in range(2):
        with pytest.raises(ScoreError, match=rf"on the text 'bad', and [^:]*{harm}"):
            called(function, "good")


def test_where_nothing_is_tried_it_is_undone() -> None:
    """In a worker process: what runs next there finds all as it was."""
    before = sys.getrecursionlimit(), json.dumps, len(sys.modules), signal.getsignal(signal.SIGTERM)
    for way, harm in HARMFUL.values():
        message = rf"on the text 'bad', and [^:]*{harm}"
        with pytest.raises(ScoreError, match=message), without_trials(), watched_calls():
            called(harms(way), "bad")
    assert before == (
        sys.getrecursionlimit(), json.dumps, len(sys.modules), signal.getsignal(signal.SIGTERM)
    )  # fmt: skip


def test_a_change_that_is_found_late_names_its_text() -> None:
    """Modules are compared now and then: the calls since the last time are made again."""
    function = harms(lambda: setattr(json, "dumps", None), "text 250")
    before = json.dumps
    message = r"on the text 'text 250', and replaced .* json.dumps"
    with pytest.raises(ScoreError, match=message), without_trials(), watched_calls():
        for number in range(300):
            called(function, f"text {number}")
    assert json.dumps is before


HARMLESS: dict[str, Callable[[], object]] = {
    "folder": lambda: os.chdir("/"),
    "environment": os.environ.clear,
    "variable": lambda: os.environ.update(LIMEN_STORE="/nowhere"),
    "depth": lambda: sys.setrecursionlimit(sys.getrecursionlimit() + 7),
    "paths": lambda: forget(sys.path),
    "finders": lambda: forget(sys.meta_path),
    "memory": gc.disable,
    "timeout": lambda: socket.setdefaulttimeout(0.001),
    "warnings": lambda: warnings.simplefilter("error"),
    "logging": lambda: logging.disable(logging.CRITICAL),
    "language": lambda: locale.setlocale(locale.LC_ALL, "C"),
    "threads": lambda: setattr(threading, "excepthook", None),
    "hook": lambda: setattr(sys, "excepthook", None),
    "mask": lambda: signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT}),
    "switches": lambda: sys.setswitchinterval(10),
    "trace": lambda: sys.settrace(lambda *given: None),
}


def settings() -> list[object]:
    """What the harmless functions change."""
    return [
        os.getcwd(), dict(os.environ), sys.getrecursionlimit(), list(sys.path), len(sys.meta_path),
        gc.isenabled(), socket.getdefaulttimeout(), list(warnings.filters), logging.root.manager.disable,
        locale.setlocale(locale.LC_ALL), threading.excepthook, sys.excepthook, sys.getswitchinterval(),
        signal.pthread_sigmask(signal.SIG_BLOCK, ()), sys.gettrace(),
    ]  # fmt: skip


def changes_everything(text: str) -> int:
    """All of it at once."""
    for way in HARMLESS.values():
        way()
    return 1


@pytest.mark.parametrize("context", [nullcontext, without_trials], ids=["tried", "in a worker"])
def test_settings_are_put_back(context: Callable[[], AbstractContextManager[None]]) -> None:
    """They harm nobody then, and what the function gives counts."""
    before = settings()
    with context():
        assert called(partial(changes_everything), "one") == 1
    for was, now in zip(before, settings(), strict=True):
        assert now == was


def test_what_libraries_change_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some replace functions of others when they are imported. A function may also add names."""
    import numpy

    def patches(text: str) -> int:
        monkeypatch.setattr(json, "dumps", numpy.mean)
        json.a_name = random.seed(0)  # type: ignore[attr-defined]
        return 1

    assert called(patches, "one") == 1
    with without_trials(), watched_calls():
        assert called(patches, "one") == 1
    monkeypatch.delattr(json, "a_name")


@TRIED
def test_a_fork_that_returns_ends(tmp_path: Path) -> None:
    """A child of a function is no second run of what called it."""
    file = tmp_path / "processes"

    def forks(text: str) -> int:
        os.fork()
        return 1

    for tries in (True, False):
        with nullcontext() if tries else without_trials():
            assert called(forks, "one") == 1
        with file.open("a", encoding="utf-8") as lines:
            lines.write(f"{os.getpid()}\n")
    assert file.read_text().split() == [str(os.getpid())] * 2


@TRIED
def test_a_function_that_raises_in_the_copy_alone_is_guarded() -> None:
    """What it goes on to do in this process is undone."""
    process = os.getpid()

    def harms_here(text: str) -> int:
        if os.getpid() != process:
            raise ValueError
        json.dumps = None  # type: ignore[assignment]
        return 1

    before = json.dumps
    with pytest.raises(ScoreError, match=r"on the text 'one', and replaced or removed json.dumps"):
        called(harms_here, "one")
    assert json.dumps is before


PROGRAM = """
import os, sys
from limen.datasets.errors import ScoreError
from limen.harness.stages import call_on_text

def function(text):
    return len(text)

before, forks, fork = set(sys.modules), [], os.fork
os.fork = lambda: forks.append(0) or fork()
call_on_text(function, "text", name="f", what="the text", error=ScoreError)
print("ctypes" in set(sys.modules) - before, len(forks))
"""


@TRIED
@pytest.mark.parametrize("first", ["", "import numpy"])
def test_a_process_is_copied_once_to_try_a_function(first: str) -> None:
    """What a copy needs itself is not taken for what the function imports."""
    command = [sys.executable, "-c", f"{first}{PROGRAM}"]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["False", "1"]


@TRIED
def test_what_is_done_to_a_module_that_the_call_imports_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whoever imports it next would have the broken one."""
    monkeypatch.delitem(sys.modules, "colorsys", raising=False)

    def breaks(text: str) -> int:
        import colorsys

        colorsys.rgb_to_hsv = None  # type: ignore[assignment]
        return 1

    with pytest.raises(ScoreError, match=r"on the text 'bad', and replaced .* colorsys.rgb_to_hsv"):
        called(breaks, "bad")
    assert callable(sys.modules["colorsys"].__dict__["rgb_to_hsv"])


@TRIED
def test_modules_are_not_compared_after_each_call_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A plan may call a function that fails on some seeds on thousands of them."""
    compared = []

    class Counted(ModuleBindings):
        def __init__(self) -> None:
            compared.append(1)
            super().__init__()

    def fails_on_some(text: str) -> int:
        return 1 // (int(text) % 20)

    for number in range(20, 24):  # no trial of it decides
        with suppress(ScoreError):
            called(fails_on_some, str(number))
    monkeypatch.setattr("limen.harness.stages.side_effects.ModuleBindings", Counted)
    for number in range(1000):
        with suppress(ScoreError):
            called(fails_on_some, str(number))
    assert 1 <= len(compared) < 300


@TRIED
def test_ctrl_c_stops_the_run_while_a_function_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    """A signal from outside interrupts this process, not the function, also if it is caught."""
    monkeypatch.setattr(user_trials, "GRACE", 0.2)
    ended = threading.Event()

    def waits(text: str) -> int:
        ended.wait(30)
        return 1

    def presses() -> None:
        while not ended.wait(0.5):  # one that comes while a callback of Hypothesis runs is lost
            os.kill(os.getpid(), signal.SIGINT)

    pressing = threading.Thread(target=presses)
    with pytest.raises(KeyboardInterrupt):
        pressing.start()
        try:
            called(waits, "one")
        finally:
            ended.set()
            pressing.join()


@TRIED
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGALRM], ids=["Ctrl-C", "a time limit"])
def test_a_signal_while_the_process_is_copied_comes_after_that(
    monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    """Within, its exception would be lost, and leave the lock of all loggers to nobody."""
    copies, fork = list[int](), os.fork

    def interrupted() -> int:
        os.kill(os.getpid(), number)
        copies.append(fork())
        return copies[0]

    def ends(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    def score(text: str) -> int:
        return len(text)

    before = signal.signal(number, ends)
    try:
        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr(os, "fork", interrupted)
            called(score, "one")
        assert signal.getsignal(number) is ends
    finally:
        signal.signal(number, before)
    assert copies[0] > 0
    with pytest.raises(ChildProcessError):
        os.waitpid(copies[0], os.WNOHANG)  # it was ended, and waited for
    assert called(score, "one") == 3
    named = threading.Thread(target=logging.getLogger, args=("any",), daemon=True)
    named.start()
    named.join(timeout=10)
    assert not named.is_alive()
