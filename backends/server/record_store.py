"""Records kept in memory and on the disk: a change is on the disk before anybody sees it."""

import logging
import shutil
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from ...datasets.errors import StoreError
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
    """Entries of one kind, oldest first: a JSON file each, and for some a folder of that name.

    A record that is damaged is set aside, so that it harms no other. What a crash or a full disk
    has left without a record is removed.
    """

    def __init__(self, folder: Path, prefix: str) -> None:
        self.folder = folder
        self._prefix = prefix
        folder.mkdir(parents=True, exist_ok=True)
        found = [entry for path in sorted(folder.glob("*.json")) if (entry := _read(path))]
        self._entries = {e.id: e for e in sorted(found, key=lambda e: e.order)}
        self._remove_leftovers()

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

    def _remove_leftovers(self) -> None:
        for path in self.folder.glob(".*.tmp"):
            path.unlink()
        for path in self.folder.glob(f"{self._prefix}-*/"):
            if not any(self.folder.glob(f"{path.name}.json*")):
                shutil.rmtree(path, ignore_errors=True)

    def _file(self, name: str) -> Path:
        if not is_id(name, self._prefix):
            raise ValueError(f"{name!r} is no id")
        return self.folder / f"{name}.json"


def _read(path: Path) -> ServerRecord | None:
    """The record in a file; None for a damaged one, which is given another name."""
    try:
        entry = ServerRecord(**(records.read(path) or {}))
        if not (entry.id == path.stem and isinstance(entry.order, int)):
            raise ValueError("it is another record")
    except (StoreError, TypeError, KeyError, ValueError) as error:
        aside = path.with_suffix(".json.damaged")
        path.replace(aside)
        logging.getLogger(__name__).warning("damaged record, set aside as %s: %s", aside, error)
        return None
    return entry
