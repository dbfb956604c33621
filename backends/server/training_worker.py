"""Running a fine-tuning job in a worker process."""

import time
from dataclasses import dataclass
from pathlib import Path

from .. import open_engine
from ..base import FineTuned, Job
from . import events

LOOK = 0.1
"""Seconds between looks whether a paused job is to go on."""
PROGRESS_EVENTS = 50
"""Number of progress events of a job."""


@dataclass(frozen=True)
class JobFolder:
    """The folder of a job."""

    path: Path

    @property
    def events(self) -> Path:
        """Its events."""
        return self.path / "events.jsonl"

    @property
    def cancel(self) -> Path:
        """A file that exists once the job is to stop."""
        return self.path / "cancel"

    @property
    def pause(self) -> Path:
        """A file that exists while the job is paused."""
        return self.path / "pause"

    @property
    def data(self) -> Path:
        """Its training data; deleted when the job ends."""
        return self.path / "data"

    def upload(self, param: str) -> Path:
        """A file as it was uploaded."""
        return self.data / f"{param}.upload"

    def training_data(self, param: str) -> Path:
        """The same as the engine reads it."""
        return self.data / f"{param}.jsonl"


class _CancelledError(Exception):
    pass


def train(engine: str, home: Path, job: Job, folder: JobFolder) -> FineTuned | None:
    """Do the job; None if it was cancelled."""

    def progress(done: int, total: int) -> None:
        while not folder.cancel.exists() and folder.pause.exists():
            time.sleep(LOOK)
        if folder.cancel.exists():
            raise _CancelledError
        if done in (1, total) or done % max(1, total // PROGRESS_EVENTS) == 0:
            steps = {"step": done, "total_steps": total}
            events.append(folder.events, events.Event(f"Step {done}/{total}", steps))

    try:
        return open_engine(engine, home).fine_tune(job, progress)
    except _CancelledError:
        return None
