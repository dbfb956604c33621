"""Worker processes, each by itself: where one dies, the others' work is not lost with it."""

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import asynccontextmanager
from typing import TypeVar

from ...datasets.errors import BackendError
from ..processes import worker_pool

Result = TypeVar("Result")


class WorkerDiedError(BackendError):
    """The process that did the work ended before the work did."""


class Worker:
    """One process, started when first needed and again when it has died."""

    def __init__(self, niceness: int) -> None:
        self._niceness = niceness
        self._pool: ProcessPoolExecutor | None = None
        self._pid: int | None = None

    async def run(self, work: Callable[..., Result], *values: object) -> Result:
        """Have the process do something; raises :class:`WorkerDiedError` if it dies of it."""
        loop = asyncio.get_running_loop()
        try:
            if self._pool is None:
                self._pool = worker_pool(1)
                self._pid = await loop.run_in_executor(self._pool, _settled, self._niceness)
            return await loop.run_in_executor(self._pool, work, *values)
        except BrokenProcessPool:
            self.close()
            raise WorkerDiedError("the process that did the work ended unexpectedly") from None

    def close(self) -> None:
        """End the process at once."""
        if self._pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._pid, signal.SIGTERM)
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
        self._pool = self._pid = None


class Workers:
    """A fixed number of processes; callers wait until one is free.

    ``niceness`` is added to the processes' own: whoever waits for an answer goes before them.
    """

    def __init__(self, count: int, *, niceness: int = 0) -> None:
        self._all = [Worker(niceness) for _ in range(count)]
        self._idle: asyncio.LifoQueue[Worker] = asyncio.LifoQueue()
        for worker in reversed(self._all):
            self._idle.put_nowait(worker)

    @asynccontextmanager
    async def one(self) -> AsyncIterator[Worker]:
        """A worker that no other caller uses."""
        worker = await self._idle.get()
        try:
            yield worker
        finally:
            self._idle.put_nowait(worker)

    def close(self) -> None:
        """End them all."""
        for worker in self._all:
            worker.close()


def _settled(niceness: int) -> int:
    """The worker's process id, once an interrupt of the server no longer reaches it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the server ends it in its own time
    os.nice(niceness)
    return os.getpid()
