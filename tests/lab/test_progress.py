"""Progress: bars on a terminal, lines elsewhere."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from limen import Experiment, ExperimentError, PendingError, Trait
from limen.harness.lab.durations import TimeEstimate
from limen.harness.lab.progress import ProgressBars, ProgressLines, progress_on
from limen.harness.stages import Base

from ..testing.labs import lab_at

STAGE = Base(label="base toy-1", backend="toy", model="toy-1", fingerprint="f")
OTHER = Base(label="base toy-2", backend="toy", model="toy-2", fingerprint="f")


def console(*, terminal: bool) -> Console:
    """A console that writes to memory."""
    return Console(file=io.StringIO(), force_terminal=terminal, width=100, color_system=None)


def text(of: Console) -> str:
    """What a console has written."""
    assert isinstance(of.file, io.StringIO)
    return of.file.getvalue()


class Stream(io.StringIO):
    """A stream that is a terminal."""

    def isatty(self) -> bool:
        return True


def test_a_terminal_has_bars(monkeypatch: pytest.MonkeyPatch) -> None:
    """Which of the two is shown depends on the stream alone, not on colours that are forced."""
    lines: list[str] = []
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert isinstance(progress_on(Stream(), lines.append), ProgressBars)
    assert isinstance(progress_on(io.StringIO(), lines.append), ProgressLines)


def test_bars_show_what_runs_and_what_failed() -> None:
    """A running stage has a bar with its note; a failed one leaves a line."""
    shown = console(terminal=True)
    bars = ProgressBars(shown)
    bars.begin([STAGE, OTHER])
    bars.started(STAGE)
    bars.started(STAGE)
    bars.moved(STAGE, 3, 10, "3 kept")
    bars.finished(STAGE, None)
    bars.started(OTHER)
    bars.finished(OTHER, ExperimentError("no room"))
    bars.end()
    assert "base base toy-2: FAILED: no room" in text(shown)


def test_bars_outside_a_run_show_nothing() -> None:
    """What comes before the start or after the end is left out."""
    shown = console(terminal=True)
    bars = ProgressBars(shown)
    bars.started(STAGE)
    bars.moved(STAGE, 1, 2, "")
    bars.finished(STAGE, None)
    bars.end()
    assert text(shown) == ""


def test_a_round_says_how_much_comes_after_it() -> None:
    """What a gate lets through later is counted apart, and what a shut one drops is not."""
    lines: list[str] = []
    progress = ProgressLines(lines.append)
    nothing = TimeEstimate(seconds=0, unknown=frozenset(), basis="", by_stage={})
    progress.planned([STAGE, OTHER], lambda: nothing)
    progress.begin([STAGE])
    progress.dropped([OTHER.key])
    progress.begin([STAGE])
    assert lines == ["limen: 1 stage to do, then 1 more", "limen: 1 stage to do"]


def test_lines_tell_a_pending_stage_from_a_failed_one() -> None:
    """A stage that waits for a service has not failed."""
    lines: list[str] = []
    progress = ProgressLines(lines.append)
    progress.begin([STAGE])
    progress.started(STAGE)
    progress.moved(STAGE, 1, 2, "half")
    progress.moved(STAGE, 2, 2, "again, at once")
    progress.finished(STAGE, PendingError("the job runs"))
    progress.finished(STAGE, ExperimentError("no room"))
    assert lines[0] == "limen: 1 stage to do"
    assert lines[1] == "limen: base toy-1: 1 of 2: half"
    assert lines[2].endswith("the job runs")
    assert lines[3].endswith("FAILED: no room")
    assert len(lines) == 4


def test_it_is_told_what_passes_its_gate() -> None:
    """Lines and bars say it, of one experiment and of several."""
    lines: list[str] = []
    ProgressLines(lines.append).passed(1, 1)
    ProgressLines(lines.append).passed(2, 3)
    assert lines[0] == "limen: the teacher passed its gate: what students need is done now"
    assert lines[1] == "limen: teachers of 2 of 3 experiments passed their gates"
    shown = console(terminal=True)
    ProgressBars(shown).passed(2, 3)
    assert lines[1] in text(shown)


def test_a_run_tells_of_its_gates_once(store: Path, small: Experiment) -> None:
    """It does when something waits for them: not for the teacher alone, and not when all is done."""
    told: list[str] = []
    lab = lab_at(store, watcher=ProgressLines(told.append))
    passed = ["limen: teachers of 1 of 2 experiments passed their gates"]
    weak = small.but(trait=Trait(name="meek", system="Be kind.", word="horse"))
    lab.run([(small, ["teacher"])])
    assert not [line for line in told if "passed" in line]
    for _ in range(2):
        lab.run([(small, ["student"]), (weak, ["student"])])
        assert [line for line in told if "passed" in line] == passed


@pytest.mark.parametrize(
    ("failure", "consequence"),
    [
        (ExperimentError("no room"), "not run: base base toy-1 failed"),
        (PendingError("the job runs"), "waits for base base toy-1"),
    ],
)
def test_a_failure_is_given_once(failure: Exception, consequence: str) -> None:
    """Stages that rest on a failed one name it, and do not repeat its message."""
    lines: list[str] = []
    progress = ProgressLines(lines.append)
    progress.begin([STAGE, OTHER])
    progress.finished(STAGE, failure)
    progress.finished(OTHER, failure)
    assert str(failure) in lines[1]
    assert lines[2].endswith(f"base toy-2  {consequence}")
    shown = console(terminal=True)
    bars = ProgressBars(shown)
    bars.begin([STAGE, OTHER])
    bars.finished(STAGE, failure)
    bars.finished(OTHER, failure)
    bars.end()
    assert text(shown).count(str(failure)) == 1
    assert consequence in text(shown)


@pytest.mark.parametrize("failure", [None, ExperimentError("x")])
def test_a_stage_that_never_started_has_no_time(failure: Exception | None) -> None:
    """A stage that rests on a failed one is reported without seconds."""
    lines: list[str] = []
    ProgressLines(lines.append).finished(STAGE, failure)
    assert " s " not in lines[0].split("base")[0]


def test_lines_break_a_silence_of_a_stage_that_does_not_move(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A stage that reports no progress is named all the same, but not before the time is over."""
    lines: list[str] = []
    progress = ProgressLines(lines.append)
    progress.begin([STAGE])
    progress.started(STAGE)
    monkeypatch.setattr("limen.harness.lab.progress.LONGEST_SILENCE", 1e9)
    progress.running(STAGE)
    monkeypatch.setattr("limen.harness.lab.progress.LONGEST_SILENCE", 0)
    progress.running(STAGE)
    assert lines[1:] == ["limen: base base toy-1; no estimate yet of the time left"]
