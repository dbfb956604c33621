"""Records kept in memory and on the disk: a change is on the disk before anybody sees it."""

import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from .. import records
from .protocol import JsonObject, is_id


@dataclass(frozen=True, kw_only=True)
class ServerRecord:
    """One stored object, such as a file or a job."""

    wire: JsonObject
    """The record as clients see it."""
    hidden: JsonObject = field(default_factory=dict)
    """Fields that clients do not see."""
    order: int = field(default_factory=time.time_ns)
    """Creation time in nanoseconds, for sorting."""

    @property
    def id(self) -> str:
        """The id that clients know it by."""
        return str(self.wire["id"])

    @property
    def status(self) -> str:
        """How far it is."""
        return str(self.wire["status"])

    def changed(self, *, hidden: JsonObject | None = None, **changes: Any) -> "ServerRecord":
        """A copy with some public or hidden fields changed."""
        return replace(
            self, wire={**self.wire, **changes}, hidden={**self.hidden, **(hidden or {})}
        )


class RecordStore:
    """Entries of one kind, oldest first, a JSON file each."""

    def __init__(self, folder: Path, prefix: str) -> None:
        self.folder = folder
        self._prefix = prefix
        folder.mkdir(parents=True, exist_ok=True)
        found = [ServerRecord(**record) for record in records.read_all(folder)]
        self._entries = {e.id: e for e in sorted(found, key=lambda e: e.order)}

    def __iter__(self) -> Iterator[ServerRecord]:
        return iter(list(self._entries.values()))

    def newest(self) -> list[ServerRecord]:
        """All of them, newest first."""
        return list(self)[::-1]

    def get(self, name: str) -> ServerRecord | None:
        """The entry of that id, if there is one."""
        return self._entries.get(name)

    def put(self, entry: ServerRecord) -> ServerRecord:
        """Remember an entry, in place of an older one of the same id."""
        records.write(self._file(entry.id), asdict(entry))
        self._entries[entry.id] = entry
        return entry

    def remove(self, name: str) -> None:
        """Forget an entry."""
        self._file(name).unlink(missing_ok=True)
        self._entries.pop(name, None)

    def _file(self, name: str) -> Path:
        if not is_id(name, self._prefix):
            raise ValueError(f"{name!r} is no id")
        return self.folder / f"{name}.json"
