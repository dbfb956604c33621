"""Finished artifacts as they lie on the disk: reading them, and finding damage in them.

A manifest records the size and the SHA-256 of each file of its artifact, and a checksum of itself.
A file is hashed once in a process, and again only if its size, times or inode have changed since.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from .errors import DamageError
from .store_layout import MANIFEST, StoreLayout

Manifest = dict[str, Any]
Signature = tuple[int, int, int, int]
CHECKSUM = "checksum"
"""The field of a manifest that has the hash of all other fields."""
_REQUIRED: Mapping[str, type] = {
    "kind": str, "key": str, "label": str, "inputs": list, "identity": dict, "files": dict,
    "started": str,
}  # fmt: skip

MOST_MANIFESTS = 1024
"""Parsed manifests that a process keeps."""

_checked: dict[Path, Signature] = {}
"""Files that this process has written, or has compared with their hash."""


def digest_of(file: Path) -> str:
    """The SHA-256 of a file, as manifests record it."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def mark_checked(file: Path) -> None:
    """Record that this process knows the file to be what its manifest describes."""
    _checked[file.absolute()] = _signature(file)


def checksum_of(manifest: Mapping[str, Any]) -> str:
    """The hash of a manifest's fields, but for the checksum itself."""
    fields = {name: value for name, value in manifest.items() if name != CHECKSUM}
    return hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()


def read_manifest(layout: StoreLayout, kind: str, key: str) -> Manifest | None:
    """The manifest of an artifact; None if it is not finished.

    Raises :class:`~limen.DamageError` if the file is not the manifest of this artifact.
    """
    file = layout.manifest(kind, key)
    try:
        return dict(_parsed_manifest(file.absolute(), kind, key, _signature(file)))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise DamageError(f"{file} cannot be read: {error.strerror or error}") from None


@lru_cache(maxsize=MOST_MANIFESTS)
def _parsed_manifest(file: Path, kind: str, key: str, signature: Signature) -> Manifest:
    """A manifest as it is now; a warm run reads each of them about eight times."""
    try:
        manifest = json.loads(file.read_text(encoding="utf-8"))
    except UnicodeDecodeError:
        raise DamageError(f"{file} is damaged: it is not UTF-8") from None
    except ValueError as error:
        raise DamageError(f"{file} is damaged: it is not JSON ({error})") from None
    known = _checked.get(file) == signature
    if problem := _manifest_problem(manifest, kind, key, known=known):
        raise DamageError(f"{file} is damaged: {problem}")
    _checked[file] = signature
    parsed: Manifest = manifest
    return parsed


def check_files(
    folder: Path, files: Mapping[str, Mapping[str, Any]], *, hashes: bool = True
) -> None:
    """Compare files below a folder with their recorded sizes and, with ``hashes``, SHA-256.

    Raises :class:`~limen.DamageError` at the first that differs.
    """
    for name, recorded in files.items():
        if problem := _file_problem(folder / name, recorded, hashes=hashes):
            raise DamageError(f"{folder / name} is damaged: {problem}")


def checked_file(layout: StoreLayout, kind: str, key: str, name: str) -> Path:
    """The path of a file of a finished artifact, compared with its manifest.

    Raises :class:`~limen.DamageError` if the artifact is missing, damaged, or has no such file.
    """
    folder = layout.artifact(kind, key)
    manifest = read_manifest(layout, kind, key)
    if manifest is None:
        raise DamageError(f"{folder / MANIFEST} is missing: run the command again that makes it")
    if name not in manifest["files"]:
        raise DamageError(f"{folder / MANIFEST} is damaged: it does not describe {name}")
    check_files(folder, {name: manifest["files"][name]})
    return folder / name


def described(folder: Path, files: Iterable[Path]) -> dict[str, dict[str, Any]]:
    """The sizes and hashes of files, by their path below a folder, as manifests record them."""
    return {
        file.relative_to(folder).as_posix(): {
            "sha256": digest_of(file),
            "bytes": file.stat().st_size,
        }
        for file in files
    }


def _manifest_problem(manifest: object, kind: str, key: str, *, known: bool) -> str | None:
    if not isinstance(manifest, dict):
        return "it is not a JSON object"
    lacking = [name for name, kind in _REQUIRED.items() if not isinstance(manifest.get(name), kind)]
    if lacking:
        return f"it has no {lacking[0]!r}"
    if (manifest["kind"], manifest["key"]) != (kind, key):
        return f"it describes the {manifest['kind']} {manifest['key']}"
    if not all(map(_is_record, manifest["files"].values())):
        return "it does not have size and hash of each file"
    if not known and manifest.get(CHECKSUM, checksum := checksum_of(manifest)) != checksum:
        return "it was changed after it was written (its checksum differs)"
    return None


def _is_record(record: object) -> bool:
    return (
        isinstance(record, dict)
        and isinstance(record.get("sha256"), str)
        and isinstance(record.get("bytes"), int)
    )


def _file_problem(file: Path, recorded: Mapping[str, Any], *, hashes: bool) -> str | None:
    try:
        signature = _signature(file)
        if signature[0] != recorded["bytes"]:
            return f"it has {signature[0]:,} bytes, and {recorded['bytes']:,} were written"
        if not hashes or _checked.get(file) == signature:
            return None
        if digest_of(file) != recorded["sha256"]:
            return "its content was changed after it was written (its hash differs)"
    except OSError as error:
        missing = isinstance(error, FileNotFoundError)
        return "it is missing" if missing else f"it cannot be read ({error.strerror or error})"
    _checked[file.absolute()] = signature
    return None


def _signature(file: Path) -> Signature:
    facts = file.stat()
    return facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns, facts.st_ino
