"""Small JSON records: written in one step, and on disk when the call returns.

Each has a checksum of its fields and of its file's name. A record that was changed afterwards, or
that lies in the place of another one, is an error: it might name another job, or another model.
"""

import hashlib
import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..datasets.errors import StoreError

Record = dict[str, Any]
CHECKSUM = "checksum"


def write(path: Path, record: Mapping[str, Any]) -> None:
    """Write a record in place of what the file held, in one step."""
    signed = {**record, CHECKSUM: _checksum(path, record)}
    text = json.dumps(signed, indent=1, ensure_ascii=False) + "\n"
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
    """The record in a file, or None if there is none; raises :class:`~limen.StoreError`.

    Records of older versions have no checksum, and are not compared with any.
    """
    try:
        record: Any = json.loads(path.read_text(encoding="utf-8", errors="surrogatepass"))
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise _damaged(path, f"not JSON ({error})") from None
    if not isinstance(record, dict):
        raise _damaged(path, "not a JSON object")
    checksum = record.pop(CHECKSUM, None)
    if checksum is not None and checksum != _checksum(path, record):
        raise _damaged(path, "not as it was written (its checksum differs)")
    return record


def _damaged(path: Path, problem: str) -> StoreError:
    return StoreError(
        f"{path} is {problem}: restore it from a copy, or move it away to continue without it"
    )


def _checksum(path: Path, record: Mapping[str, Any]) -> str:
    text = json.dumps([path.name, record], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def read_all(folder: Path) -> list[Record]:
    """The records of a folder, sorted by file name."""
    records = (read(path) for path in sorted(folder.glob("*.json")))
    return [record for record in records if record is not None]


@contextmanager
def locked(path: Path, *, wait: bool = True) -> Iterator[None]:
    """Hold an exclusive lock on a record, among all processes and threads.

    Without waiting, raises :class:`TimeoutError` if another one holds it.
    """
    from filelock import FileLock

    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path.with_suffix(".lock"), thread_local=False, is_singleton=False)
    with lock.acquire(timeout=-1 if wait else 0):
        yield
