"""How long the rest of a run will take, by the stages of it that are finished."""

import time
from collections import defaultdict
from collections.abc import Sequence

from ..stages import Stage

KNOWN_SHARE = 0.5
"""The share of the stages to do whose kind must have been seen before a time is told."""


class TimeLeft:
    """Estimates the time left from the mean duration of finished stages, kind by kind.

    Stages run side by side: the sum of their durations is divided by how many ran at a time so far.
    """

    def __init__(self, stages: Sequence[Stage]) -> None:
        self._left = {stage.key: stage.kind for stage in stages}
        self._began: dict[str, float] = {}
        self._seconds: defaultdict[str, list[float]] = defaultdict(list)
        self._start = time.monotonic()

    def started(self, stage: Stage) -> None:
        """A stage has begun."""
        self._began.setdefault(stage.key, time.monotonic())

    def finished(self, stage: Stage) -> float | None:
        """A stage has ended; returns its seconds, or None if it never began."""
        self._left.pop(stage.key, None)
        if stage.key not in self._began:
            return None
        took = time.monotonic() - self._began[stage.key]
        self._seconds[stage.kind].append(took)
        return took

    def seconds(self) -> float | None:
        """Seconds left; None as long as too little is known."""
        known = [kind for kind in self._left.values() if kind in self._seconds]
        if len(known) < KNOWN_SHARE * len(self._left) or not known:
            return None
        means = {kind: sum(every) / len(every) for kind, every in self._seconds.items()}
        work = sum(means[kind] for kind in known) * len(self._left) / len(known)
        return work / self._side_by_side()

    def _side_by_side(self) -> float:
        """How many stages ran at a time on average, 1 or more."""
        done = sum(sum(every) for every in self._seconds.values())
        return max(1.0, done / max(time.monotonic() - self._start, 1e-9))

    def __str__(self) -> str:
        """In words."""
        seconds = self.seconds()
        if seconds is None:
            return "time left not known yet"
        return (
            f"about {seconds:.0f} s left" if seconds < 120 else f"about {seconds / 60:.0f} min left"
        )
