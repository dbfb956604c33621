"""The store: content-addressed artifacts that appear whole, and rows that survive a crash.

An artifact is built in a folder of its own and moved into place in one step, so one that has a
manifest is complete. Any number of processes may share a store. Where its files lie is said in
:mod:`limen.datasets.store_layout`.
"""

import errno
import json
import os
import shutil
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from ...datasets.artifacts import (
    CHECKSUM,
    Manifest,
    checked_file,
    checksum_of,
    described,
    mark_checked,
    read_manifest,
)
from ...datasets.errors import DamageError, StoreError, StoreWarning
from ...datasets.store_layout import MANIFEST, PROGRESS, StoreLayout
from .row_log import Row, read_rows

DISK_FAULTS = frozenset(
    {
        errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM,
        errno.ENOTDIR, errno.EIO,
    }
)  # fmt: skip
"""Error numbers of the operating system that mean the disk, and not the work, is at fault."""
NO_DESCRIPTORS = frozenset({errno.EMFILE, errno.ENFILE})
"""Error numbers that mean too many files are open."""


@dataclass(frozen=True)
class ArtifactDraft:
    """The exclusive right to build one artifact, and the folder to build it in."""

    folder: Path
    target: Path
    node: str = ""
    """The node of a cluster that builds it; empty on this machine."""

    def progress(self, done: int, total: int, note: str = "") -> None:
        """Record how far the work has come, for the process that shows it."""
        place = f"on {self.node}" if self.node else ""
        text = ", ".join(filter(None, [note, place]))
        (self.folder / PROGRESS).write_text(f"{done} {total} {text}")

    def publish(self, manifest: Manifest) -> None:
        """Move the folder into place with its manifest; after this the artifact is complete.

        Files whose names begin with a dot are no part of it, and are removed then.
        """
        (self.folder / PROGRESS).unlink(missing_ok=True)
        found = sorted(path for path in self.folder.iterdir() if path.name != MANIFEST)
        files = [path for path in found if not path.name.startswith(".")]
        for path in files:
            _sync(path)
        facts = json.loads(json.dumps({**manifest, "files": described(self.folder, files)}))
        with (self.folder / MANIFEST).open("w", encoding="utf-8") as file:
            json.dump({**facts, CHECKSUM: checksum_of(facts)}, file, indent=2, ensure_ascii=False)
            file.write("\n")
            file.flush()
            os.fsync(file.fileno())
        self.target.parent.mkdir(parents=True, exist_ok=True)
        self.folder.rename(self.target)
        _sync(self.target.parent)
        for path in files:
            mark_checked(self.target / path.name)
        for path in found:
            if path.name.startswith("."):
                (self.target / path.name).unlink(missing_ok=True)


@dataclass(frozen=True)
class Store:
    """Artifacts below one folder."""

    root: Path

    @cached_property
    def layout(self) -> StoreLayout:
        """Where the store's files lie."""
        return StoreLayout(self.root)

    def open(self) -> None:
        """Make the folder; raises :class:`~limen.StoreError` if nothing can be written there."""
        layout = self.layout
        with self._guarded(every_fault=True):
            for folder in (layout.stages, layout.work, layout.locks, layout.models):
                folder.mkdir(parents=True, exist_ok=True)
            if not layout.gitignore.exists():
                layout.gitignore.write_text("*\n")
            trial = layout.work / f".trial-{os.getpid()}"
            trial.write_bytes(b"limen")
            trial.unlink()

    @contextmanager
    def _guarded(self, *, every_fault: bool = False) -> Iterator[None]:
        """Turn an error of the disk into a :class:`~limen.StoreError` that names the store."""
        try:
            yield
        except OSError as error:
            if isinstance(error, StoreError):
                raise
            if not every_fault and error.errno not in DISK_FAULTS | NO_DESCRIPTORS:
                raise
            remedy = (
                "raise the limit (ulimit -n)"
                if error.errno in NO_DESCRIPTORS
                else "free some space, or name another folder with --limen-store"
            )
            raise StoreError(
                f"cannot write to the store {self.root}: {error.strerror or error}. Finished work "
                f"is kept; {remedy}"
            ) from error

    def artifact(self, kind: str, key: str) -> Path:
        """The folder of an artifact, finished or not."""
        return self.layout.artifact(kind, key)

    def file(self, kind: str, key: str, name: str) -> Path:
        """A file of a finished artifact; raises :class:`~limen.DamageError` if it is damaged."""
        return checked_file(self.layout, kind, key, name)

    def rows(self, kind: str, key: str, name: str) -> Iterator[Row]:
        """The rows of a file of a finished artifact."""
        return read_rows(self.file(kind, key, name))

    def json(self, kind: str, key: str, name: str) -> Any:
        """The value in a JSON file of a finished artifact."""
        return json.loads(self.file(kind, key, name).read_text(encoding="utf-8"))

    def manifest(self, kind: str, key: str) -> Manifest | None:
        """The manifest of a finished artifact, or None while there is none.

        Raises :class:`~limen.DamageError` if it is damaged.
        """
        return read_manifest(self.layout, kind, key)

    def finished(self, kind: str, key: str) -> Manifest:
        """The manifest of a finished artifact; raises :class:`~limen.StoreError` without one."""
        manifest = self.manifest(kind, key)
        if manifest is None:
            raise StoreError(
                f"the {kind} {key} is not in the store {self.root}: name the store that has it "
                f"(--store), or run the command again that makes it"
            )
        return manifest

    def manifests(self, kind: str = "*") -> Iterator[Manifest]:
        """The manifests of the finished artifacts, by kind and key.

        A damaged one is left out with a :class:`~limen.StoreWarning`: it harms only what needs it.
        """
        for file in self.layout.manifests(kind):
            try:
                manifest = self.manifest(file.parent.parent.name, file.parent.name)
            except DamageError as error:
                warnings.warn(f"left out: {error}", StoreWarning, stacklevel=2)
                continue
            if manifest is not None:
                yield manifest

    def keys(self, kind: str, start: str = "") -> list[str]:
        """The keys of the finished artifacts of a kind that begin with ``start``, sorted."""
        return [file.parent.name for file in self.layout.manifests(kind, f"{start}*")]

    def has(self, kind: str, key: str) -> bool:
        """Whether the artifact is finished."""
        return self.layout.manifest(kind, key).exists()

    @contextmanager
    def claim(self, kind: str, key: str, *, node: str = "") -> Iterator[ArtifactDraft | None]:
        """Claim an artifact; None if another process works on it at the moment."""
        from filelock import FileLock, Timeout

        with self._guarded():
            lock = FileLock(self.layout.lock(key), timeout=0)
            try:
                lock.acquire()
            except Timeout:
                yield None
                return
            try:
                folder = self.layout.draft(key)
                folder.mkdir(parents=True, exist_ok=True)
                yield ArtifactDraft(folder, self.artifact(kind, key), node)
                if self.has(kind, key):
                    shutil.rmtree(folder, ignore_errors=True)
            finally:
                lock.release()

    def is_claimed(self, key: str) -> bool:
        """Whether a process works on a stage at the moment."""
        from filelock import FileLock, Timeout

        if not self.layout.lock(key).exists():
            return False
        try:
            with FileLock(self.layout.lock(key), timeout=0, is_singleton=False):
                return False
        except Timeout:
            return True

    def progress(self, key: str) -> tuple[int, int, str] | None:
        """How far a stage in progress has come: done, total, a note; None if it is not known."""
        try:
            done, total, note = self.layout.progress(key).read_text().split(" ", 2)
            return int(done), int(total), note
        except (OSError, ValueError):
            return None

    def models(self, backend: str) -> Path:
        """The folder in which a backend keeps its models."""
        return self.layout.backend(backend)


def canonical(value: Mapping[str, object]) -> bytes:
    """The one JSON text of a value that hashes are taken of."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def _sync(path: Path) -> None:
    """Have a file, or the names in a folder, on the disk."""
    if os.name == "nt":  # pragma: no cover - folders cannot be opened there
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
