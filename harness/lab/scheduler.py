"""Running stages side by side: one loop over an executor, which is the seam to any other.

An executor is a :class:`concurrent.futures.Executor`: processes here, a cluster's elsewhere. All it
is ever given is :func:`~.stages.run_stage`, a stage, the store's folder and the run's terms.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    Executor,
    Future,
    ThreadPoolExecutor,
    wait,
)
from contextlib import contextmanager
from typing import Any

from ...backends import ServiceTerms
from ...backends.processes import worker_pool
from ...datasets.errors import ExperimentError
from ..stages import Stage, Store, run_stage
from .settings import Settings

TICK = 0.1
"""Seconds between looks at work in progress, here or in another process."""


class ProgressListener:
    """Told what happens, so that a person can be; this one tells nobody."""

    def begin(self, stages: Sequence[Stage]) -> None:
        """These are to be done."""

    def started(self, stage: Stage) -> None:
        """A stage has been handed out."""

    def moved(self, stage: Stage, done: int, total: int, note: str) -> None:
        """A stage under way has come this far."""

    def finished(self, stage: Stage, failure: Exception | None) -> None:
        """A stage is done, or has failed."""

    def end(self) -> None:
        """Nothing is left to be done."""


@contextmanager
def thread_executor(workers: int) -> Iterator[Executor]:
    """Threads of this process: for stages that wait for a service, which they then share."""
    pool = ThreadPoolExecutor(workers, thread_name_prefix="limen")
    try:
        yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


@contextmanager
def local_executor(workers: int) -> Iterator[Executor]:
    """Worker processes on this machine; they end with this process, however it ends."""
    pool = worker_pool(workers)
    try:
        yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


class RoutingExecutor(Executor):
    """Stages that wait for a service go to threads, all others to worker processes."""

    def __init__(self, local: Executor, threads: Executor, waits: Callable[[Stage], bool]) -> None:
        self._local = local
        self._threads = threads
        self._waits = waits

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        pool = self._threads if self._waits(args[0]) else self._local
        return pool.submit(fn, *args, **kwargs)


def execute(
    stages: Sequence[Stage],
    settings: Settings,
    watcher: ProgressListener,
    pool: Executor,
    failures: Mapping[str, Exception],
    *,
    workers: int,
) -> dict[str, Exception]:
    """Do the stages that are not done yet, inputs first; returns all failures by key.

    ``failures`` are those of before. A stage that rests on a failed one fails with the same
    error. Stages that another process is at work on are waited for while others are done.
    """
    store = Store(settings.store)
    pending = [
        stage
        for stage in stages
        if stage.key not in failures and not store.has(stage.kind, stage.key)
    ]
    if not pending:
        return dict(failures)
    watcher.begin(pending)
    try:
        run = _Run(store, watcher, pool, workers, settings.terms, pending, failures)
        return run.to_end()
    finally:
        watcher.end()


class _Run:
    """The state of one execution: what waits, what is under way, what failed."""

    def __init__(
        self,
        store: Store,
        watcher: ProgressListener,
        pool: Executor,
        workers: int,
        terms: ServiceTerms,
        pending: Sequence[Stage],
        failures: Mapping[str, Exception],
    ) -> None:
        self._store = store
        self._watcher = watcher
        self._pool = pool
        self._workers = workers
        self._terms = terms
        self._waiting = {stage.key: stage for stage in pending}
        self._running: dict[Future[bool], Stage] = {}
        self._postponed: dict[str, float] = {}
        self._failures = dict(failures)

    def to_end(self) -> dict[str, Exception]:
        while self._waiting or self._running:
            self._fail_dependents()
            self._hand_out()
            done, _ = wait(self._running, timeout=TICK, return_when=FIRST_COMPLETED)
            for future in done:
                self._collect(future)
            if not self._running:
                time.sleep(TICK if self._waiting and not done else 0)
            self._tell()
        return self._failures

    def _fail_dependents(self) -> None:
        for stage in list(self._waiting.values()):
            before = (*stage.inputs(), *stage.guards())
            causes = [self._failures[i.key] for i in before if i.key in self._failures]
            if causes:
                self._settle(self._waiting.pop(stage.key), causes[0])

    def _hand_out(self) -> None:
        open_keys = {*self._waiting, *(stage.key for stage in self._running.values())}
        now = time.monotonic()
        for stage in list(self._waiting.values()):
            if len(self._running) >= self._workers:
                return
            before = (*stage.inputs(), *stage.guards())
            ready = not any(given.key in open_keys for given in before)
            if ready and self._postponed.get(stage.key, 0) <= now:
                del self._waiting[stage.key]
                self._start(stage)

    def _start(self, stage: Stage) -> None:
        self._watcher.started(stage)
        try:
            future = self._pool.submit(run_stage, stage, self._store.root, self._terms)
            self._running[future] = stage
        except BrokenExecutor:
            self._settle(stage, _worker_died(stage))

    def _collect(self, future: Future[bool]) -> None:
        stage = self._running.pop(future)
        failure = future.exception()
        if isinstance(failure, BrokenExecutor):
            failure = _worker_died(stage)
        if failure is None and not future.result():  # another process has it: look again later
            self._waiting[stage.key] = stage
            self._postponed[stage.key] = time.monotonic() + TICK
        elif failure is None or isinstance(failure, Exception):
            self._settle(stage, failure)
        else:
            raise failure

    def _settle(self, stage: Stage, failure: Exception | None) -> None:
        if failure is not None:
            self._failures[stage.key] = failure
        self._watcher.finished(stage, failure)

    def _tell(self) -> None:
        for stage in self._running.values():
            if come := self._store.progress(stage.key):
                self._watcher.moved(stage, *come)


def _worker_died(stage: Stage) -> ExperimentError:
    return ExperimentError(
        f"a worker process died, so {stage.label!r} is not done (killed, or out of memory): "
        f"run the same command again, and it goes on from here"
    )
