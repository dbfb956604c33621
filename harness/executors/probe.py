"""Whether nodes are fit for a run: the same versions, one clock, and a store that they share."""

import os
import platform
import subprocess
import time
import uuid
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from ...backends import Needs
from ...datasets.errors import SpecError
from ..stages import DECIDING, Store
from .base import LostWorkerError, Node, StageExecutor

CLOCK_SECONDS = 60.0
"""Clocks of driver and nodes may differ by this much."""
ANSWER_SECONDS = 90.0
"""How long a node may take for its answer: its first process has to start."""
MUST_AGREE = ("python", "limen")


@dataclass(frozen=True, kw_only=True)
class NodeFacts:
    """What a node says of itself."""

    versions: dict[str, str]
    clock: float
    gpu_memory: float | None
    """GiB of its smallest GPU."""
    store_faults: tuple[str, ...] = ()
    """What does not work in the store there, each with its remedy."""


@dataclass(frozen=True)
class StoreProbe:
    """A folder in the store through which driver and nodes see each other's files."""

    folder: Path
    token: str = field(default_factory=lambda: uuid.uuid4().hex)

    @contextmanager
    def set_up(self) -> Iterator[None]:
        """The driver's side: its file, and a lock that it holds."""
        from filelock import FileLock

        self.folder.mkdir(parents=True)
        (self.folder / "driver").write_text(self.token)
        try:
            with FileLock(self.folder / "lock"):
                yield
        finally:
            for file in sorted(self.folder.rglob("*"), reverse=True):
                file.rmdir() if file.is_dir() else file.unlink(missing_ok=True)
            self.folder.rmdir()

    def faults(self, name: str) -> Iterator[str]:
        """The node's side: what does not work there."""
        try:
            seen = (self.folder / "driver").read_text()
        except OSError:
            seen = ""
        if seen != self.token:
            yield (
                f"it does not see the files of {self.folder.parents[1]}: put the store on a file "
                f"system that all nodes mount at this path, or run with --limen-no-shared-store"
            )
            return
        if not self._is_locked():
            yield (
                "it can take a lock that the driver holds: mount with locks (NFSv4, or Lustre "
                "with -o flock; NFSv3 and object mounts have none), or run with "
                "--limen-no-shared-store"
            )
        try:
            made = self.folder / f"draft-{name}"
            made.mkdir()
            (made / "file").write_text(self.token)
            made.rename(self.folder / name)
        except OSError as error:
            yield (
                f"it cannot write and rename there ({error.strerror or error}): give it the right "
                f"to write, on a file system with renames (not an object store)"
            )

    def _is_locked(self) -> bool:
        from filelock import FileLock, Timeout

        try:
            with FileLock(self.folder / "lock", timeout=0, is_singleton=False):
                return False
        except Timeout:
            return True
        except OSError:
            return False

    def arrived(self, name: str) -> bool:
        """Whether the driver sees what a node wrote and renamed."""
        try:
            return (self.folder / name / "file").read_text() == self.token
        except OSError:
            return False


def facts_here(probe: StoreProbe | None, name: str) -> NodeFacts:
    """What is to be known of this node; ``probe`` if it is to share the driver's store."""
    return NodeFacts(
        versions=installed_versions(),
        clock=time.time(),
        gpu_memory=_gpu_memory(),
        store_faults=tuple(probe.faults(name)) if probe else (),
    )


def installed_versions() -> dict[str, str]:
    """The versions of Python, limen and the libraries that may change what a stage leaves."""
    found = {"python": ".".join(platform.python_version_tuple()[:2])}
    for name in ("limen", *DECIDING):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def _gpu_memory() -> float | None:
    """GiB of the smallest GPU, of all that the machine has; asked without loading PyTorch."""
    command = ["nvidia-smi", "--query-gpu=memory.total", "--format=csv,noheader,nounits"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
        return min(int(line) for line in done.stdout.split()) / 1024
    except (OSError, ValueError, subprocess.SubprocessError):
        return None


def probe_nodes(
    executor: StageExecutor, nodes: Sequence[Node], store: Store, *, shared: bool
) -> dict[str, NodeFacts]:
    """What each node says of itself, by id; all nodes are asked at the same time.

    Raises :class:`~limen.SpecError` with what is wrong on which node, and its remedy.
    """
    probe = StoreProbe(store.layout.work / f".probe-{os.getpid()}-{uuid.uuid4().hex[:8]}")
    began = time.time()
    given = probe if shared else None
    with probe.set_up():
        calls = [
            executor.submit(
                partial(facts_here, given, _place(number)),
                needs=Needs(cores=0, gpus=0),
                node=node.id,
            )
            for number, node in enumerate(nodes)
        ]
        wait(calls, timeout=ANSWER_SECONDS)
        faults = [
            f"{node.name}: {fault}"
            for number, (node, call) in enumerate(zip(nodes, calls, strict=True))
            for fault in _faults(call, began, given, number)
        ]
    if faults:
        raise SpecError("these nodes cannot be used:" + "".join(f"\n  {f}" for f in faults))
    return {node.id: call.result() for node, call in zip(nodes, calls, strict=True)}


def _place(number: int) -> str:
    return f"node-{number}"


def _faults(
    call: "Future[NodeFacts]", began: float, probe: StoreProbe | None, number: int
) -> Iterator[str]:
    """What is wrong with a node, by its answer."""
    if not call.done() or call.exception():
        yield _unanswered(call.exception() if call.done() else None)
        return
    said, here = call.result(), installed_versions()
    for name in MUST_AGREE:
        if said.versions[name] != here[name]:
            yield f"{name} {said.versions[name]}, and {here[name]} here: install the same version"
    late = max(began - said.clock, said.clock - time.time())
    if late > CLOCK_SECONDS:
        yield f"its clock is {late:.0f} s off: set it (chrony, ntp)"
    yield from said.store_faults
    if probe and not said.store_faults and not probe.arrived(_place(number)):
        yield (
            f"the driver does not see what it writes to {probe.folder.parents[1]}: mount without "
            f"caches of attributes (noac), or run with --limen-no-shared-store"
        )


def _unanswered(error: BaseException | None) -> str:
    if error is None:
        return f"no answer within {ANSWER_SECONDS:.0f} s; look at its worker processes"
    if isinstance(error, ImportError | AttributeError) or "ModuleNotFound" in str(error):
        return f"limen cannot be imported there ({error}): install the version that runs here"
    kind = "" if isinstance(error, LostWorkerError) else f"{type(error).__name__}: "
    return f"{kind}{error}"


def other_versions(facts: NodeFacts) -> list[str]:
    """Libraries that differ from here: results may differ in their last digits."""
    here = installed_versions()
    return [
        f"{name} {there} (here {here[name]})"
        for name, there in facts.versions.items()
        if name not in MUST_AGREE and there != here[name]
    ]
