"""Faults of the machine, injected into a child process at its n-th operation on some folder.

The child is a fork, so that it starts at once. Its operations on files (open, write, fsync, rename,
unlink, mkdir) are counted; at the n-th the fault begins: the process is killed, or the operation
and those after it fail as they do on a full disk, on a broken one, or out of descriptors.
"""

import builtins
import errno
import io
import os
import pickle
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

WRITING = frozenset("wax+")


@dataclass(frozen=True)
class Fault:
    """What fails, from which operation on."""

    name: str
    errno: int | None = None
    """The error of the operations that fail; None for a kill, or for a clock that jumps."""
    operations: frozenset[str] = frozenset()
    """Which operations fail."""
    jump: float = 0.0
    """Seconds by which the clock jumps."""


CHANGES = frozenset({"create", "write", "replace", "rename", "unlink", "mkdir", "sync"})
KILL = Fault("kill -9")
FAULTS = (
    KILL,
    Fault("full disk", errno.ENOSPC, frozenset({"create", "write", "mkdir"})),
    Fault("fsync fails", errno.EIO, frozenset({"sync"})),
    Fault("no descriptors", errno.EMFILE, frozenset({"open", "create"})),
    Fault("read-only", errno.EROFS, CHANGES - {"sync"}),
    Fault("clock back", jump=-86_400.0),
    Fault("clock ahead", jump=3e8),
)


@dataclass(frozen=True)
class Ended:
    """How a child ended."""

    killed: bool
    operations: int
    """How many operations it did on the folder; unknown (0) if it was killed."""
    value: Any = None
    error: str = ""
    """Class and message of what it raised; empty if nothing."""


def in_child(
    work: Callable[[], Any], folder: Path, fault: Fault = KILL, *, at: int | None = None
) -> Ended:
    """Do some work in a child in which a fault begins at an operation; None for no fault."""
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        os.close(reader)
        report = _Child(folder.resolve(), fault, at).report(work)
        with open(writer, "wb") as pipe:
            pipe.write(pickle.dumps(report))
        os._exit(0)
    os.close(writer)
    with open(reader, "rb") as pipe:
        content = pipe.read()
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return Ended(killed=True, operations=0)
    ended: Ended = pickle.loads(content)
    return ended


@dataclass
class _Child:
    """Counts a process's operations on a folder, and has them fail."""

    folder: Path
    fault: Fault
    at: int | None
    count: int = 0

    def report(self, work: Callable[[], Any]) -> Ended:
        """Do the work with the fault, and say how it ended."""
        try:
            with self._patched():
                value = work()
        except Exception as error:
            text = f"{type(error).__name__}: {error}"
            return Ended(killed=False, operations=self.count, error=text)
        return Ended(killed=False, operations=self.count, value=value)

    def tick(self, operation: str, where: Any) -> None:
        """Count an operation, and raise or die if it is to fail."""
        if not self._is_inside(where):
            return
        self.count += 1
        if self.at is None or self.count < self.at or self.fault.jump:
            return
        if self.fault is KILL:
            os.kill(os.getpid(), signal.SIGKILL)
        if operation in self.fault.operations and self.fault.errno is not None:
            raise OSError(self.fault.errno, os.strerror(self.fault.errno), str(where))

    def _is_inside(self, where: Any) -> bool:
        if isinstance(where, int):
            try:
                where = os.readlink(f"/proc/self/fd/{where}")
            except OSError:
                return False
        path: str = os.path.abspath(os.fspath(where))
        return path.startswith(str(self.folder))

    @contextmanager
    def _patched(self) -> Iterator[None]:
        opened = self._open
        with (
            patch.object(builtins, "open", opened),
            patch.object(io, "open", opened),
            patch.object(os, "open", self._wrapped(os.open, "create")),
            patch.object(os, "fsync", self._wrapped(os.fsync, "sync")),
            patch.object(os, "fdatasync", self._wrapped(os.fdatasync, "sync")),
            patch.object(os, "replace", self._wrapped(os.replace, "replace")),
            patch.object(os, "rename", self._wrapped(os.rename, "rename")),
            patch.object(os, "unlink", self._wrapped(os.unlink, "unlink")),
            patch.object(os, "rmdir", self._wrapped(os.rmdir, "unlink")),
            patch.object(os, "mkdir", self._wrapped(os.mkdir, "mkdir")),
            patch.object(time, "time", self._time(time.time)),
        ):
            yield

    def _wrapped(self, real: Callable[..., Any], operation: str) -> Callable[..., Any]:
        def call(where: Any, *args: Any, **options: Any) -> Any:
            reads = operation == "create" and not args[0] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
            folder = options.get("dir_fd")
            named = where if folder is None else f"{os.readlink(f'/proc/self/fd/{folder}')}/{where}"
            self.tick("open" if reads else operation, named)
            return real(where, *args, **options)

        return call

    def _time(self, real: Callable[[], float]) -> Callable[[], float]:
        def now() -> float:
            jumped = self.at is not None and self.count >= self.at
            return real() + (self.fault.jump if jumped else 0.0)

        return now

    def _open(
        self, file: Any, mode: str = "r", buffering: int = -1, encoding: str | None = None,
        errors: str | None = None, newline: str | None = None, **options: Any,
    ) -> Any:  # fmt: skip
        writes = bool(WRITING & set(mode))
        if not isinstance(file, int):
            self.tick("create" if writes else "open", file)
        raw = _File(file, mode.replace("b", "").replace("t", ""), **options)
        raw.child = self if writes else None
        if buffering == 0:
            return raw
        buffered = (
            io.BufferedRandom(raw) if "+" in mode
            else io.BufferedWriter(raw) if writes else io.BufferedReader(raw)
        )  # fmt: skip
        if "b" in mode:
            return buffered
        return io.TextIOWrapper(buffered, encoding or "utf-8", errors, newline)


class _File(io.FileIO):
    """A file whose writes are operations."""

    child: _Child | None = None

    def write(self, data: Any) -> int:
        if self.child is not None:
            self.child.tick("write", self.fileno())
        return super().write(data)
