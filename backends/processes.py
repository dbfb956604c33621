"""Worker processes that never outlive the process that started them."""

import multiprocessing
import os
import signal
import threading
from concurrent.futures import ProcessPoolExecutor
from multiprocessing.connection import Connection, wait


class WorkerPool(ProcessPoolExecutor):
    """A pool of fresh processes. They end with this process, or when they are stopped.

    Ctrl-C reaches all processes of a terminal: the workers leave it to this one.
    """

    def __init__(self, workers: int) -> None:
        spawn = multiprocessing.get_context("spawn")
        stopped, self._stop = spawn.Pipe(duplex=False)
        super().__init__(workers, mp_context=spawn, initializer=_follow_parent, initargs=(stopped,))

    def stop(self) -> None:
        """End the workers at once, whatever they are doing."""
        self._stop.close()


def worker_pool(workers: int) -> WorkerPool:
    """A pool of that many processes."""
    return WorkerPool(workers)


def _follow_parent(stopped: Connection) -> None:
    """End this worker as soon as it is stopped, or its parent is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def watch() -> None:
        wait([parent.sentinel, stopped])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
