"""Worker processes in which a task that ends its process fails alone."""

import tempfile
import threading
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Executor, Future
from functools import partial
from pathlib import Path
from typing import Any

from ...backends.processes import WorkerPool, worker_pool
from ..stages import record_calls

Call = Callable[[], object]


class ProcessEndedError(BrokenExecutor):
    """A task ended its process, also when it was alone there.

    Its text is the call of a user's function that did not return; empty if there was none.
    """


class IsolatingPool(Executor):
    """Worker processes. A task that ends its process is found, and fails alone.

    When a worker dies, all tasks of its pool are lost, and nothing says which of them was the
    cause. Each is run again in a process of its own, and only one that ends this one too fails.
    """

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._lock = threading.Lock()
        self._opened: list[WorkerPool] = []
        self._is_stopped = False
        self._pool = self._open(workers)

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        call = partial(fn, *args, **kwargs)
        result: Future[object] = Future()
        self._submitted(call).add_done_callback(partial(self._settle, call, result))
        return result

    def stop(self) -> None:
        """End the workers at once, whatever they are doing."""
        with self._lock:
            self._is_stopped = True
        for pool in self._opened:
            pool.stop()

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        for pool in self._opened:
            pool.shutdown(wait=wait, cancel_futures=cancel_futures)

    def _open(self, workers: int) -> WorkerPool:
        with self._lock:
            if self._is_stopped:
                raise BrokenExecutor("the workers are stopped")
            pool = worker_pool(workers)
            self._opened.append(pool)
        return pool

    def _submitted(self, call: Call) -> Future[object]:
        try:
            return self._pool.submit(call)
        except BrokenExecutor:
            self._pool = self._open(self._workers)
            return self._pool.submit(call)

    def _settle(self, call: Call, result: Future[object], done: Future[object]) -> None:
        """Hand a result on; a task whose worker died is run again, alone."""
        if not done.cancelled() and isinstance(done.exception(), BrokenExecutor):
            try:
                self._run_alone(call, result)
            except BrokenExecutor as error:
                result.set_exception(error)
        else:
            _copy(done, result)

    def _run_alone(self, call: Call, result: Future[object]) -> None:
        pool = self._open(1)
        folder = tempfile.TemporaryDirectory(prefix="limen-")
        file = Path(folder.name, "call.txt")

        def settle(done: Future[object]) -> None:
            if not done.cancelled() and isinstance(done.exception(), BrokenExecutor):
                last = file.read_text(encoding="utf-8") if file.exists() else ""
                result.set_exception(ProcessEndedError(last))
            else:
                _copy(done, result)
                # a broken pool ends by itself, and from Python 3.12 it holds its lock here
                pool.shutdown(wait=False)
            folder.cleanup()

        pool.submit(_recorded, file, call).add_done_callback(settle)


def _recorded(file: Path, call: Call) -> object:
    """A call in a worker of its own, which leaves in a file what user functions are called on."""
    with record_calls(file):
        return call()


def _copy(done: Future[object], result: Future[object]) -> None:
    """Give one future the outcome of another."""
    if done.cancelled():
        result.cancel()
        result.set_running_or_notify_cancel()
    elif (error := done.exception()) is not None:
        result.set_exception(error)
    else:
        result.set_result(done.result())
