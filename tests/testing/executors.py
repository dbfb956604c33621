"""An executor of this process, with nodes of one's own and workers that are lost on demand."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from limen.backends import Needs
from limen.harness.executors import LostClusterError, LostWorkerError, Node, RemoteStage

NAME = "made-up"
NODES = (Node(id="1", name="one", cores=4, gpus=0), Node(id="2", name="two", cores=4, gpus=0))


class MadeUpExecutor:
    """Runs functions one after another in a thread; the class keeps what it was given."""

    nodes: Sequence[Node] = NODES
    lose: Callable[[str], bool] = staticmethod(lambda kind: False)
    """Whether the worker of a stage of some kind is lost."""
    answer: Callable[[object], object] = staticmethod(lambda value: value)
    """What becomes of a function's value."""
    sent: Sequence[tuple[str, Needs]] = ()
    """The kinds of stages that were sent, with their needs."""
    tasks: Sequence[RemoteStage] = ()
    closed: Sequence[bool] = ()

    def __init__(self, address: str) -> None:
        self._pool = ThreadPoolExecutor(1)

    def capacity(self) -> Sequence[Node]:
        return type(self).nodes

    def submit(
        self, call: Callable[[], Any], /, *, needs: Needs, node: str | None = None
    ) -> Future[Any]:
        kind = type(self)
        task = call.args[0] if isinstance(call, partial) else None
        stage = task.stage.kind if isinstance(task, RemoteStage) else ""
        if isinstance(task, RemoteStage):
            kind.sent = (*kind.sent, (stage, needs))
            kind.tasks = (*kind.tasks, task)
        try:
            if stage and kind.lose(stage):
                return self._pool.submit(_lost)
        except LostClusterError as error:
            return self._pool.submit(_raise, error)
        return self._pool.submit(lambda: kind.answer(call()))

    def close(self, *, stop: bool) -> None:
        type(self).closed = (*type(self).closed, stop)
        self._pool.shutdown()


def _lost() -> None:
    raise LostWorkerError("killed")


def _raise(error: Exception) -> None:
    raise error


def install(folder: Path) -> Path:
    """Write the entry point of a package to a folder, which is to go on ``sys.path``."""
    metadata = folder / "madeup-1.0.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: madeup\nVersion: 1.0\n")
    (folder / "madeup_limen.py").write_text(
        "def open_it(address):\n    return EXECUTOR(address)\n", encoding="utf-8"
    )
    (metadata / "entry_points.txt").write_text(
        f"[limen.executors]\n{NAME} = madeup_limen:open_it\n"
    )
    return folder
