"""A stage on a node: what is sent there, and what is done with it there."""

import os
import socket
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from ...backends import ServiceTerms
from ..stages import (
    Stage,
    Store,
    StoredArtifact,
    Subject,
    pack,
    run_stage,
    unpack,
    without_trials,
)
from .base import NODE_VARIABLE, MessageSender
from .remote_progress import LOG_LINES, log_of, messages_sent


@dataclass(frozen=True, kw_only=True)
class RemoteStage:
    """One stage, and all that its worker must be given."""

    stage: Stage
    root: Path
    """The store: the driver's, or where nodes share nothing its path on the driver."""
    terms: ServiceTerms
    variables: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Environment variables for the worker."""
    packed: bytes | None = field(default=None, repr=False)
    """The artifacts that the stage reads, where nodes share no store."""
    sender: MessageSender | None = field(default=None, repr=False)
    """The way of its progress to the driver, where nodes share no store."""


def run_remote(task: RemoteStage) -> bool | bytes:
    """Run a stage on this node. Its artifact is returned if the store is not the driver's.

    False: another process is building it now.
    """
    with _environment(task.variables), without_trials():
        if task.packed is not None:
            return _run_packed(task, task.packed)
        return _run_in(Store(task.root), task)


def node_name() -> str:
    """The name that the executor gives this node, or else the machine's."""
    return os.environ.get(NODE_VARIABLE) or socket.gethostname()


def _run_in(store: Store, task: RemoteStage) -> bool:
    log = log_of(store, task.stage.key)
    with _output_kept_in(log):
        finished = run_stage(task.stage, store.root, task.terms, node=node_name())
    log.unlink(missing_ok=True)
    return finished


def last_words(store: Store, stage: Stage) -> str:
    """The node of a stage that was lost, and the last lines that its worker wrote."""
    try:
        head, *lines = log_of(store, stage.key).read_text(errors="replace").splitlines()
    except (OSError, ValueError):
        return ""
    shown = "\n  ".join(lines[-LOG_LINES:])
    return f"{head}; its last output:\n  {shown}" if lines else f"{head}; it wrote nothing"


def packed_inputs(store: Store, stage: Stage) -> bytes:
    """The artifacts that a stage reads, in one archive."""
    needed = {each.key: each for each in _read_by(stage)}
    found = (store.manifest(each.kind, each.key) for each in needed.values())
    return _packed([StoredArtifact(store, manifest) for manifest in found if manifest])


def _read_by(stage: Stage) -> Iterator[Stage]:
    """A stage's inputs, and the models that its models are made of."""
    for given in stage.inputs():
        yield given
        if isinstance(given, Subject):
            yield from (each for each in _read_by(given) if isinstance(each, Subject))


def take_in(store: Store, packed: bytes) -> None:
    """Take a stage's artifact, as its node returned it, into the driver's store."""
    with _as_file(packed) as archive:
        unpack(archive, store)


def _run_packed(task: RemoteStage, packed: bytes) -> bytes:
    """Run a stage in a store of this process, which stays: what it has is not unpacked again."""
    store = _store_of_process()
    with _as_file(packed) as archive:
        unpack(archive, store)
    with messages_sent(store, task.stage, task.sender):
        finished = _run_in(store, task)
    if not finished:
        raise RuntimeError(f"{task.stage.label} is being built in the store {store.root}")
    manifest = store.finished(task.stage.kind, task.stage.key)
    return _packed([StoredArtifact(store, manifest)])


_folders: list[tempfile.TemporaryDirectory[str]] = []


def _store_of_process() -> Store:
    if not _folders:
        _folders.append(tempfile.TemporaryDirectory(prefix="limen-"))
    store = Store(Path(_folders[0].name).resolve() / "store")
    store.open()
    return store


def _packed(artifacts: list[StoredArtifact]) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        archive = Path(folder) / "artifacts.tar"
        pack(artifacts, archive)
        return archive.read_bytes()


@contextmanager
def _as_file(packed: bytes) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        archive = Path(folder) / "artifacts.tar"
        archive.write_bytes(packed)
        yield archive


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Set variables while a stage runs, and have them as they were afterwards."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextmanager
def _output_kept_in(log: Path) -> Iterator[None]:
    """Write what this process writes to a file, also what libraries write past Python."""
    with log.open("w", encoding="utf-8") as file:
        file.write(f"it ran on {node_name()} (process {os.getpid()})\n")
        file.flush()
        kept = [(number, os.dup(number)) for number in (1, 2)]
        for number, _ in kept:
            os.dup2(file.fileno(), number)
        try:
            yield
        finally:
            for stream in (sys.stdout, sys.stderr):
                with suppress(OSError, ValueError):
                    stream.flush()
            for number, own in kept:
                os.dup2(own, number)
                os.close(own)
