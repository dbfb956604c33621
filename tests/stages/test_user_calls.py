"""A researcher's function is called within a time limit, wherever it is called."""

import re
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial

import pytest

from limen import ScoreError, SpecError
from limen.harness.stages import call_on_text, timeout_from

Caller = Callable[[Callable[[str], object], str], object]


def called(function: Callable[[str], object], text: str) -> object:
    """Call a function as a measure does."""
    return call_on_text(function, text, name="the function", what="the text", error=ScoreError)


def called_in_thread(function: Callable[[str], object], text: str) -> object:
    """The same in a thread that is not the main one, where no timer can interrupt it."""
    results: list[object] = []

    def work() -> None:
        try:
            results.append(called(function, text))
        except BaseException as error:
            results.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    if isinstance(results[0], BaseException):
        raise results[0]
    return results[0]


def sleeps(text: str) -> None:
    """A function that does not end, and catches what it can."""
    while True:
        with suppress(Exception):
            time.sleep(1000)


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """A time limit that a test can wait for."""
    monkeypatch.setenv("LIMEN_FUNCTION_TIMEOUT", "0.05")


@pytest.mark.parametrize("call", [called, called_in_thread])
def test_a_function_that_does_not_end_fails_with_its_text(call: Caller) -> None:
    """The error shows the text and the limit; the function is not called with another text."""
    texts: list[str] = []

    def waits(text: str) -> None:
        texts.append(text)
        sleeps(text)

    for text in ("one", "two"):
        with pytest.raises(ScoreError, match="did not end within 0.05 seconds on the text 'one'"):
            call(waits, text)
    assert texts == ["one"]


def test_loops_and_regular_expressions_are_stopped() -> None:
    """What computes without an end is stopped, and leaves no timer behind."""

    def loops(text: str) -> None:
        while True:
            pass

    for endless in (loops, lambda text: re.fullmatch("(a|aa)+", "a" * 80 + "b")):
        with pytest.raises(ScoreError, match="did not end"):
            called(endless, "one")
    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)


def test_a_function_that_catches_everything_has_no_result() -> None:
    """What is returned after the time limit does not count."""

    def late(text: str) -> int:
        with suppress(BaseException):
            time.sleep(1000)
        return 1

    with pytest.raises(ScoreError, match="did not end"):
        called(late, "one")


def test_another_timer_is_left_alone() -> None:
    """Where a timer is in use, such as pytest-timeout's, the function is waited for in a thread."""
    signal.setitimer(signal.ITIMER_REAL, 100)
    try:
        with pytest.raises(ScoreError, match="did not end"):
            called(partial(sleeps), "one")
        assert signal.getitimer(signal.ITIMER_REAL)[0] > 50
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


@pytest.mark.parametrize("limit", ["0", "60", ""])
@pytest.mark.parametrize("call", [called, called_in_thread])
def test_a_function_that_ends_gives_its_result(
    call: Caller, limit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A function in time, or without a limit, is called as it is."""
    monkeypatch.setenv("LIMEN_FUNCTION_TIMEOUT", limit)
    assert call(len, "four") == 4


def test_timeouts_are_seconds() -> None:
    """Anything else is refused with its source; 60 seconds unless given."""
    assert (timeout_from("2.5", "x"), timeout_from(None, "x")) == (2.5, 60)
    for text in ("-1", "nan", "inf", "soon"):
        with pytest.raises(SpecError, match=f"OPTION='{text}' must be seconds"):
            timeout_from(text, "OPTION")
