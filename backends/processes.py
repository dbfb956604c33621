"""Worker processes that never outlive the process that started them."""

import gc
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing.connection import Connection, wait
from typing import Any

COLLECT_AFTER = 50_000
"""New objects after which a worker looks for garbage, in place of Python's 700: rows come by the
ten thousand and hold no cycles."""


class WorkerPool(ProcessPoolExecutor):
    """A pool of fresh processes. They end with this process, or when they are stopped.

    Ctrl-C reaches all processes of a terminal: the workers leave it to this one.
    """

    def __init__(self, workers: int) -> None:
        spawn = multiprocessing.get_context("spawn")
        stopped, self._stop = spawn.Pipe(duplex=False)
        super().__init__(workers, mp_context=spawn, initializer=_follow_parent, initargs=(stopped,))

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        with interruption_held_back():
            return super().submit(fn, *args, **kwargs)

    def stop(self) -> None:
        """End the workers at once, whatever they are doing."""
        self._stop.close()


@contextmanager
def interruption_held_back() -> Iterator[None]:
    """Hold back SIGINT and SIGTERM, so that no worker is left half started and no lock taken.

    Processes that are started meanwhile inherit that, until they are ready for signals.
    """
    if sys.platform == "win32":
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def worker_pool(workers: int) -> WorkerPool:
    """A pool of that many processes."""
    return WorkerPool(workers)


def _follow_parent(stopped: Connection) -> None:
    """End this worker as soon as it is stopped, or its parent is gone."""
    gc.set_threshold(COLLECT_AFTER)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform != "win32":
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT, signal.SIGTERM})
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def watch() -> None:
        wait([parent.sentinel, stopped])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
