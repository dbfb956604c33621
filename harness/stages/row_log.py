"""Rows of JSON, one a line: appended durably as they arrive, and recovered after a crash."""

import json
import os
from array import array
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from ...datasets.errors import StoreError
from ...datasets.json_lines import json_line

Row = dict[str, Any]
Key = tuple[int, int]
BLOCK = 1_000
"""Rows that are parsed at once."""


class RowLog:
    """An append-only file of rows, each with its ``row`` and ``draw``.

    What :meth:`append` returned from is on the disk. Opening drops a torn last line and knows the
    rows before it; anything else that is no row raises :class:`~limen.StoreError`. Memory: some
    sixteen bytes a row.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._places: list[array[int]] = []
        """By draw and row, where its line begins; -1 while there is none."""
        self._seeds = array("q")
        """By row, the seed of its request; -1 while it is not known."""
        self._count = 0
        self._last: Key = (-1, -1)
        self._in_order = True
        self.ends: Counter[str] = Counter()
        """How the rows ended: their ``finish``, counted."""
        self.usage: Counter[str] = Counter()
        """What the calls used that gave the rows, summed."""
        self._end = self._recover()
        self._file = path.open("r+b" if path.exists() else "w+b")
        self._file.truncate(self._end)
        self._file.seek(self._end)

    def __len__(self) -> int:
        return self._count

    def __contains__(self, key: Key) -> bool:
        row, draw = key
        return draw < len(self._places) and self._place(draw, row) >= 0

    def check_seed(self, row: int, seed: int) -> None:
        """Raise :class:`~limen.StoreError` if a row that is there was sampled by another seed."""
        known = self._seeds[row] if row < len(self._seeds) else -1
        if known not in (-1, seed):
            raise StoreError(
                f"{self.path} has rows of another stage: row {row} was sampled with the seed "
                f"{known}, and this stage samples it with {seed}. Delete the file to start it anew"
            )

    def append(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Write the rows and have them on the disk; a row that is there already is left as is."""
        lines = []
        for row in rows:
            if (row["row"], row["draw"]) not in self:
                line = json_line(row)
                self._note(row, len(line))
                lines.append(line)
        self._file.write(b"".join(lines))
        self._file.flush()
        os.fdatasync(self._file.fileno())

    @property
    def unanswered(self) -> bool:
        """Whether there are rows, and not one token of an answer was given for them."""
        return set(self.ends) == {"error"} and not self.usage["output_tokens"]

    def discard(self) -> None:
        """Close the file and delete it, so that its rows are asked for again."""
        self._file.close()
        self.path.unlink()

    def finish(self) -> None:
        """Close the file, its rows in the order of ``row`` and ``draw`` however they arrived."""
        if not self._in_order:
            self._rewrite()
        self._file.close()

    def close(self) -> None:
        """Close the file as it is, to be continued."""
        self._file.close()

    def _note(self, row: Mapping[str, Any], length: int) -> None:
        key = int(row["row"]), int(row["draw"])
        while len(self._places) <= key[1]:
            self._places.append(array("q"))
        places = self._places[key[1]]
        places.extend([-1] * (key[0] + 1 - len(places)))
        places[key[0]] = self._end
        self._seeds.extend([-1] * (key[0] + 1 - len(self._seeds)))
        self._seeds[key[0]] = row.get("seed", -1)
        self._in_order = self._in_order and key > self._last
        self._last = key
        self._count += 1
        self._end += length
        self.ends[row["finish"]] += 1
        if usage := row.get("usage"):
            self.usage.update(usage)

    def _place(self, draw: int, row: int) -> int:
        places = self._places[draw]
        return places[row] if row < len(places) else -1

    def _rewrite(self) -> None:
        scratch = self.path.with_suffix(".sorted")
        longest = max(map(len, self._places))
        with scratch.open("wb") as file:
            for row in range(longest):
                for draw in range(len(self._places)):
                    if (place := self._place(draw, row)) >= 0:
                        self._file.seek(place)
                        file.write(self._file.readline())
            file.flush()
            os.fsync(file.fileno())
        scratch.replace(self.path)

    def _recover(self) -> int:
        """Index the whole lines of an existing file; returns where they end."""
        self._end = 0
        if not self.path.exists():
            return 0
        with self.path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                if not line.endswith(b"\n"):
                    break
                self._note(_parsed(self.path, number, line), len(line))
        return self._end


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


def read_rows(path: Path) -> Iterator[Row]:
    """The rows of a finished file; raises :class:`~limen.StoreError` at a line that is none."""
    yield from _decoded_lines(path, _lines(path))


def read_some_rows(path: Path, places: Container[int]) -> dict[int, Row]:
    """The rows of a finished file in some places, counted from 0; no other row is parsed.

    Raises :class:`~limen.StoreError` at a line that is none.
    """
    wanted = [(place, line) for place, line in _lines(path) if place in places]
    rows = _decoded_lines(path, iter(wanted))
    return dict(zip((place for place, _ in wanted), rows, strict=True))


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    with path.open(encoding="utf-8", errors="surrogatepass", newline="\n") as file:
        yield from enumerate(file)


def _decoded_lines(path: Path, lines: Iterator[tuple[int, str]]) -> Iterator[Row]:
    while block := list(islice(lines, BLOCK)):
        yield from _decoded_block(path, block)


def _decoded_block(path: Path, block: Sequence[tuple[int, str]]) -> list[Row]:
    """The rows of some lines, which are parsed as one list: a call for each line takes longer."""
    from pydantic_core import from_json

    try:
        rows: list[Row] = from_json(f"[{','.join(line for _, line in block)}]")
    except (ValueError, TypeError):
        rows = []
    if len(rows) == len(block):
        return rows
    return [_decoded(path, place, line) for place, line in block]


def _decoded(path: Path, place: int, line: str) -> Row:
    from pydantic_core import from_json

    row: Row
    try:
        row = from_json(line)  # in a third of the time that ``json`` takes
    except (ValueError, TypeError):
        try:
            row = json.loads(line)  # which reads halves of characters, too
        except ValueError:
            raise StoreError(f"{path}, line {place + 1} is not JSON: {line[:60]!r}") from None
    return row


def write_rows(path: Path, rows: Iterable[Mapping[str, object]]) -> int:
    """Write rows to a new file; returns how many."""
    count = 0
    with path.open("wb") as file:
        for row in rows:
            file.write(json_line(row))
            count += 1
    return count


def count_rows(path: Path) -> int:
    """How many rows a finished file has; they are not parsed."""
    with path.open("rb") as lines:
        return sum(1 for _ in lines)
