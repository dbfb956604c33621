"""The ledger of one training: a line for each event, on disk before anything goes on.

It is what a killed run resumes from. A line has a checksum, and names that of the line before it,
so that a line that was changed, removed, repeated or moved is an error; only a last line that was
torn by a crash is dropped. The first line names the training: a ledger that lies in the place of
another one is an error as well. Lines of older versions do not name the one before.

Events: ``begin`` (what is trained), ``session`` (a training at the service, and the step that it
goes on from), ``sent`` (a step, before it is sent), ``applied``, ``saved`` (a state), ``kept``
(weights to sample from), ``deleted``, ``rejected`` (a step that the service could not do, in a
session), ``failed`` (why no further step helps), ``done``.
"""

import hashlib
import json
import os
import time
from calendar import timegm
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...datasets.errors import StoreError

Event = dict[str, Any]
CHECK = "check"
"""The checksum of a line, over everything else in it."""
AFTER = "after"
"""The checksum of the line before."""
ANSWERS = ("applied", "saved", "rejected")
"""The events that answer ``sent``."""
STAMP = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True, kw_only=True)
class SavedState:
    """A state that a training can go on from."""

    step: int
    path: str


class TrainingLedger:
    """The events of one training, read from its file and appended to it.

    Whoever appends must hold the lock of the file (:func:`..records.locked`); anybody may read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.events = list(_read(path))
        _check_first(path, self.events)
        self._last_check: str | None = None

    def append(self, event: str, **fields: object) -> None:
        """Write an event. It is on disk when the call returns."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        if self._last_check is None:
            _cut_torn_line(self.path)
            self._last_check = _last_check(self.path)
        record: Event = {"event": event, "at": _now(), **fields, AFTER: self._last_check}
        check = checksum(record)
        line = json.dumps({**record, CHECK: check}, ensure_ascii=False) + "\n"
        with self.path.open("ab") as file:
            file.write(line.encode("utf-8", "surrogatepass"))
            file.flush()
            os.fsync(file.fileno())
        self._last_check = check
        self.events.append(record)

    def begin(self, **facts: object) -> None:
        """Write down what is trained, once."""
        if not self.events:
            self.append("begin", **facts)

    @property
    def begun(self) -> Event:
        """What is trained; empty before it has begun."""
        return next(self._of("begin"), {})

    @property
    def done(self) -> Event | None:
        """The end of the training; None before."""
        return next(self._of("done"), None)

    @property
    def failed(self) -> str | None:
        """Why no further step helps; None where one may."""
        return next((str(event["why"]) for event in self._of("failed")), None)

    @property
    def runs(self) -> list[str]:
        """The service's ids of the training, the latest last; each resumption has one."""
        return [str(event["run"]) for event in self._of("session")]

    @property
    def states(self) -> list[SavedState]:
        """The states that were saved and not deleted, by step."""
        gone = self.deleted
        kept = [SavedState(step=e["step"], path=e["path"]) for e in self._of("saved")]
        return sorted((s for s in kept if s.path not in gone), key=lambda state: state.step)

    @property
    def kept(self) -> dict[int, str]:
        """The addresses of the weights to sample from, by step."""
        return {event["step"]: str(event["path"]) for event in self._of("kept")}

    @property
    def deleted(self) -> set[str]:
        """The addresses of what was deleted at the service."""
        return {str(event["path"]) for event in self._of("deleted")}

    @property
    def losses(self) -> dict[int, float | None]:
        """The loss of each step that was applied, in nats a token."""
        return {event["step"]: event["loss"] for event in self._of("applied")}

    @property
    def sent_again(self) -> int:
        """How many steps were sent once more, after a crash."""
        sent = [event["step"] for event in self._of("sent")]
        return len(sent) - len(set(sent))

    @property
    def rejected(self) -> set[tuple[str, int]]:
        """Sessions and the steps that the service could not do there."""
        return {(str(event["run"]), event["step"]) for event in self._of("rejected")}

    @property
    def unanswered(self) -> int | None:
        """The step that was sent last, if its answer never came; None if it did."""
        sent = [event["step"] for event in self._of("sent")][-1:]
        known = {event["step"] for kind in ANSWERS for event in self._of(kind)}
        return next((step for step in sent if step not in known), None)

    @property
    def age(self) -> float:
        """Seconds since the last event."""
        at = time.strptime(self.events[-1]["at"], STAMP)
        return max(0.0, time.time() - timegm(at))

    @property
    def last_applied(self) -> int:
        """The last step that was applied."""
        return max(self.losses, default=0)

    @property
    def billed_tokens(self) -> int:
        """The tokens of all steps that were sent, those that were sent again among them."""
        return sum(int(event["tokens"]) for event in self._of("sent"))

    def _of(self, kind: str) -> Iterator[Event]:
        return (event for event in self.events if event["event"] == kind)


def _read(path: Path) -> Iterator[Event]:
    """The events of a file, without a torn last line: it may be one that is being written."""
    before = ""
    for number, line in enumerate(_whole_lines(path), start=1):
        record, check = _event(path, number, line)
        if record.get(AFTER, before) != before:
            raise _damaged(f"line {number} of {path} does not follow the line before it")
        before = check
        yield record


def _whole_lines(path: Path) -> list[bytes]:
    data = path.read_bytes() if path.exists() else b""
    return data[: _whole_length(data)].split(b"\n")[:-1]


def _last_check(path: Path) -> str:
    """The checksum of the last line; empty for a ledger that has none yet."""
    lines = _whole_lines(path)
    return _event(path, len(lines), lines[-1])[1] if lines else ""


def _cut_torn_line(path: Path) -> None:
    """Remove what a crash left of a line, so that the next one begins anew."""
    if path.exists():
        os.truncate(path, _whole_length(path.read_bytes()))


def _whole_length(data: bytes) -> int:
    """The bytes of the lines that have an end."""
    return data.rfind(b"\n") + 1


def _event(path: Path, number: int, line: bytes) -> tuple[Event, str]:
    """The event of a line, and its checksum."""
    try:
        record = json.loads(line)
        check = str(record.pop(CHECK))
        if check == checksum(record):
            return dict(record), check
    except (ValueError, KeyError, AttributeError):
        pass
    raise _damaged(f"line {number} of {path} is not as it was written")


def _check_first(path: Path, events: list[Event]) -> None:
    """Ledgers of older versions do not name their training, and are not compared."""
    if not events:
        return
    if events[0]["event"] != "begin":
        raise _damaged(f"the first line of {path} is missing")
    if events[0].get("training", path.stem) != path.stem:
        raise _damaged(f"{path} is the ledger of another training, {events[0]['training']}")


def _damaged(problem: str) -> StoreError:
    return StoreError(
        f"{problem}: restore the file from a copy, or move it away to train from the start, which "
        f"is charged again"
    )


def checksum(record: Event) -> str:
    """The checksum of a line, from all else that is in it."""
    return hashlib.sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()[:12]


def _now() -> str:
    return time.strftime(STAMP, time.gmtime())
