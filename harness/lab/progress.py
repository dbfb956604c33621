"""Progress that a person can read: a live bar on a terminal, plain lines elsewhere."""

import time
from collections.abc import Callable, Sequence

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)

from ...datasets.errors import PendingError
from ..stages import Stage
from .scheduler import ProgressListener

NOTES = 5.0
"""Seconds between the notes of one stage where there is no live bar."""


class ProgressLines(ProgressListener):
    """A line when a stage is done."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write
        self._began: dict[str, float] = {}
        self._told: dict[str, float] = {}
        self._total = self._done = 0

    def begin(self, stages: Sequence[Stage]) -> None:
        self._total, self._done = len(stages), 0
        self._write(f"limen: {len(stages)} stages to do")

    def started(self, stage: Stage) -> None:
        self._began[stage.key] = time.monotonic()

    def moved(self, stage: Stage, done: int, total: int, note: str) -> None:
        """A stage with something to tell beside its progress tells it now and then."""
        now = time.monotonic()
        if note and now - self._told.get(stage.key, 0) >= NOTES:
            self._told[stage.key] = now
            self._write(f"limen: {stage.label}: {done:,} of at most {total:,}, {note}")

    def finished(self, stage: Stage, failure: Exception | None) -> None:
        self._done += 1
        began = self._began.get(stage.key)
        took = f"{time.monotonic() - began:5.1f} s" if began else " " * 7
        outcome = f"  {_says(failure)}" if failure else ""
        place = f"[{self._done:>{len(str(self._total))}}/{self._total}]"
        self._write(f"limen: {place} {took}  {stage.kind:9} {stage.label}{outcome}")


class ProgressBars(ProgressListener):
    """A bar for all stages, and one for each that is under way."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._progress: Progress | None = None
        self._all: TaskID | None = None
        self._each: dict[str, TaskID] = {}

    def begin(self, stages: Sequence[Stage]) -> None:
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=self._console,
            transient=True,
        )
        self._all = self._progress.add_task("limen: stages", total=len(stages))
        self._progress.start()

    def started(self, stage: Stage) -> None:
        if self._progress and stage.key not in self._each:
            name = f"  {stage.kind} {stage.label}"
            self._each[stage.key] = self._progress.add_task(name, total=None)

    def moved(self, stage: Stage, done: int, total: int, note: str) -> None:
        if self._progress and stage.key in self._each:
            name = f"  {stage.kind} {stage.label} {note}".rstrip()
            task = self._each[stage.key]
            self._progress.update(task, completed=done, total=total, description=name)

    def finished(self, stage: Stage, failure: Exception | None) -> None:
        if self._progress is None or self._all is None:
            return
        if stage.key in self._each:
            self._progress.remove_task(self._each.pop(stage.key))
        self._progress.advance(self._all)
        if failure:
            said = f"limen: {stage.kind} {stage.label}: {_says(failure)}"
            self._progress.console.print(said, markup=False)

    def end(self) -> None:
        if self._progress:
            self._progress.stop()
        self._progress = self._all = None
        self._each.clear()


def _says(failure: Exception) -> str:
    """What became of a stage that is not done."""
    return str(failure) if isinstance(failure, PendingError) else f"FAILED: {failure}"
