"""The progress of a run: a live bar on a terminal, plain lines elsewhere."""

import sys
import time
from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING, TextIO

from ...datasets.errors import PendingError
from ...datasets.visible import visible, visible_line
from ..stages import Stage
from .durations import TimeEstimate
from .time_left import TimeLeft, in_words

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress, TaskID

NOTE_INTERVAL = 5.0
"""Seconds between the notes of one stage where there is no live bar."""
LONGEST_SILENCE = 4.0
"""Seconds without a line after which the progress of a running stage is one, if it is new."""
SIGN_OF_LIFE = 30.0
"""Seconds without a line after which one without news says how long a stage has run."""


class ProgressListener:
    """Receives the progress of a run. This base class ignores it."""

    def planned(self, stages: Sequence[Stage], estimate: Callable[[], TimeEstimate]) -> None:
        """Called once, before the first round, with what all rounds are to do at most."""

    def dropped(self, keys: Collection[str]) -> None:
        """Called with the keys of planned stages that will not be done: a gate is shut."""

    def passed(self, gates: int, total: int) -> None:
        """Called when teachers have been measured, if any of so many passed its gate."""

    def begin(self, stages: Sequence[Stage]) -> None:
        """Called before the first stage of a round, with all stages that it will run."""

    def started(self, stage: Stage) -> None:
        """A stage was handed to the executor."""

    def moved(self, stage: Stage, done: int, total: int, note: str) -> None:
        """A running stage has done this much of its total."""

    def running(self, stage: Stage) -> None:
        """A stage is still running; called again and again, whether it moved or not."""

    def finished(self, stage: Stage, failure: Exception | None) -> None:
        """A stage has finished, or has failed."""

    def end(self) -> None:
        """Called after the last stage of a round."""


class _Estimating(ProgressListener):
    """Keeps one estimate of the time left over all rounds of a run."""

    def __init__(self) -> None:
        self._left = TimeLeft()
        self._causes: dict[int, tuple[Exception, Stage]] = {}
        """The failures, each with the stage that was the first to have it; by identity."""

    def planned(self, stages: Sequence[Stage], estimate: Callable[[], TimeEstimate]) -> None:
        made = estimate()
        self._left = TimeLeft(stages, made.by_stage, made.at_a_time)

    def dropped(self, keys: Collection[str]) -> None:
        self._left.dropped(keys)

    def begin(self, stages: Sequence[Stage]) -> None:
        self._left.also(stages)

    def started(self, stage: Stage) -> None:
        self._left.started(stage)

    def moved(self, stage: Stage, done: int, total: int, note: str) -> None:
        self._left.moved(stage, done, total)

    def _outcome(self, stage: Stage, failure: Exception) -> str:
        """What to say of a stage that is not finished; a failure is given in full once."""
        pending = isinstance(failure, PendingError)
        _, cause = self._causes.setdefault(id(failure), (failure, stage))
        if cause.key == stage.key:
            return str(failure) if pending else f"FAILED: {failure}"
        name = f"{cause.kind} {cause.label}"
        return f"waits for {name}" if pending else f"not run: {name} failed"


def gates_line(passed: int, total: int) -> str:
    """How many experiments' teachers passed their gates, in words."""
    if total == 1:
        return "limen: the teacher passed its gate: what students need is done now"
    return f"limen: teachers of {passed} of {total} experiments passed their gates"


class ProgressLines(_Estimating):
    """Writes a line for each stage that is finished."""

    def __init__(self, write: Callable[[str], None]) -> None:
        super().__init__()
        self._write = write
        self._began: dict[str, float] = {}
        self._shares: dict[str, str] = {}
        """How far each stage is, in words; by key."""
        self._noted: dict[str, tuple[float, str]] = {}
        """When the last note of each stage was written, and the line; by key."""
        self._said: dict[str, tuple[str, str, float | None]] = {}
        """The last line that broke a silence, how far each stage was, and the seconds left."""
        self._later: set[str] = set()
        """Keys of the planned stages of later rounds."""
        self._total = self._done = 0
        self._last = 0.0

    def planned(self, stages: Sequence[Stage], estimate: Callable[[], TimeEstimate]) -> None:
        super().planned(stages, estimate)
        self._later = {stage.key for stage in stages}

    def dropped(self, keys: Collection[str]) -> None:
        super().dropped(keys)
        self._later -= set(keys)

    def begin(self, stages: Sequence[Stage]) -> None:
        super().begin(stages)
        self._total, self._done, self._last = len(stages), 0, time.monotonic()
        self._later -= {stage.key for stage in stages}
        count = "1 stage" if len(stages) == 1 else f"{len(stages)} stages"
        later = f", then {len(self._later)} more" if self._later else ""
        self._write(f"limen: {count} to do{later}")

    def passed(self, gates: int, total: int) -> None:
        self._write(gates_line(gates, total))

    def started(self, stage: Stage) -> None:
        super().started(stage)
        self._began.setdefault(stage.key, time.monotonic())

    def moved(self, stage: Stage, done: int, total: int, note: str) -> None:
        """Write a stage's note, at most every ``NOTE_INTERVAL`` seconds; and break a silence."""
        super().moved(stage, done, total, note)
        self._shares[stage.key] = f" at {done / total:.0%}" if total else ""
        if note:
            self._note(stage, f"limen: {stage.label}: {done:,} of {total:,}: {note}")
        self.running(stage)

    def running(self, stage: Stage) -> None:
        """Say what is new of a stage after a short silence; that it runs on after a long one."""
        now = time.monotonic()
        silence = now - self._last
        if silence < LONGEST_SILENCE:
            return
        share = self._shares.get(stage.key, "")
        line = f"limen: {stage.kind} {stage.label}{share}; {self._left}"
        is_new = self._is_new(stage, share, line)
        if is_new or silence >= SIGN_OF_LIFE:
            self._last, self._said[stage.key] = now, (line, share, self._left.shown)
            ran = in_words(now - self._began.get(stage.key, now))
            self._write(line if is_new else f"{line} (running for {ran})")

    def _is_new(self, stage: Stage, share: str, line: str) -> bool:
        """Whether a line has news of a stage: a time left that only grows is none."""
        if stage.key not in self._said:
            return True
        last, last_share, last_left = self._said[stage.key]
        left = self._left.shown
        grows = left is not None and last_left is not None and left >= last_left
        return line != last and (share != last_share or not grows)

    def _note(self, stage: Stage, line: str) -> None:
        now = time.monotonic()
        at, before = self._noted.get(stage.key, (-NOTE_INTERVAL, ""))
        if line != before and now - at >= NOTE_INTERVAL:
            self._noted[stage.key], self._last = (now, line), now
            self._write(line)

    def finished(self, stage: Stage, failure: Exception | None) -> None:
        self._done += 1
        took = self._left.finished(stage, failed=failure is not None)
        self._last = time.monotonic()
        seconds = " " * 7 if took is None else f"{took:5.1f} s"
        outcome = f"  {self._outcome(stage, failure)}" if failure else ""
        place = f"[{self._done:>{len(str(self._total))}}/{self._total}]"
        self._write(f"limen: {place} {seconds}  {stage.kind:9} {stage.label}{outcome}")


class ProgressBars(_Estimating):
    """Shows a bar for all stages, and one for each that is running."""

    def __init__(self, console: "Console") -> None:
        super().__init__()
        self._console = console
        self._progress: Progress | None = None
        self._all: TaskID | None = None
        self._each: dict[str, TaskID] = {}

    def begin(self, stages: Sequence[Stage]) -> None:
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeElapsedColumn,
        )

        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=self._console,
            transient=True,
        )
        super().begin(stages)
        self._all = self._progress.add_task(f"limen: {self._left}", total=len(stages))
        self._progress.start()

    def passed(self, gates: int, total: int) -> None:
        self._console.print(gates_line(gates, total), markup=False)

    def started(self, stage: Stage) -> None:
        super().started(stage)
        if self._progress and stage.key not in self._each:
            name = visible_line(f"  {stage.kind} {stage.label}")
            self._each[stage.key] = self._progress.add_task(name, total=None)

    def moved(self, stage: Stage, done: int, total: int, note: str) -> None:
        super().moved(stage, done, total, note)
        if self._progress and stage.key in self._each:
            name = visible_line(f"  {stage.kind} {stage.label} {note}".rstrip())
            task = self._each[stage.key]
            self._progress.update(task, completed=done, total=total, description=name)

    def running(self, stage: Stage) -> None:
        """Say how much time is left; it changes also while nothing ends."""
        if self._progress and self._all is not None:
            self._progress.update(self._all, description=f"limen: {self._left}")

    def finished(self, stage: Stage, failure: Exception | None) -> None:
        self._left.finished(stage, failed=failure is not None)
        if self._progress is None or self._all is None:
            return
        if stage.key in self._each:
            self._progress.remove_task(self._each.pop(stage.key))
        self._progress.update(self._all, advance=1, description=f"limen: {self._left}")
        if failure:
            line = f"limen: {stage.kind} {stage.label}: {self._outcome(stage, failure)}"
            self._progress.console.print(visible(line), markup=False)

    def end(self) -> None:
        if self._progress:
            self._progress.stop()
        self._progress = self._all = None
        self._each.clear()


def progress_on(stream: TextIO, write: Callable[[str], None]) -> ProgressListener:
    """Bars if a standard stream is a terminal, else lines given to ``write``.

    A log in which colours are forced is no terminal: bars would be control codes in it.
    """
    if not stream.isatty():
        return ProgressLines(write)
    from rich.console import Console

    return ProgressBars(Console(stderr=stream is sys.stderr))
