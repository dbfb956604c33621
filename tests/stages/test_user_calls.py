"""A researcher's function is called within a time limit, wherever it is called."""

import ctypes
import os
import re
import signal
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest

from limen import ScoreError, SpecError
from limen.harness import Judge, Rated
from limen.harness.stages import call_on_text, timeout_from, try_on_texts, user_trials

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


TRIED = pytest.mark.skipif(sys.platform != "linux", reason="a copy of the process is a fork")


def exits(text: str) -> int:
    """Ends the process on one text."""
    if text == "bad":
        os._exit(3)
    return len(text)


@TRIED
@pytest.mark.parametrize(
    ("end", "how"),
    [
        (lambda text: os._exit(3), "exit status 3"),
        (lambda text: os._exit(0), "exit status 0"),
        (lambda text: ctypes.string_at(0), f"signal {signal.SIGSEGV:d}, "),
        (lambda text: os.kill(os.getpid(), signal.SIGKILL), f"signal {signal.SIGKILL:d}, "),
        (lambda text: os.abort(), f"signal {signal.SIGABRT:d}, "),
    ],
    ids=["exit", "exit as if well", "fault", "kill", "abort"],
)
@pytest.mark.parametrize("call", [called, called_in_thread])
def test_a_function_that_ends_the_process_fails_with_its_text(
    call: Caller, end: Callable[[str], object], how: str
) -> None:
    """It ends a copy of the process, and is not called here."""
    message = rf"called on the text 'one', and ended the process \({re.escape(how)}"
    with pytest.raises(ScoreError, match=message):
        call(end, "one")


@TRIED
def test_all_answers_are_tried_at_once() -> None:
    """The error names the text that ends the process, whatever text is asked for next."""
    function = partial(exits)
    assert called(function, "good") == 4
    try_on_texts(function, ["good", "better", "bad", "best"])
    with pytest.raises(ScoreError, match="on the text 'bad', and ended the process"):
        called(function, "good")


@TRIED
def test_a_rate_of_ratings_that_ends_the_process_is_an_error() -> None:
    """So is one that does not end; the ratings are shown."""
    judge = Judge(prompt="{reply}")
    for function, fault in ((lambda said: os._exit(3), "was called"), (sleeps, "did not")):
        rated = Rated(by=judge, rates={"bad": function})  # type: ignore[dict-item]
        with pytest.raises(ScoreError, match=f"{fault}.* on the ratings 'judge: 3'"):
            rated.rated_hit("bad", {"judge": 3.0})


@TRIED
def test_what_a_function_does_in_this_process_is_done_once(
    capfd: pytest.CaptureFixture[str],
) -> None:
    """The copy writes nothing and changes nothing: values and state are those of this process."""
    seen: list[str] = []

    def counts(text: str) -> int:
        seen.append(text)
        print("said")
        os.write(1, b"written\n")
        return len(seen)

    try_on_texts(counts, ["one", "two"])
    assert seen == []
    assert [called(counts, text) for text in ("one", "two", "one")] == [1, 2, 3]
    assert capfd.readouterr().out.split() == ["said", "written"] * 3


@TRIED
def test_a_copy_that_no_timer_can_interrupt_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """As compiled code that computes without an end."""
    monkeypatch.setattr(user_trials, "GRACE", 0.5)

    def deaf(text: str) -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGALRM})
        while True:
            pass

    with pytest.raises(ScoreError, match="on the text 'one', and ended .* did not end within 0.05"):
        called(deaf, "one")


@TRIED
def test_a_function_that_no_timer_can_interrupt_and_waits_is_left_behind(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As compiled code that waits for a connection: a thread waits in its place."""
    monkeypatch.setattr(user_trials, "GRACE", 0.2)

    def deaf(text: str) -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGALRM})
        time.sleep(1000)

    with pytest.raises(ScoreError, match="the function did not end within 0.05 seconds on"):
        called(deaf, "one")


@TRIED
@pytest.mark.parametrize("limit", ["60", "0"])
@pytest.mark.parametrize("call", [called, called_in_thread])
def test_a_function_may_wait_for_another_thread(
    call: Caller, limit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which a copy of the process lacks: the function gives its values all the same."""
    monkeypatch.setenv("LIMEN_FUNCTION_TIMEOUT", limit)
    monkeypatch.setattr(user_trials, "GRACE", 0.2)
    with ThreadPoolExecutor(1) as pool:
        pool.submit(int).result()  # its thread runs

        def asks(text: str) -> int:
            return pool.submit(len, text).result()

        try_on_texts(asks, ["three", "four"])
        assert [call(asks, text) for text in ("three", "four")] == [5, 4]


@TRIED
def test_a_function_whose_trial_was_given_up_is_tried_no_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """However many texts follow: each trial would wait once more."""
    monkeypatch.setenv("LIMEN_FUNCTION_TIMEOUT", "60")
    monkeypatch.setattr(user_trials, "GRACE", 0.2)
    trials: list[int] = []
    fork = os.fork

    def counted() -> int:
        trials.append(1)
        return fork()

    monkeypatch.setattr(os, "fork", counted)
    with ThreadPoolExecutor(1) as pool:
        pool.submit(int).result()

        def asks(text: str) -> int:
            return pool.submit(len, text).result()

        assert [called(asks, "a" * n) for n in range(9)] == list(range(9))
    assert len(trials) == 1


def child_processes() -> set[str]:
    """Those of this process, whoever started them."""
    files = Path("/proc/self/task").glob("*/children")
    return {child for file in files for child in file.read_text().split()}


@TRIED
def test_few_copies_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many functions there are; those that are ended are waited for."""
    monkeypatch.setattr(user_trials, "COPIES", 2)
    functions = [lambda text, more=more: len(text) + more for more in range(5)]
    before = child_processes()
    assert [called(function, "one") for function in functions] == [3, 4, 5, 6, 7]
    assert len(child_processes() - before) <= 2
