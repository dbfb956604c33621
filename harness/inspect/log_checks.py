"""Whether a log on the disk is whole and its own: one that is damaged is written anew.

Beside a log lies its hash, as ``sha256sum`` writes it. People may change logs with Inspect's own
tools, and older logs have no hash: those are whole if every part of the file has the checksum that
the format (zip) keeps of it, and if the log is the one that belongs in this place.
"""

import hashlib
import importlib
import json
import warnings
import zlib
from pathlib import Path
from zipfile import BadZipFile, ZipFile

from ...datasets.artifacts import digest_of
from ...datasets.errors import StoreWarning

HEADERS = ("header.json", "_journal/start.json")
"""Parts of a log that have its ids; the second is all that a log under way has."""


def eval_id(file: Path) -> str:
    """The id of the log that belongs in a file, of 22 characters."""
    return hashlib.sha256(f"eval {file.name}".encode()).hexdigest()[:22]


def sign_log(file: Path) -> None:
    """Write the hash of a log beside it."""
    _hash_file(file).write_text(f"{digest_of(file)}  {file.name}\n", encoding="utf-8")


def log_is_there(file: Path) -> bool:
    """Whether a log is there and whole; one that is damaged is moved aside, with a warning."""
    if not file.is_file():
        return False
    if _is_as_written(file) or (problem := _problem(file)) is None:
        return True
    aside = file.with_suffix(".damaged")
    file.replace(aside)
    _hash_file(file).unlink(missing_ok=True)
    warnings.warn(
        f"{file} is damaged: {problem}. It was moved to {aside.name}, and is written again from "
        f"the answers",
        StoreWarning,
        stacklevel=2,
    )
    return False


def _hash_file(file: Path) -> Path:
    return file.with_suffix(".sha256")


def _is_as_written(file: Path) -> bool:
    try:
        written = _hash_file(file).read_bytes()
    except OSError:
        return False
    return written == f"{digest_of(file)}  {file.name}\n".encode()


def _errors_of_zstd() -> tuple[type[Exception], ...]:
    """What reading a damaged part can raise beside zipfile's own errors.

    Inspect compresses logs by zstd. Before Python 3.14 ``zipfile`` reads it once this is imported,
    and would call a whole log unreadable without it.
    """
    try:
        importlib.import_module("zipfile_zstd")
        error: type[Exception] = importlib.import_module("zstandard").ZstdError
    except ImportError:
        return ()
    return (error,)


def _problem(file: Path) -> str | None:
    """What is wrong with a log; None for a whole one."""
    unreadable: tuple[type[Exception], ...] = (
        BadZipFile, zlib.error, OSError, EOFError, NotImplementedError, *_errors_of_zstd(),
    )  # fmt: skip
    try:
        with ZipFile(file) as log:
            if part := log.testzip():
                return f"its part {part} was changed"
            name = next((one for one in HEADERS if one in log.namelist()), None)
            header = json.loads(log.read(name)) if name else {}
            own = header["eval"]["eval_id"]
    except unreadable:
        return "it is not a whole file of this kind (zip)"
    except (ValueError, KeyError, TypeError):
        return "it has no ids of an Inspect log"
    return None if own == eval_id(file) else "it is the log of other answers"
