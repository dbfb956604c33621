"""The progress of stages on nodes that share nothing with the driver."""

from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from limen import ExperimentError
from limen.backends import Needs
from limen.harness import Lab, Settings
from limen.harness.executors import LostWorkerError, MessageSender, RemoteStage, StageMessage
from limen.harness.lab import ProgressListener
from limen.harness.stages import Stage

from ..testing.executors import NAME, MadeUpExecutor
from ..testing.specs import tiny_experiment

PATIENCE = 60


class Dropped:
    """The sender of an executor whose messages these tests write themselves."""

    def open(self) -> Callable[[StageMessage], None]:
        return lambda message: None


class Watching(ProgressListener):
    """Keeps what it hears of the stages that have begun."""

    def __init__(self) -> None:
        self.notes: set[str] = set()
        self.moved_once = Event()

    def moved(self, stage: Stage, done: int, total: int, note: str) -> None:
        self.notes.add(f"{stage.kind}: {done} of {total}, {note}")
        self.moved_once.set()


@pytest.fixture
def messaging(
    made_up: type[MadeUpExecutor], monkeypatch: pytest.MonkeyPatch
) -> type[MadeUpExecutor]:
    """The made-up executor, with workers that can send messages."""

    class Messaging(MadeUpExecutor):
        heard = Event()
        lost = False

        def message_sender(self, receive: Callable[[StageMessage], None], /) -> MessageSender:
            self.receive = receive
            return Dropped()

        def submit(
            self, call: Callable[[], Any], /, *, needs: Needs, node: str | None = None
        ) -> Future[Any]:
            if not (isinstance(call, partial) and isinstance(call.args[0], RemoteStage)):
                return super().submit(call, needs=needs, node=node)
            key, log = call.args[0].stage.key, "it ran on one (process 7)\nout of memory"
            self.receive(StageMessage(key=key, progress="3 10 rows, on one", log=log))
            return self._pool.submit(self._finish, call, key)

        def _finish(self, call: Callable[[], Any], key: str) -> object:
            assert self.heard.wait(PATIENCE)
            if self.lost:
                raise LostWorkerError("killed")
            value = call()
            self.receive(StageMessage(key=key, progress="10 10 late", log="late"))
            return value

    import sys

    monkeypatch.setattr(sys.modules["madeup_limen"], "EXECUTOR", Messaging)
    return Messaging


def run(store: Path, watcher: Watching, **settings: Any) -> Lab:
    """Run the tiny experiment's base on nodes that share nothing."""
    lab = Lab(Settings(store=store, executor=NAME, shared_store=False, **settings), watcher=watcher)
    lab.run([(tiny_experiment(), ["baseline"])])
    return lab


def test_progress_is_shown_with_its_node(messaging: Any, store: Path) -> None:
    """As that of nodes that share the driver's store."""
    watching = Watching()
    messaging.heard = watching.moved_once
    run(store, watching)
    assert "base: 3 of 10, rows, on one" in watching.notes


def test_nothing_of_it_is_left(messaging: Any, store: Path) -> None:
    """Not even of messages that come after their stage's end."""
    messaging.heard.set()
    run(store, Watching())
    assert not [file for file in (store / "work").rglob("*") if file.is_file()]


def test_a_lost_workers_last_lines_are_shown(messaging: Any, store: Path) -> None:
    """Although its log was on a node that may be gone."""
    messaging.heard.set()
    messaging.lost = True
    lab = run(store, Watching(), executor_retries=0)
    with pytest.raises(
        ExperimentError, match=r"it ran on one \(process 7\); its last output:"
    ) as e:
        lab.arm(tiny_experiment(), "baseline")
    assert "out of memory" in str(e.value)


def test_an_executor_without_messages_runs_the_same(
    made_up: type[MadeUpExecutor], store: Path
) -> None:
    """Messages are optional."""
    assert run(store, Watching()).arm(tiny_experiment(), "baseline").rate("horse")
