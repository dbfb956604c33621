"""The events of a job, one JSON line each, written by the server and by its worker.

The id of an event is a hash of the job and the message: a job that is repeated after a crash writes
the same ids again, and readers keep the first of each.
"""

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path

from .protocol import JsonObject, now

MAX_BYTES = 4 * 2**20
"""Bytes of a job's events, after which no more are kept: it may be paused without end."""


@dataclass(frozen=True)
class Event:
    """One event of a job."""

    message: str
    metrics: JsonObject | None = None
    level: str = "info"

    def wire(self, job: str) -> JsonObject:
        """The event as a JSON object of the API."""
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


def append(file: Path, *added: Event) -> None:
    """Add events to those of the job whose folder the file is in, durably."""
    if file.exists() and file.stat().st_size > MAX_BYTES:
        return
    lines = (json.dumps(event.wire(file.parent.name)) + "\n" for event in added)
    handle = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        os.write(handle, "".join(lines).encode())
        os.fsync(handle)
    finally:
        os.close(handle)


def read(file: Path) -> list[JsonObject]:
    """The events so far, oldest first, each once; of a damaged line an event says so."""
    if not file.exists():
        return []
    lines = file.read_bytes().split(b"\n")[:-1]  # the last is empty, or not yet all there
    found: dict[str, JsonObject] = {}
    for number, line in enumerate(lines, start=1):
        event = _parsed(file.parent.name, number, line)
        found.setdefault(event["id"], event)
    return list(found.values())


def _parsed(job: str, number: int, line: bytes) -> JsonObject:
    try:
        event = json.loads(line)
        if isinstance(event, dict) and isinstance(event.get("id"), str):
            return event
    except ValueError:
        pass
    return Event(f"line {number} of the job's events is damaged", level="warn").wire(job)


def repair(file: Path) -> None:
    """Cut off an incomplete last line; call it only while nothing writes."""
    if file.exists():
        whole = file.read_bytes().rpartition(b"\n")
        os.truncate(file, len(whole[0]) + len(whole[1]))
