"""What a job tells of itself as it goes, a line each, written by the server and by its worker.

An event's id follows from the job and from what it says: a job that is done again after a crash
says the same again, and is heard once.
"""

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path

from .wire import Wire, now


@dataclass(frozen=True)
class Event:
    """Something that a job has to tell."""

    message: str
    metrics: Wire | None = None
    level: str = "info"

    def wire(self, job: str) -> Wire:
        """What clients are told."""
        digest = hashlib.sha256(f"{job} {self.message}".encode()).hexdigest()
        return {
            "object": "fine_tuning.job.event",
            "id": f"ftevent-{digest[:24]}",
            "created_at": now(),
            "level": self.level,
            "message": self.message,
            "type": "message" if self.metrics is None else "metrics",
            "data": self.metrics or {},
        }


def append(file: Path, *told: Event) -> None:
    """Add events to those of the job whose folder the file is in, durably."""
    lines = (json.dumps(event.wire(file.parent.name)) + "\n" for event in told)
    handle = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        os.write(handle, "".join(lines).encode())
        os.fsync(handle)
    finally:
        os.close(handle)


def read(file: Path) -> list[Wire]:
    """The events so far, oldest first, each once."""
    if not file.exists():
        return []
    lines = file.read_bytes().split(b"\n")[:-1]  # the last is empty, or not yet all there
    found: dict[str, Wire] = {}
    for event in map(json.loads, lines):
        found.setdefault(event["id"], event)
    return list(found.values())


def heal(file: Path) -> None:
    """Cut off a last line that a crash has torn, while nobody writes."""
    if file.exists():
        whole = file.read_bytes().rpartition(b"\n")
        os.truncate(file, len(whole[0]) + len(whole[1]))
