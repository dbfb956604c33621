"""Real Dask: a run that is interrupted, beside somebody else's task on the same cluster."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from limen.harness import Lab, Settings
from limen.harness.lab import ProgressListener
from limen.harness.stages import Stage

from ..testing.specs import tiny_experiment

pytestmark = pytest.mark.slow
WAITING = "echo begun >> begun.txt; until test -e end.txt; do sleep 0.1; done"
"""Somebody else's task. Were its worker stopped, it would begin a second time."""
LONG = tiny_experiment().but(recipe={"epochs": 40}, seeds=2)


class Interrupt(ProgressListener):
    """Sends this process a signal once a training on the cluster has begun."""

    def __init__(self, number: int, first: Callable[[], None]) -> None:
        self._number, self._first = number, first
        self.sent = False

    def moved(self, stage: Stage, done: int, total: int, note: str) -> None:
        if stage.kind == "fine-tune" and done and not self.sent:
            self.sent = True
            self._first()
            os.kill(os.getpid(), self._number)


@pytest.fixture
def cluster() -> Iterator[Any]:
    """Three worker processes of one thread each, as ``dask worker --nthreads 1`` starts them."""
    dask = pytest.importorskip("distributed")
    with dask.LocalCluster(n_workers=3, threads_per_worker=1, dashboard_address=None) as made:
        yield made


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_leaves_the_tasks_of_others(
    cluster: Any, number: int, tmp_path: Path
) -> None:
    """Its own tasks end, the other client's goes on, and the same run goes on afterwards."""
    with cluster.get_client() as somebody:
        task = partial(subprocess.run, ("sh", "-c", WAITING), cwd=tmp_path)
        others: list[Any] = []

        def begin() -> None:
            others.append(somebody.submit(task, pure=False))
            while not (tmp_path / "begun.txt").exists():
                time.sleep(0.1)

        settings = Settings(store=tmp_path / "store", executor=f"dask:{cluster.scheduler_address}")
        with pytest.raises(KeyboardInterrupt):
            Lab(settings, watcher=Interrupt(number, begin)).run([(LONG, ["student"])])
        (other,) = others
        left = {key for keys in somebody.processing().values() for key in keys} - {other.key}
        assert not left
        (tmp_path / "end.txt").touch()
        assert other.result().returncode == 0
        assert (tmp_path / "begun.txt").read_text() == "begun\n"
    lab = Lab(settings)
    lab.run([(LONG, ["student"])])
    assert lab.arm(LONG, "student").seeds == 2


class Listening(ProgressListener):
    """Keeps the notes of trainings."""

    def __init__(self) -> None:
        self.notes: set[str] = set()

    def moved(self, stage: Stage, done: int, total: int, note: str) -> None:
        if stage.kind == "fine-tune" and done:
            self.notes.add(note)


def test_progress_needs_no_shared_store(cluster: Any, tmp_path: Path) -> None:
    """It comes as events of the scheduler, with the worker's name."""
    listening = Listening()
    address = f"dask:{cluster.scheduler_address}"
    settings = Settings(store=tmp_path / "store", executor=address, shared_store=False)
    Lab(settings, watcher=listening).run([(LONG.but(recipe={"epochs": 200}), ["student"])])
    assert any("on " in note for note in listening.notes)
    assert not list((tmp_path / "store" / "work").rglob("*.log"))


def test_a_busy_worker_is_no_reason_to_refuse(cluster: Any, tmp_path: Path) -> None:
    """Somebody else's task may run for hours: its worker is asked beside it, and others are used."""
    with cluster.get_client() as somebody:
        task = somebody.submit(subprocess.run, ("sh", "-c", WAITING), cwd=tmp_path, pure=False)
        while not (tmp_path / "begun.txt").exists():
            time.sleep(0.1)
        settings = Settings(store=tmp_path / "store", executor=f"dask:{cluster.scheduler_address}")
        lab = Lab(settings)
        lab.run([(tiny_experiment(), ["baseline"])])
        assert lab.arm(tiny_experiment(), "baseline").rate("horse")
        (tmp_path / "end.txt").touch()
        assert task.result().returncode == 0
