"""Files that a spec names: where they are, and what was read of them."""

import sys
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from ...datasets.errors import SpecError
from ...datasets.record_files import Record, content_digest, data_files, read_records
from ...datasets.row_forms import RowColumns, rows_of_records
from ..stages import PromptSample, sample_of

SMALL = 2**20
"""Bytes of a file whose records are kept for who names it again with another condition."""
Stats = tuple[tuple[int, int], ...]
"""When each part of a file was changed, in nanoseconds, and its size in bytes."""


@dataclass(frozen=True)
class FileFacts:
    """What a spec must know of a file of rows."""

    digest: str
    lines: int
    answered: int
    """Rows with an answer."""
    understood: str
    sample: PromptSample
    system: str | None = None
    """See :attr:`limen.datasets.row_forms.RowTable.system`."""


def spec_path(what: str, given: str | Path) -> Path:
    """The path that a spec names: from the spec file's folder, or else from the working folder.

    Raises :class:`~limen.SpecError` if there is nothing.
    """
    path = Path(given).expanduser()
    folders = [] if path.is_absolute() else [*_spec_folders(), Path.cwd()]
    for folder in folders:
        if (folder / path).exists():
            return (folder / path).resolve()
    if path.is_absolute() and path.exists():
        return path.resolve()
    looked = " and ".join(dict.fromkeys(map(str, folders))) or str(path.parent)
    raise SpecError(f"{what}={str(given)!r}: there is no such file in {looked}")


def file_facts(path: Path, columns: RowColumns) -> FileFacts:
    """What is in a file of rows, read once while it stays the same.

    Raises :class:`~limen.DataError` or :class:`~limen.SpecError` for what cannot be read.
    """
    stats = [part.stat() for part in data_files(path)]
    return _facts(path, columns, tuple((stat.st_mtime_ns, stat.st_size) for stat in stats))


@lru_cache(maxsize=64)
def _facts(path: Path, columns: RowColumns, stats: Stats) -> FileFacts:
    small = sum(size for _, size in stats) <= SMALL
    records = _records(path, stats) if small else read_records(path)
    table = rows_of_records(str(path), records, columns)
    lines, sample = sample_of(table.rows)
    answered = sum(row["text"] is not None for row in table.rows)
    return FileFacts(content_digest(path), lines, answered, table.understood, sample, table.system)


@lru_cache(maxsize=1)
def _records(path: Path, _: Stats) -> tuple[Record, ...]:
    return tuple(read_records(path))


def _spec_folders() -> list[Path]:
    """The folder of the file that is making a value of limen's; none in a notebook."""
    frame = sys._getframe(1)
    while frame is not None:
        file = frame.f_globals.get("__file__")
        module = str(frame.f_globals.get("__name__", ""))
        between = module.startswith("limen.") or module == "dataclasses"
        if file and not between and Path(file).is_file():
            return [Path(file).resolve().parent]
        if frame.f_back is None:
            break
        frame = frame.f_back
    return []
