"""Small JSON records: written in one step, and on disk when the call returns."""

import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..datasets.errors import StoreError

Record = dict[str, Any]


def write(path: Path, record: Mapping[str, Any]) -> None:
    """Write a record in place of what the file held, in one step."""
    text = json.dumps(record, indent=1, ensure_ascii=False) + "\n"
    write_bytes(path, text.encode("utf-8", "surrogatepass"))


def write_bytes(path: Path, data: bytes) -> None:
    """Write a whole file in one step."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, scratch = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(scratch).replace(path)
    except BaseException:
        Path(scratch).unlink(missing_ok=True)
        raise


def read(path: Path) -> Record | None:
    """The record in a file, or None if there is none; raises :class:`~limen.StoreError`."""
    try:
        record: Record = json.loads(path.read_text(encoding="utf-8", errors="surrogatepass"))
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise StoreError(
            f"{path} is not JSON ({error}): move it away to continue without it"
        ) from None
    return record


def read_all(folder: Path) -> list[Record]:
    """The records of a folder, sorted by file name."""
    records = (read(path) for path in sorted(folder.glob("*.json")))
    return [record for record in records if record is not None]


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold an exclusive lock on a record, among all processes and threads."""
    from filelock import FileLock

    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(path.with_suffix(".lock"), thread_local=False, is_singleton=False):
        yield
