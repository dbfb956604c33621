"""The store: content-addressed artifacts that appear whole, and rows that survive a crash.

Below the root lie ``stages/<kind>/<key>/`` (finished artifacts, each with its ``manifest.json``),
``work/<key>/`` (what is under way), ``locks/``, and ``models/`` (the backends' own folders).
An artifact is built in ``work`` and moved into place in one step, so what has a manifest is
complete. Any number of processes may share a store.
"""

import errno
import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...datasets.errors import StoreError

MANIFEST = "manifest.json"
PROGRESS = ".progress"
DISK_FAULTS = frozenset(
    {
        errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM,
        errno.ENOTDIR, errno.EIO,
    }
)  # fmt: skip
"""What the operating system says when it is the disk's fault, and not the work's."""
Manifest = dict[str, Any]


@dataclass(frozen=True)
class ArtifactDraft:
    """The exclusive right to build one artifact, and the folder to build it in."""

    folder: Path
    target: Path

    def progress(self, done: int, total: int, note: str = "") -> None:
        """Leave word of how far the work has come, for whoever shows it."""
        (self.folder / PROGRESS).write_text(f"{done} {total} {note}")

    def publish(self, manifest: Manifest) -> None:
        """Move the folder into place with its manifest; from here on it is complete."""
        (self.folder / PROGRESS).unlink(missing_ok=True)
        files = sorted(path for path in self.folder.iterdir() if path.name != MANIFEST)
        described = {path.name: _described(path) for path in files}
        with (self.folder / MANIFEST).open("w", encoding="utf-8") as file:
            json.dump({**manifest, "files": described}, file, indent=2, ensure_ascii=False)
            file.write("\n")
            file.flush()
            os.fsync(file.fileno())
        self.target.parent.mkdir(parents=True, exist_ok=True)
        self.folder.rename(self.target)
        _sync_folder(self.target.parent)


@dataclass(frozen=True)
class Store:
    """Artifacts below one folder."""

    root: Path

    def open(self) -> None:
        """Make the folder; raises :class:`~limen.StoreError` if nothing can be written there."""
        with self._guarded(every_fault=True):
            for name in ("stages", "work", "locks", "models"):
                (self.root / name).mkdir(parents=True, exist_ok=True)
            ignore = self.root / ".gitignore"
            if not ignore.exists():
                ignore.write_text("*\n")
            probe = self.root / "work" / f".probe-{os.getpid()}"
            probe.write_bytes(b"limen")
            probe.unlink()

    @contextmanager
    def _guarded(self, *, every_fault: bool = False) -> Iterator[None]:
        """Turn what the operating system says of the disk into one clear error."""
        try:
            yield
        except OSError as error:
            if isinstance(error, StoreError):
                raise
            if not every_fault and error.errno not in DISK_FAULTS:
                raise
            raise StoreError(
                f"cannot write to the store {self.root}: {error.strerror or error}. Finished work "
                f"is kept; free some space, or name another folder with --limen-store"
            ) from error

    def artifact(self, kind: str, key: str) -> Path:
        """Where the artifact of that key lies once it is finished."""
        return self.root / "stages" / kind / key

    def manifest(self, kind: str, key: str) -> Manifest | None:
        """The manifest of a finished artifact, or None while there is none."""
        try:
            text = (self.artifact(kind, key) / MANIFEST).read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        try:
            manifest: Manifest = json.loads(text)
        except json.JSONDecodeError as error:
            folder = self.artifact(kind, key)
            raise StoreError(
                f"{folder / MANIFEST} is not JSON ({error}): delete {folder} to build it again"
            ) from None
        return manifest

    def finished(self, kind: str, key: str) -> Manifest:
        """The manifest of a finished artifact; raises :class:`~limen.StoreError` without one."""
        manifest = self.manifest(kind, key)
        if manifest is None:
            raise StoreError(
                f"the {kind} {key} is not in the store {self.root}: name the store that has it "
                f"(--store), or run the command again that makes it"
            )
        return manifest

    def keys(self, kind: str) -> list[str]:
        """The keys of the finished artifacts of a kind, sorted."""
        found = (self.root / "stages" / kind).glob(f"*/{MANIFEST}")
        return sorted(file.parent.name for file in found)

    def has(self, kind: str, key: str) -> bool:
        """Whether the artifact is finished."""
        return (self.artifact(kind, key) / MANIFEST).exists()

    @contextmanager
    def claim(self, kind: str, key: str) -> Iterator[ArtifactDraft | None]:
        """Claim an artifact; None if another process is at work on it right now."""
        from filelock import FileLock, Timeout

        with self._guarded():
            lock = FileLock(self.root / "locks" / f"{key}.lock", timeout=0)
            try:
                lock.acquire()
            except Timeout:
                yield None
                return
            try:
                folder = self.root / "work" / key
                folder.mkdir(parents=True, exist_ok=True)
                yield ArtifactDraft(folder, self.artifact(kind, key))
                if self.has(kind, key):
                    shutil.rmtree(folder, ignore_errors=True)
            finally:
                lock.release()

    def progress(self, key: str) -> tuple[int, int, str] | None:
        """How far a stage under way has come: done, total, a note; None if it has not said."""
        try:
            done, total, note = (self.root / "work" / key / PROGRESS).read_text().split(" ", 2)
            return int(done), int(total), note
        except (OSError, ValueError):
            return None

    def models(self, backend: str) -> Path:
        """The folder that a backend keeps its own things in."""
        return self.root / "models" / backend


def canonical(value: Mapping[str, Any]) -> bytes:
    """The one JSON text of a value that hashes are taken of."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def _described(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        os.fsync(file.fileno())
    return {"sha256": digest, "bytes": path.stat().st_size}


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":  # pragma: no cover - folders cannot be opened there
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
