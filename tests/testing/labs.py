"""Labs that do their stages in this process: tests of what stages leave behind take no time."""

import json
from collections.abc import Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from limen.datasets.artifacts import checksum_of, described
from limen.harness import Lab, Settings
from limen.harness.lab import ProgressListener, in_order
from limen.harness.stages import Stage, run_stage

ALL_ARMS = ("baseline", "teacher", "student", "control")


class Here(Executor):
    """Does what it is given at once."""

    def submit(self, fn, /, *args, **kwargs):  # type: ignore[no-untyped-def]
        future: Future[object] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


@contextmanager
def here(workers: int) -> Iterator[Executor]:
    """An executor of this process."""
    yield Here()


def lab_at(store: Path, *, watcher: ProgressListener | None = None, **settings: Any) -> Lab:
    """A lab that does everything in this process."""
    return Lab(Settings(store=store, **settings), watcher=watcher, executor=here)


def made(lab: Lab, stage: Stage) -> Path:
    """The folder of a stage's artifact, which is made with all that it rests on if it is missing."""
    lab.store.open()
    for each in in_order([stage]):
        if not lab.store.has(each.kind, each.key):
            assert run_stage(each, lab.store.root)
    return lab.store.artifact(stage.kind, stage.key)


def describe_again(lab: Lab, stage: Stage) -> None:
    """Have a stage's manifest describe its files as a test has changed them."""
    folder = lab.store.artifact(stage.kind, stage.key)
    file = folder / "manifest.json"
    manifest = json.loads(file.read_text(encoding="utf-8"))
    manifest["files"] = described(folder, [folder / name for name in manifest["files"]])
    manifest["checksum"] = checksum_of(manifest)
    file.write_text(json.dumps(manifest), encoding="utf-8")


def lines(file: Path) -> list[dict[str, Any]]:
    """The rows of a file."""
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


class Diary(ProgressListener):
    """Remembers which stages were started."""

    def __init__(self) -> None:
        self.started_stages: list[Stage] = []

    def started(self, stage: Stage) -> None:
        self.started_stages.append(stage)
