"""A fine-tuning at work, in a process of its own."""

from dataclasses import dataclass
from pathlib import Path

from .. import open_engine
from ..base import FineTuned, Job
from . import events

TOLD = 50
"""How many times a job tells how far it is."""


@dataclass(frozen=True)
class Place:
    """Where a job keeps its things."""

    folder: Path

    @property
    def events(self) -> Path:
        """What it has told."""
        return self.folder / "events.jsonl"

    @property
    def cancel(self) -> Path:
        """A file that is there once the job is to stop."""
        return self.folder / "cancel"

    @property
    def data(self) -> Path:
        """What it learns from; gone when it is over."""
        return self.folder / "data"

    def upload(self, param: str) -> Path:
        """A file as it was uploaded."""
        return self.data / f"{param}.upload"

    def lessons(self, param: str) -> Path:
        """The same as the engine reads it."""
        return self.data / f"{param}.jsonl"


class _CancelledError(Exception):
    pass


def train(engine: str, home: Path, job: Job, place: Place) -> FineTuned | None:
    """Do the job; None if it was cancelled."""

    def progress(done: int, total: int) -> None:
        if place.cancel.exists():
            raise _CancelledError
        if done in (1, total) or done % max(1, total // TOLD) == 0:
            steps = {"step": done, "total_steps": total}
            events.append(place.events, events.Event(f"Step {done}/{total}", steps))

    try:
        return open_engine(engine, home).fine_tune(job, progress)
    except _CancelledError:
        return None
