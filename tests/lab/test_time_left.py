"""The time that a run has left, by the stages of it that are finished."""

import pytest

from limen.harness.lab import progress, time_left
from limen.harness.lab.durations import TimeEstimate
from limen.harness.lab.progress import ProgressLines
from limen.harness.lab.time_left import TimeLeft
from limen.harness.stages import Base


class Clock:
    """A clock that a test moves."""

    now = 0.0

    def monotonic(self) -> float:
        """The time, in seconds."""
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock of progress and estimates."""
    clock = Clock()
    monkeypatch.setattr(time_left, "time", clock)
    monkeypatch.setattr(progress, "time", clock)
    return clock


def bases(count: int) -> list[Base]:
    """Stages of one kind."""
    return [
        Base(label=f"base {n}", backend="toy", model=f"toy-{n}", fingerprint="f")
        for n in range(count)
    ]


def test_nothing_is_claimed_before_a_stage_has_ended(clock: Clock) -> None:
    """Without a finished stage of a kind its time is not known, and that is what is said."""
    assert str(TimeLeft(bases(3))) == "no estimate yet of the time left"


def test_the_estimate_is_the_mean_of_a_kind_times_what_is_left(clock: Clock) -> None:
    """Stages one after another, 10 s each: three left are 30 s."""
    stages = bases(4)
    left = TimeLeft(stages)
    left.started(stages[0])
    clock.now = 10.0
    left.finished(stages[0])
    assert left.seconds() == pytest.approx(30)
    assert str(left) == "about 30 s left"


def test_stages_side_by_side_take_less(clock: Clock) -> None:
    """Two at a time, 10 s each: four left are 20 s."""
    stages = bases(6)
    left = TimeLeft(stages)
    for stage in stages[:2]:
        left.started(stage)
    clock.now = 10.0
    for stage in stages[:2]:
        left.finished(stage)
    assert left.seconds() == pytest.approx(20)


def test_a_silence_is_broken_by_a_line(clock: Clock) -> None:
    """A stage that runs long without a note has a line with its share, every few seconds."""
    lines: list[str] = []
    shown, (stage, *_) = ProgressLines(lines.append), bases(2)
    shown.begin(bases(2))
    shown.started(stage)
    for clock.now in (1.0, 4.5, 5.0, 9.0):
        shown.moved(stage, int(clock.now), 10, "")
    assert lines[1:] == [
        "limen: base base 0 at 40%; at least 7 s left, no estimate yet for base",
        "limen: base base 0 at 90%; at least 1 s left, no estimate yet for base",
    ]


def test_a_line_without_news_is_a_sign_of_life_and_rare(clock: Clock) -> None:
    """Between two lines that say the same, half a minute passes; the second says how long it ran."""
    lines: list[str] = []
    shown, (stage, other) = ProgressLines(lines.append), bases(2)
    shown.begin([stage, other])
    shown.started(stage)
    shown.started(other)
    for second in range(1, 40):
        clock.now = float(second)
        shown.moved(stage, 1, 10**6, "")
        shown.running(stage)
        shown.running(other)
    said = "no estimate yet of the time left"
    assert lines[1:] == [
        f"limen: base base 0 at 0%; {said}",
        f"limen: base base 1; {said}",
        f"limen: base base 0 at 0%; {said} (running for 38 s)",
    ]


def test_a_note_is_not_said_twice(clock: Clock) -> None:
    """A stage that stands still says what it has once; what follows is how long is left."""
    lines: list[str] = []
    shown, (stage, *_) = ProgressLines(lines.append), bases(2)
    shown.begin([stage])
    shown.started(stage)
    for second in range(1, 30):
        clock.now = float(second)
        shown.moved(stage, 0, 10, "the job is queued")
    assert lines[1:] == [
        "limen: base 0: 0 of 10: the job is queued",
        "limen: base base 0 at 0%; no estimate yet of the time left",
    ]


def test_a_time_left_that_grows_is_no_news(clock: Clock) -> None:
    """A stage that takes longer than planned is not reported every few seconds."""
    lines: list[str] = []
    shown, (stage, *_) = ProgressLines(lines.append), bases(1)
    planned = TimeEstimate(
        seconds=1.0, unknown=frozenset(), basis="", by_stage={stage.key: 1.0}, at_a_time=1.0
    )
    shown.planned([stage], lambda: planned)
    shown.begin([stage])
    shown.started(stage)
    for second in range(1, 38):
        clock.now = float(second)
        shown.running(stage)
    assert [line.partition(";")[0] for line in lines[1:]] == ["limen: base base 0"] * 2
    assert lines[-1].endswith("(running for 34 s)")
