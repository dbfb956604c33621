"""Faults of the machine while a stage is run: the same artifact in the end, and nothing lost."""

import math
import os
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from limen.harness.lab import in_order
from limen.harness.stages import (
    FineTune,
    Stage,
    Store,
    damage_in,
    run_stage,
)

from ..testing.faults import FAULTS, KILL, Fault, in_child
from ..testing.kinds import FINISHED, OPTIONAL, all_kinds, stage_of_kind
from ..testing.labs import ALL_ARMS, lab_at, made
from ..testing.specs import tiny_experiment

CLEAR = ("StoreError: ", "BackendError: ", "DamageError: ")

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="a child is a fork")
faults = pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name.replace(" ", "-"))


@pytest.fixture
def store(finished_store: Path, tmp_path: Path) -> Store:
    """A copy of a store in which the tiny experiment has run."""
    return Store(Path(shutil.copytree(finished_store, tmp_path / "store")))


def stage_of(store: Store, kind: str) -> Stage:
    """A stage of a kind, its inputs finished."""
    lab = lab_at(store.root)
    finished = in_order(lab.pipeline(tiny_experiment()).all_targets(ALL_ARMS))
    stage = stage_of_kind(kind, finished, store.root.parent)
    for given in stage.inputs():
        made(lab, given)
    return stage


def remove(store: Store, stage: Stage) -> None:
    """Take an artifact away, and the model that a fine-tuning left."""
    manifest = store.manifest(stage.kind, stage.key)
    if manifest is None:
        return
    for name in manifest["weights"] if isinstance(stage, FineTune) else ():
        (store.root / name).unlink()
    shutil.rmtree(store.artifact(stage.kind, stage.key))


def files_of(store: Store, stage: Stage) -> object:
    """The sizes and hashes of an artifact's files, and of its model's."""
    manifest = store.finished(stage.kind, stage.key)
    return manifest["files"], manifest.get("weights")


def survives(store: Store, stage: Stage, fault: Fault, at: int) -> None:
    """Run a stage with a fault, and again without: check what is there in between and after."""
    others = {(m["kind"], m["key"]) for m in store.manifests()} - {(stage.kind, stage.key)}
    expected = files_of(store, stage)
    remove(store, stage)
    ended = in_child(partial(run_stage, stage, store.root), store.root, fault, at=at)
    place = f"{stage.kind}, {fault.name} at operation {at}: {ended.error}"
    assert ended.killed == (fault is KILL and ended.value is None), place
    assert not ended.error or ended.error.startswith(CLEAR), place
    assert "\n" not in ended.error, place
    assert not (fault.jump and ended.error), place
    assert not list(damage_in(store)), place
    assert run_stage(stage, store.root), place
    assert files_of(store, stage) == expected, place
    assert {(m["kind"], m["key"]) for m in store.manifests()} >= others, place
    assert not [file for file in store.layout.work.iterdir() if file.is_dir()], place


def operations(store: Store, stage: Stage) -> int:
    """How many operations on the store a stage's run takes."""
    assert run_stage(stage, store.root)
    remove(store, stage)
    ended = in_child(partial(run_stage, stage, store.root), store.root)
    assert ended.value is True
    return ended.operations


@faults
@pytest.mark.parametrize("kind", ["generate", "filter", "score"])
def test_a_stage_survives_a_fault(store: Store, kind: str, fault: Fault) -> None:
    """Whatever happens half-way: the artifact is made after all, and it is the same."""
    stage = stage_of(store, kind)
    survives(store, stage, fault, operations(store, stage) // 2)


def test_every_kind_of_stage_is_in_the_table() -> None:
    """A new kind needs a stage in ``tests/testing/kinds.py``, which the faults then go over."""
    assert sorted([*FINISHED, *OPTIONAL]) == sorted(all_kinds())


@pytest.mark.slow
@faults
@pytest.mark.parametrize("kind", [*FINISHED, *OPTIONAL])
def test_every_kind_of_stage_survives_every_fault(store: Store, kind: str, fault: Fault) -> None:
    """The same for all kinds of stages; kills come at up to 30 operations, others at three."""
    stage = stage_of(store, kind)
    total = operations(store, stage)
    step = math.ceil(total / 30) if fault is KILL else max(1, total // 3)
    for at in range(1, total + 1, step):
        survives(store, stage, fault, at)


@pytest.mark.parametrize(
    "fault",
    [fault for fault in FAULTS if fault.errno is not None],
    ids=lambda fault: fault.name.replace(" ", "-"),
)
def test_the_error_says_what_is_wrong(store: Store, fault: Fault) -> None:
    """One line with the system's words and a remedy."""
    stage = stage_of(store, "filter")
    remove(store, stage)
    ended = in_child(partial(run_stage, stage, store.root), store.root, fault, at=1)
    assert os.strerror(fault.errno or 0) in ended.error
    assert "--limen-store" in ended.error or "ulimit" in ended.error


def writes_of(store: Store) -> Callable[[], object]:
    """Writes the record of a run and its report."""
    from limen.harness.reporting import make_run, result_of
    from limen.reports import keep_run, report_of, write_report

    lab = lab_at(store.root)
    result = result_of(lab, "tiny", tiny_experiment(), ALL_ARMS)
    run = make_run([], [result], command="pytest", seconds=1.0, root=store.root)

    def write() -> None:
        keep_run(run, store.root)
        write_report(report_of([run]), store.root / "report.md")

    return write


@pytest.mark.slow
@faults
def test_a_report_survives_a_fault(store: Store, fault: Fault) -> None:
    """A record or a report is whole or not there, and the same command writes it."""
    from limen.reports import runs_of

    write = writes_of(store)
    total = in_child(write, store.root).operations
    for at in range(1, total + 1, max(1, total // 8)):
        shutil.rmtree(store.layout.runs)
        (store.root / "report.md").unlink(missing_ok=True)
        in_child(write, store.root, fault, at=at)
        if store.layout.runs.exists() and list(store.layout.runs.glob("[!.]*.json")):
            assert len(runs_of(store.root)) == 1
        write()
        assert len(runs_of(store.root)) == 1
        assert (store.root / "report.md").stat().st_size > 1_000
