"""Damage in a store: found before artifacts are read, set aside, and made good where possible.

What can be computed again from sound inputs is computed again. What a service was paid for is never
deleted: its answers are used again if they are sound, and kept with the reason if they are not.
"""

import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ...datasets.artifacts import check_files, read_manifest
from ...datasets.errors import DamageError
from ...datasets.store_layout import ANSWERS, MANIFEST, RATINGS, REASON, ROWS
from .models import WEIGHTS
from .stage import Stage
from .store import Store

SAMPLED = (ANSWERS, ROWS, RATINGS)
"""Files of sampled rows: a stage that finds them complete in its folder requests nothing."""


@dataclass(frozen=True)
class DamagedStage:
    """A stage whose artifact was set aside."""

    stage: Stage
    problem: str
    """The file, and what is wrong with it."""
    folder: Path
    """Where the artifact lies now."""
    lost: bool
    """Whether paid answers are in it that cannot be used again without paying again."""

    def __str__(self) -> str:
        remedy = (
            "it was paid for, so nothing is requested again in this run: restore the file from a "
            "copy, or run the same command again to have it sampled anew, at its price"
            if self.lost
            else f"{self.stage.label!r} is made again"
        )
        return f"{self.problem}. It was moved to {self.folder}, and {remedy}"


def set_aside_damage(
    store: Store,
    targets: Iterable[Stage],
    *,
    is_paid: Callable[[Stage], bool],
    deep: bool = True,
) -> list[DamagedStage]:
    """Check the artifacts that targets need, and set damaged ones aside.

    Artifacts that will be read (the targets, and the inputs of unfinished stages) are compared with
    their hashes; with ``deep`` all others that the targets rest on by their sizes. ``is_paid`` says
    whether a service is paid for a stage.
    """
    check = _Check(store, is_paid, deep=deep)
    for target in targets:
        check.visit(target, reads=True)
    return check.damaged


class _Check:
    """One walk over the stages that targets rest on."""

    def __init__(self, store: Store, is_paid: Callable[[Stage], bool], *, deep: bool) -> None:
        self.damaged: list[DamagedStage] = []
        self._store = store
        self._is_paid = is_paid
        self._deep = deep
        self._visited: dict[str, bool] = {}

    def visit(self, stage: Stage, *, reads: bool) -> None:
        """Check a stage, and then its inputs: they are read if it is to be run."""
        before = self._visited.get(stage.key)
        if before is not None and before >= reads:
            return
        self._visited[stage.key] = reads
        problem = _problem(self._store, stage, hashes=reads)
        if problem:
            self._set_aside(stage, problem)
        unfinished = not self._store.has(stage.kind, stage.key)
        if unfinished or self._deep:
            for given in (*stage.inputs(), *stage.guards()):
                self.visit(given, reads=unfinished)

    def _set_aside(self, stage: Stage, problem: str) -> None:
        paid = self._is_paid(stage)
        with self._store.claim(stage.kind, stage.key) as draft:
            if draft is None:  # another process works on it
                return
            kept = [file for file in _sound_samples(self._store, stage) if paid]
            charged = stage.size() > 0 or _has_cost(self._store, stage)
            folder = _moved(self._store, stage, problem)
            for name in kept:
                shutil.copyfile(folder / name, draft.folder / name)
        lost = paid and charged and not kept
        self.damaged.append(DamagedStage(stage, problem, folder, lost))


def _problem(store: Store, stage: Stage, *, hashes: bool) -> str | None:
    """What is wrong with a finished artifact; None if it is sound, or not finished."""
    folder = store.artifact(stage.kind, stage.key)
    try:
        manifest = read_manifest(store.layout, stage.kind, stage.key)
        if manifest is None:
            return f"{folder / MANIFEST} is missing" if folder.exists() else None
        check_files(folder, manifest["files"], hashes=hashes)
        if hashes:
            check_files(store.root, manifest.get(WEIGHTS, {}))
    except DamageError as error:
        return str(error)
    return None


def _has_cost(store: Store, stage: Stage) -> bool:
    """Whether a stage that samples nothing was charged for, as far as its manifest can be read."""
    try:
        manifest = read_manifest(store.layout, stage.kind, stage.key)
    except DamageError:
        return False
    return manifest is not None and "cost" in manifest


def _sound_samples(store: Store, stage: Stage) -> Iterator[str]:
    """The files of sampled rows that are as the manifest describes them."""
    try:
        manifest = read_manifest(store.layout, stage.kind, stage.key)
    except DamageError:
        return
    for name in SAMPLED:
        if manifest is not None and name in manifest["files"]:
            try:
                yield store.file(stage.kind, stage.key, name).name
            except DamageError:
                continue


def _moved(store: Store, stage: Stage, problem: str) -> Path:
    """Move an artifact, and the weights that it describes, out of the way; returns the folder."""
    target = _free(store.layout.damaged / stage.kind, stage.key)
    weights = _damaged_weights(store, stage)
    target.parent.mkdir(parents=True, exist_ok=True)
    store.artifact(stage.kind, stage.key).rename(target)
    for name in weights:
        if (store.root / name).exists():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            (store.root / name).rename(target / name)
    (target / REASON).write_text(problem + "\n", encoding="utf-8")
    return target


def _damaged_weights(store: Store, stage: Stage) -> list[str]:
    """The files of a fine-tuned model, from the store's root, if any of them is damaged."""
    try:
        manifest = read_manifest(store.layout, stage.kind, stage.key) or {}
    except DamageError:
        return []
    weights = manifest.get(WEIGHTS, {})
    try:
        check_files(store.root, weights)
    except DamageError:
        return list(weights)
    return []


def _free(folder: Path, key: str) -> Path:
    """A folder that does not exist yet."""
    number = 1
    while (folder / f"{key}-{number}").exists():
        number += 1
    return folder / f"{key}-{number}"
