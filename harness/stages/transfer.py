"""Whole artifacts: their size, their removal, and their way into another store or an archive."""

import shutil
import tarfile
import tempfile
from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ...datasets.artifacts import Manifest, check_files, read_manifest
from ...datasets.errors import DamageError, StoreError
from ...datasets.store_layout import StoreLayout
from .models import WEIGHTS
from .store import Store

Id = tuple[str, str]
"""The kind and the key of an artifact."""


@dataclass(frozen=True)
class StoredArtifact:
    """A finished artifact of a store, and the model files that it describes."""

    store: Store
    manifest: Manifest

    @property
    def id(self) -> tuple[str, str]:
        """Its kind and key."""
        return self.manifest["kind"], self.manifest["key"]

    @property
    def inputs(self) -> set[Id]:
        """Kinds and keys of what it was made from."""
        return {(stage["kind"], stage["key"]) for stage in self.manifest["inputs"]}

    @property
    def folder(self) -> Path:
        """Where it lies."""
        return self.store.artifact(*self.id)

    @property
    def paid(self) -> bool:
        """Whether a service was paid for it, or trained it."""
        return "cost" in self.manifest or "job" in self.manifest

    @property
    def usd(self) -> float:
        """What the service was paid, in US dollars, as far as a price was known."""
        return float(self.manifest.get("cost", {}).get("usd") or 0.0)

    @property
    def weights(self) -> list[Path]:
        """The model files, from the store's root."""
        return [Path(name) for name in self.manifest.get(WEIGHTS, {})]

    @property
    def bytes(self) -> int:
        """The size of its files and of its model files."""
        files = [*self.folder.iterdir(), *(self.store.root / name for name in self.weights)]
        return sum(file.stat().st_size for file in files if file.exists())

    def check(self) -> None:
        """Compare every file with its hash; raises :class:`~limen.DamageError`."""
        check_files(self.folder, self.manifest["files"])
        check_files(self.store.root, self.manifest.get(WEIGHTS, {}))

    def remove(self, *, keep: Container[Path] = ()) -> None:
        """Delete it: it leaves its place in one step, so that what is left is no artifact.

        ``keep`` has model files, from the store's root, that other artifacts describe as well.
        """
        going = self.store.layout.removed(*self.id)
        shutil.rmtree(going, ignore_errors=True)
        going.parent.mkdir(parents=True, exist_ok=True)
        self.folder.rename(going)
        shutil.rmtree(going)
        for name in self.weights:
            if name not in keep:
                (self.store.root / name).unlink(missing_ok=True)


def of_other_backends(artifacts: Sequence[StoredArtifact], backend: str) -> set[Id]:
    """Kinds and keys of what stands on a model of another backend, and of what that is made from.

    Args:
        artifacts: All of a store.
        backend: The name of the one whose own artifacts do not count.
    """
    inputs = {artifact.id: artifact.inputs for artifact in artifacts}
    others = {a.id for a in artifacts if a.manifest["identity"].get("backend", backend) != backend}
    return _closure(_closure(others, _uses(inputs)), inputs)


def _uses(inputs: Mapping[Id, set[Id]]) -> dict[Id, set[Id]]:
    """By an artifact, those that are made from it."""
    uses: dict[Id, set[Id]] = defaultdict(set)
    for artifact, made_from in inputs.items():
        for one in made_from:
            uses[one].add(artifact)
    return uses


def _closure(some: set[Id], following: Mapping[Id, set[Id]]) -> set[Id]:
    """Some artifacts, those that follow them, and so on."""
    reached, ahead = set(some), list(some)
    while ahead:
        new = following.get(ahead.pop(), set()) - reached
        reached |= new
        ahead.extend(new)
    return reached


def artifacts_of(store: Store) -> Iterator[StoredArtifact]:
    """The finished artifacts of a store; raises :class:`~limen.DamageError` at a damaged one."""
    return (StoredArtifact(store, manifest) for manifest in store.manifests())


def damage_in(store: Store) -> Iterator[str]:
    """What is damaged in a store, a line for each artifact."""
    for folder in sorted(store.layout.stages.glob("*/*")):
        try:
            manifest = read_manifest(store.layout, folder.parent.name, folder.name)
            if manifest is None:
                raise DamageError(f"{folder} has no manifest: run its experiment again")
            StoredArtifact(store, manifest).check()
        except DamageError as error:
            yield str(error)


def copy_artifacts(artifacts: Iterable[StoredArtifact], target: Store) -> int:
    """Copy artifacts to another store, each checked first; returns how many were not there yet."""
    target.open()
    copied = 0
    for artifact in artifacts:
        artifact.check()
        copied += _take_in(artifact, target)
    return copied


def pack(artifacts: Iterable[StoredArtifact], archive: Path) -> int:
    """Write artifacts to a tar archive, which appears whole; returns how many."""
    scratch = archive.with_name(f".{archive.name}.part")
    count = 0
    try:
        with tarfile.open(scratch, "w") as tar:
            for artifact in artifacts:
                count += 1
                artifact.check()
                root = artifact.store.root
                for file in [artifact.folder, *(root / name for name in artifact.weights)]:
                    tar.add(file, file.relative_to(root).as_posix())
        scratch.replace(archive)
    finally:
        scratch.unlink(missing_ok=True)
    return count


def unpack(archive: Path, target: Store) -> int:
    """Take the artifacts of an archive into a store, each checked first; returns how many are new.

    Raises :class:`~limen.StoreError` if the file is not such an archive.
    """
    target.open()
    with tempfile.TemporaryDirectory(dir=target.layout.work) as folder:
        try:
            with tarfile.open(archive) as tar:
                tar.extractall(folder, filter="data")
        except (tarfile.TarError, OSError) as error:
            raise StoreError(f"{archive} cannot be read as an archive: {error}") from None
        source = Store(Path(folder))
        if problem := next(damage_in(source), None):
            raise DamageError(f"nothing of {archive} was taken: {problem}")
        return sum(_take_in(artifact, target) for artifact in artifacts_of(source))


def _take_in(artifact: StoredArtifact, target: Store) -> bool:
    """Copy one artifact into a store, its manifest's folder last; False if it is there already."""
    kind, key = artifact.id
    with target.claim(kind, key) as draft:
        if draft is None or target.has(kind, key):
            return False
        for name in artifact.weights:
            _copy(artifact.store.root / name, _inside(target.layout, name))
        shutil.rmtree(draft.folder)
        shutil.copytree(artifact.folder, draft.folder)
        draft.target.parent.mkdir(parents=True, exist_ok=True)
        draft.folder.rename(draft.target)
    return True


def _copy(file: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    scratch = target.with_name(f".{target.name}.part")
    shutil.copyfile(file, scratch)
    scratch.replace(target)


def _inside(layout: StoreLayout, name: Path) -> Path:
    """The path of a model file in a store; raises if it would lie anywhere else."""
    path = (layout.root / name).resolve()
    if not path.is_relative_to(layout.models.resolve()):
        raise StoreError(f"{name} is not a model file of a store")
    return path
