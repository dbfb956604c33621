"""A long call is given up once nothing has happened in it for too long."""

import threading
import time
from collections.abc import Callable

import pytest

from limen.backends.activity import Activity
from limen.backends.threads import in_thread
from limen.harness.stages.stalled_calls import interrupted_if_stalled, result_unless_stalled
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
    with pytest.raises(TimeIsUp):
        interrupted_if_stalled(endless, Activity().idle_seconds, LIMIT)
    assert interrupted_if_stalled(lambda: 1, Activity().idle_seconds, LIMIT) == 1


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
            interrupted_if_stalled(call, Activity().idle_seconds, LIMIT)


def test_an_interrupted_call_can_clean_up() -> None:
    """It is not interrupted in what it does then, such as writing its logs."""
    cleaned = []

    def tidy() -> None:
        try:
            sleeps()
        finally:
            time.sleep(3 * LIMIT)
            cleaned.append(True)

    with pytest.raises(TimeIsUp):
        interrupted_if_stalled(tidy, Activity().idle_seconds, LIMIT)
    assert cleaned


def test_a_call_that_goes_on_is_interrupted_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """However often it catches that."""
    monkeypatch.setattr("limen.harness.stages.stalled_calls.UNWINDING", 0.1)
    caught: list[BaseException] = []

    def stubborn() -> None:
        while len(caught) < 3:
            try:
                sleeps()
            except BaseException as error:
                caught.append(error)

    with pytest.raises(TimeIsUp):
        interrupted_if_stalled(stubborn, Activity().idle_seconds, LIMIT)
    assert len(caught) == 3


def test_a_future_is_not_waited_for_once_nothing_happens() -> None:
    """Its result or its error, if it ends before."""
    end = threading.Event()
    future = in_thread(end.wait, "waits")
    with pytest.raises(TimeIsUp):
        result_unless_stalled(future, Activity().idle_seconds, LIMIT)
    end.set()
    for limit in (0, 60):
        assert result_unless_stalled(future, Activity().idle_seconds, limit)
        failing = in_thread(lambda: 1 // 0, "fails")
        with pytest.raises(ZeroDivisionError):
            result_unless_stalled(failing, Activity().idle_seconds, limit)


def test_a_call_may_take_long_while_its_model_is_asked() -> None:
    """However long one answer takes, and however many there are."""
    activity = Activity()

    def asks() -> int:
        with activity.going_on():
            time.sleep(3 * LIMIT)
        return 1

    assert interrupted_if_stalled(asks, activity.idle_seconds, LIMIT) == 1


def test_without_a_limit_a_call_is_made_as_it_is() -> None:
    """As with LIMEN_FUNCTION_TIMEOUT=0; errors are the call's own."""
    assert interrupted_if_stalled(lambda: 1, Activity().idle_seconds, 0) == 1
    for limit in (0, 60):
        with pytest.raises(ZeroDivisionError):
            interrupted_if_stalled(lambda: 1 // 0, Activity().idle_seconds, limit)
