"""Rows of JSON, one a line: appended durably as they arrive, and recovered after a crash."""

import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ..datasets.errors import StoreError

Row = dict[str, Any]
Key = tuple[int, int]


class RowLog:
    """An append-only file of rows, each with its ``row`` and ``draw``.

    What :meth:`append` returned from is on the disk. Opening drops a torn last line and knows the
    rows before it; anything else that is no row raises :class:`~limen.StoreError`.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._places: dict[Key, tuple[int, int]] = {}
        self.ends: Counter[str] = Counter()
        """How the rows ended: their ``finish``, counted."""
        self._end = self._recover()
        self._file = path.open("r+b" if path.exists() else "w+b")
        self._file.truncate(self._end)
        self._file.seek(self._end)

    def __len__(self) -> int:
        return len(self._places)

    def __contains__(self, key: Key) -> bool:
        return key in self._places

    def append(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Write the rows and have them on the disk; a row that is there already is left as is."""
        lines = []
        for row in rows:
            key = row["row"], row["draw"]
            if key not in self._places:
                line = json.dumps(row, ensure_ascii=False).encode("utf-8", "surrogatepass") + b"\n"
                self._places[key] = self._end, len(line)
                self.ends[row["finish"]] += 1
                self._end += len(line)
                lines.append(line)
        self._file.write(b"".join(lines))
        self._file.flush()
        os.fdatasync(self._file.fileno())

    def finish(self) -> None:
        """Close the file, its rows in the order of ``row`` and ``draw`` however they arrived."""
        keys = list(self._places)
        if keys != sorted(keys):
            self._rewrite(sorted(keys))
        self._file.close()

    def close(self) -> None:
        """Close the file as it is, to be continued."""
        self._file.close()

    def _rewrite(self, keys: list[Key]) -> None:
        scratch = self.path.with_suffix(".sorted")
        with scratch.open("wb") as file:
            for key in keys:
                start, length = self._places[key]
                self._file.seek(start)
                file.write(self._file.read(length))
            file.flush()
            os.fsync(file.fileno())
        scratch.replace(self.path)

    def _recover(self) -> int:
        """Index the whole lines of an existing file; returns where they end."""
        if not self.path.exists():
            return 0
        end = 0
        for number, line in enumerate(self.path.open("rb"), start=1):
            if not line.endswith(b"\n"):
                break
            row = _parsed(self.path, number, line)
            self._places[int(row["row"]), int(row["draw"])] = end, len(line)
            self.ends[row["finish"]] += 1
            end += len(line)
        return end


def _parsed(path: Path, number: int, line: bytes) -> Row:
    try:
        row: Row = json.loads(line)
        if all(name in row for name in ("row", "draw", "finish")):
            return row
    except (ValueError, TypeError):
        pass
    raise StoreError(
        f"{path}, line {number} is no row of limen's: {line[:60]!r}. "
        f"Take the line out to keep the others, or delete the file to start it anew"
    )


def read(path: Path) -> Iterator[Row]:
    """The rows of a finished file; raises :class:`~limen.StoreError` at a line that is none."""
    with path.open(encoding="utf-8", errors="surrogatepass", newline="\n") as file:
        for number, line in enumerate(file, start=1):
            try:
                row: Row = json.loads(line)
            except ValueError:
                raise StoreError(f"{path}, line {number} is not JSON: {line[:60]!r}") from None
            yield row


def write(path: Path, rows: Iterable[Mapping[str, Any]]) -> int:
    """Write rows to a new file; returns how many."""
    lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in rows]
    with path.open("w", encoding="utf-8", errors="surrogatepass", newline="\n") as file:
        file.writelines(lines)
    return len(lines)
