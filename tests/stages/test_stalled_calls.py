"""A long call is given up once nothing has happened in it for too long."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from limen.backends.activity import Activity
from limen.harness.stages.stalled_calls import StalledCalls, StillRunningError
from limen.harness.stages.time_limits import TimeIsUp

LIMIT = 0.3


def spins() -> None:
    """Computes without an end."""
    while True:
        pass


def sleeps() -> None:
    """Waits without an end."""
    threading.Event().wait()


@pytest.mark.parametrize("endless", [spins, sleeps])
def test_a_call_of_the_main_thread_is_interrupted(endless: Callable[[], None]) -> None:
    """The next call can be made."""
    calls = StalledCalls()
    with pytest.raises(TimeIsUp):
        calls.call(endless, Activity().idle_seconds, LIMIT)
    assert calls.call(lambda: 1, Activity().idle_seconds, LIMIT) == 1


def test_an_interruption_that_was_caught_counts() -> None:
    """Whatever the call makes of it: another error, a group of errors, or a result."""

    def another() -> None:
        try:
            sleeps()
        except BaseException as error:
            raise BaseExceptionGroup("tasks", [error]) from None

    def result() -> int:
        try:
            sleeps()
        except BaseException:
            return 1
        return 2

    for call in (another, result):
        with pytest.raises(TimeIsUp):
            StalledCalls().call(call, Activity().idle_seconds, LIMIT)


def test_a_call_of_another_thread_is_left_behind() -> None:
    """Further ones are refused until it has ended."""
    calls, end = StalledCalls(), threading.Event()
    with ThreadPoolExecutor(1) as pool:
        stalled = pool.submit(calls.call, end.wait, Activity().idle_seconds, LIMIT)
        assert isinstance(stalled.exception(), TimeIsUp)
        with pytest.raises(StillRunningError):
            calls.call(lambda: 1, Activity().idle_seconds, LIMIT)
        left = calls._left_behind
        end.set()
        assert left is not None
        assert left.result()
        assert calls.call(lambda: 1, Activity().idle_seconds, LIMIT) == 1


def test_a_call_may_take_long_while_its_model_is_asked() -> None:
    """However long one answer takes, and however many there are."""
    activity = Activity()

    def asks() -> int:
        with activity.asking():
            time.sleep(3 * LIMIT)
        return 1

    assert StalledCalls().call(asks, activity.idle_seconds, LIMIT) == 1


def test_without_a_limit_a_call_is_made_as_it_is() -> None:
    """As with LIMEN_FUNCTION_TIMEOUT=0; errors are the call's own."""
    assert StalledCalls().call(lambda: 1, Activity().idle_seconds, 0) == 1
    for limit in (0, 60):
        with pytest.raises(ZeroDivisionError):
            StalledCalls().call(lambda: 1 // 0, Activity().idle_seconds, limit)
