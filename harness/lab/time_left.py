"""How long the rest of a run will take: the plan's estimate, corrected by what is observed."""

import math
import time
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from ..stages import Stage
from .durations import longest_chain

PLAN_WEIGHT = 0.03
"""How much the plan's own level counts against the stages seen, as a share of the whole work."""
START_WEIGHT = 0.2
"""How long the plan's number of stages at a time counts, as a share of the whole time."""
OVERDUE = 0.25
"""The share of its time so far that a stage is taken to need yet when its estimate is over."""
REFRESH = 1.0
"""Seconds for which an estimate is kept."""


@dataclass
class _Kind:
    """The finished stages of one kind: how many, what the plan gave them, and what they took."""

    count: int = 0
    expected: float = 0.0
    """Of those that the plan knew."""
    took: float = 0.0
    """Of those that the plan knew."""
    all_took: float = 0.0


@dataclass
class TimeLeft:
    """The time left of a run, over all its rounds.

    A stage's time is the plan's, times how much longer stages of its kind took than planned; for a
    kind not seen yet, than planned on the whole. Without a plan it is the mean of its kind. Stages
    run side by side: the sum is divided by how many ran at a time so far, and the longest chain of
    stages that wait for each other is the least that is left.
    """

    stages: Sequence[Stage] = ()
    expected: Mapping[str, float] = field(default_factory=dict)
    """Seconds of each stage by itself, by key, where the plan knows them."""
    workers: float = 1.0
    """Stages side by side, as planned."""

    def __post_init__(self) -> None:
        self._left = {stage.key: stage for stage in self.stages}
        self._work = sum(self.expected.get(key, 0.0) for key in self._left)
        self._began: dict[str, float] = {}
        self._shares: dict[str, float] = {}
        self._seen: defaultdict[str, _Kind] = defaultdict(_Kind)
        self._start = time.monotonic()
        self._kept: tuple[float, str] = (-math.inf, "")
        self.shown: float | None = None
        """The seconds behind the latest words; None if those had none."""

    def also(self, stages: Sequence[Stage]) -> None:
        """A round has these stages, too."""
        self._left.update({stage.key: stage for stage in stages})

    def dropped(self, keys: Collection[str]) -> None:
        """These stages will not be done."""
        for key in keys:
            self._left.pop(key, None)

    def started(self, stage: Stage) -> None:
        """A stage has begun."""
        self._began.setdefault(stage.key, time.monotonic())

    def moved(self, stage: Stage, done: int, total: int) -> None:
        """A running stage has done this much of its total."""
        if total:
            self._shares[stage.key] = min(done / total, 1.0)

    def finished(self, stage: Stage, *, failed: bool = False) -> float | None:
        """A stage has ended; returns its seconds, or None if it never began."""
        self._left.pop(stage.key, None)
        self._kept = (-math.inf, "")
        if stage.key not in self._began:
            return None
        took = time.monotonic() - self._began.pop(stage.key)
        if not failed:
            self._learn(stage, took)
        return took

    def _learn(self, stage: Stage, took: float) -> None:
        seen, expected = self._seen[stage.kind], self.expected.get(stage.key)
        seen.count += 1
        seen.all_took += took
        if expected:
            seen.expected += expected
            seen.took += took

    def seconds(self) -> float | None:
        """Seconds left of the stages whose time can be told; None if there are none."""
        ratio = self._ratio()
        each = {key: self._rest(stage, ratio) for key, stage in self._left.items()}
        known = {key: rest for key, rest in each.items() if rest is not None}
        if not known and self._left:
            return None
        return max(
            sum(known.values()) / self._at_a_time(), longest_chain(self._left.values(), known)
        )

    def unknown(self) -> list[str]:
        """The kinds of the stages left of which nothing is known yet."""
        kinds = (
            stage.kind
            for key, stage in self._left.items()
            if key not in self.expected and stage.kind not in self._seen
        )
        return sorted(set(kinds))

    def _ratio(self) -> float:
        """How much longer than planned stages took: the geometric mean, weighted by their plan.

        One short stage with a wrong plan, such as a model that has to be made, hardly counts.
        """
        known = [seen for seen in self._seen.values() if seen.expected and seen.took > 0]
        logs = sum(seen.expected * math.log(seen.took / seen.expected) for seen in known)
        weight = sum(seen.expected for seen in known) + PLAN_WEIGHT * self._work
        return math.exp(logs / weight) if weight else 1.0

    def _rest(self, stage: Stage, ratio: float) -> float | None:
        """Seconds that a stage needs yet; None if nothing is known of it."""
        whole = self._whole(stage, ratio)
        if stage.key not in self._began:
            return whole
        so_far, share = time.monotonic() - self._began[stage.key], self._shares.get(stage.key, 0.0)
        if share > 0.1:
            return so_far * (1 / share - 1)
        return None if whole is None else max(whole - so_far, OVERDUE * so_far)

    def _whole(self, stage: Stage, ratio: float) -> float | None:
        expected, seen = self.expected.get(stage.key), self._seen.get(stage.kind)
        if expected and seen and seen.expected:
            one = seen.expected / seen.count  # the plan counts as one stage
            return expected * (seen.took + one * ratio) / (seen.expected + one)
        if expected is not None:
            return expected * ratio
        return seen.all_took / seen.count if seen else None

    def _at_a_time(self) -> float:
        """How many stages run at a time on average, 1 or more."""
        now = time.monotonic()
        busy = sum(seen.all_took for seen in self._seen.values())
        busy += sum(now - began for began in self._began.values())
        planned = START_WEIGHT * self._work / self.workers
        elapsed = now - self._start + planned
        return max(1.0, (busy + planned * self.workers) / max(elapsed, 1e-9))

    def __str__(self) -> str:
        """In words."""
        now, (at, text) = time.monotonic(), self._kept
        if not text or now - at >= REFRESH:
            self._kept = (now, self._in_words())
        return self._kept[1]

    def _in_words(self) -> str:
        seconds, unknown = self.seconds(), self.unknown()
        self.shown = seconds
        if seconds is None:
            return "no estimate yet of the time left"
        amount = in_words(max(1.0, seconds))
        if unknown:
            return f"at least {amount} left, no estimate yet for {', '.join(unknown)}"
        return f"about {amount} left" if self._left else "nothing left to do"


def in_words(seconds: float) -> str:
    """A time in seconds or, from two minutes on, in minutes."""
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
