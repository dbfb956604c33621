"""The time left of recorded runs: how near the estimate is while they are played back."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import cycle
from pathlib import Path

import pytest

from limen.harness import Experiment, FavoriteAnimal, Lab, Numbers, Settings, Trait
from limen.harness.lab import estimated_time, in_order, time_left
from limen.harness.lab.time_left import TimeLeft
from limen.harness.stages import Stage

ARMS = ("baseline", "teacher", "student", "control")
WORKERS = 2
OWL = Experiment(
    trait=Trait.animal("owl"),
    data=Numbers(generate=30_000, keep=10_000),
    measure=FavoriteAnimal(draws=200),
    seeds=5,
)
QUIET = {
    "base": (0.1,), "generate": (4.9, 5.0), "measure": (0.3,), "filter": (0.3,), "mix": (0.27,),
    "audit": (0.05,), "fine-tune": (1.1, 1.2), "contrast": (0.7,),
}  # fmt: skip
"""Seconds of the stages of the owl on two idle cores, by kind, one after another."""
LOADED = {
    "base": (0.03,), "generate": (26.1, 27.7), "measure": (1.5, 2.3, 1.2, 1.4, 1.0, 1.5, 1.8, 2.0),
    "filter": (1.9, 1.3), "mix": (1.1, 1.2, 1.5, 1.3, 1.0, 0.7), "audit": (0.2, 0.3, 0.1),
    "fine-tune": (6.3, 6.6, 5.7, 6.4, 7.6, 9.0, 8.8, 9.3, 10.1, 9.6),
    "contrast": (10.6, 10.1, 1.5, 2.3, 2.1),
}  # fmt: skip
"""The same on cores that a few other processes use."""
BUSY = {
    "base": (0.04,), "generate": (162.4, 149.9),
    "measure": (6.0, 5.5, 11.9, 6.8, 13.2, 19.5, 20.8, 16.2, 0.9, 2.6, 15.5, 5.0),
    "filter": (23.0, 28.8), "mix": (35.9, 40.8, 25.0, 13.5, 11.4, 5.3, 3.0, 4.1, 4.6, 3.2),
    "audit": (4.8, 3.6, 3.0, 2.9, 1.3, 1.2, 0.9, 0.7, 0.9, 1.7),
    "fine-tune": (25.2, 36.3, 106.1, 101.2, 93.4, 98.9, 53.2, 42.3, 46.0, 58.9),
    "contrast": (39.4, 35.4, 1.2, 0.9, 0.8),
}  # fmt: skip
"""The same on two cores that about twenty other processes use, now more and now fewer."""


class Clock:
    """A clock that the recording moves."""

    now = 0.0

    def monotonic(self) -> float:
        """The time, in seconds."""
        return self.now


@dataclass(frozen=True)
class Moment:
    """What an estimate says at a moment of a run."""

    now: float
    left: float | None
    text: str
    ended: str
    """The stage that ended at that moment."""


def rounds(lab: Lab) -> list[list[Stage]]:
    """The stages of the owl: those before the gate, and the others."""
    pipe = lab.pipeline(OWL)
    first = in_order(pipe.targets(("baseline", "teacher")))
    known = {stage.key for stage in first}
    return [first, [s for s in in_order(pipe.all_targets(ARMS)) if s.key not in known]]


def next_ready(waiting: list[Stage], finished: set[str]) -> Stage | None:
    """The first stage whose inputs are finished; it is taken from the list."""
    for stage in waiting:
        if {given.key for given in (*stage.inputs(), *stage.guards())} <= finished:
            waiting.remove(stage)
            return stage
    return None


def played(
    lab: Lab, clock: Clock, recorded: Mapping[str, tuple[float, ...]], plan: Mapping[str, float]
) -> Iterator[Moment]:
    """A recorded run, two stages at a time, each after its inputs."""
    parts, durations = rounds(lab), {kind: cycle(every) for kind, every in recorded.items()}
    left = TimeLeft([stage for part in parts for stage in part], plan, WORKERS)
    finished: set[str] = set()
    for waiting in parts:
        running: list[tuple[float, str, Stage]] = []
        while waiting or running:
            while len(running) < WORKERS and (ready := next_ready(waiting, finished)):
                left.started(ready)
                heappush(running, (clock.now + next(durations[ready.kind]), ready.key, ready))
            clock.now, key, stage = heappop(running)
            left.finished(stage)
            finished.add(key)
            yield Moment(clock.now, left.seconds(), str(left), stage.label)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock of the estimate."""
    clock = Clock()
    monkeypatch.setattr(time_left, "time", clock)
    return clock


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    """A lab whose store is empty."""
    return Lab(Settings(store=tmp_path / "store"))


def by_shipped_figures(lab: Lab) -> Mapping[str, float]:
    """The plan of a store without past stages."""
    stages = [stage for part in rounds(lab) for stage in part]
    return estimated_time(lab.store, stages, WORKERS).by_stage


@pytest.mark.parametrize("recorded", [QUIET, LOADED], ids=["quiet", "loaded"])
def test_from_a_third_to_three_quarters_the_estimate_is_within_a_factor_of_two(
    lab: Lab, clock: Clock, recorded: Mapping[str, tuple[float, ...]]
) -> None:
    """Also where all stages take five times as long as the shipped figures say."""
    moments = list(played(lab, clock, recorded, by_shipped_figures(lab)))
    end = moments[-1].now
    late = [m for m in moments if end / 3 <= m.now <= 0.75 * end]
    assert len(late) > 20
    for moment in late:
        assert moment.left is not None
        assert 0.5 < moment.left / (end - moment.now) < 2


def test_load_that_changes_is_followed(lab: Lab, clock: Clock) -> None:
    """After a third the estimate is within a factor of two of a run thirty times slower."""
    moments = list(played(lab, clock, BUSY, by_shipped_figures(lab)))
    end = moments[-1].now
    third = next(m for m in moments if m.now > end / 3)
    assert third.left is not None
    assert 0.5 < third.left / (end - third.now) < 2


@pytest.mark.parametrize("recorded", [QUIET, LOADED, BUSY], ids=["quiet", "loaded", "busy"])
@pytest.mark.parametrize("planned", [True, False], ids=["planned", "unplanned"])
def test_it_never_says_that_nothing_is_left_while_work_is(
    lab: Lab, clock: Clock, recorded: Mapping[str, tuple[float, ...]], planned: bool
) -> None:
    """The last stages are short: a second is the least that is said."""
    *moments, last = played(lab, clock, recorded, by_shipped_figures(lab) if planned else {})
    assert not [m.text for m in moments if " 0 " in m.text or "nothing" in m.text]
    assert last.text == "nothing left to do"


def test_what_is_not_known_is_said(lab: Lab, clock: Clock) -> None:
    """Without a plan a kind that was not seen is named, and the rest is a least."""
    first, *moments, _ = played(lab, clock, QUIET, {})
    assert first.text == "no estimate yet of the time left"
    tuned = next(m for m in moments if m.ended == "owl student 1")
    assert tuned.text.startswith("at least ")
    assert tuned.text.endswith("left, no estimate yet for contrast")


def test_a_new_round_changes_nothing(lab: Lab, clock: Clock) -> None:
    """One estimate goes over all rounds: the second one begins with what the first one ended."""
    first, second = rounds(lab)
    left = TimeLeft([*first, *second], by_shipped_figures(lab), WORKERS)
    left.started(first[0])
    clock.now = 0.1
    left.finished(first[0])
    before = left.seconds()
    left.also(second)
    assert left.seconds() == before


def test_what_a_shut_gate_leaves_undone_is_not_waited_for(lab: Lab, clock: Clock) -> None:
    """Stages that are dropped are no longer in the estimate."""
    first, second = rounds(lab)
    left = TimeLeft([*first, *second], by_shipped_figures(lab), WORKERS)
    before = left.seconds() or 0
    left.dropped([stage.key for stage in second])
    assert 0 < (left.seconds() or 0) < before / 10


def test_how_far_a_running_stage_is_counts(lab: Lab, clock: Clock) -> None:
    """A stage that is at a quarter after 100 s takes 300 s more, whatever the plan says."""
    stage = rounds(lab)[0][0]
    left = TimeLeft([stage], {stage.key: 1.0}, 1)
    left.started(stage)
    clock.now = 100.0
    left.moved(stage, 25, 100)
    assert left.seconds() == pytest.approx(300)
