"""Runs stages side by side, each after its inputs: one loop over an executor."""

import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, wait
from heapq import heappop, heappush

from ...backends.processes import interruption_held_back
from ...datasets.errors import ExperimentError
from ..stages import Stage, Store, run_stage
from .isolating_pool import ProcessEndedError
from .progress import ProgressListener
from .settings import Settings

TICK = 0.1
"""Seconds between looks at work in progress, here or in another process."""


def execute(
    stages: Sequence[Stage],
    settings: Settings,
    listener: ProgressListener,
    pool: Executor,
    failures: Mapping[str, Exception],
    *,
    workers: int,
) -> dict[str, Exception]:
    """Run the stages that are not finished, inputs first; returns all failures by key.

    ``failures`` are earlier ones. A stage that depends on a failed one fails with the same error.
    A stage that another process is running is tried again later; others run meanwhile.
    """
    store = Store(settings.store)
    pending = [s for s in stages if s.key not in failures and not store.has(s.kind, s.key)]
    if not pending:
        return dict(failures)
    queue = _StageQueue(pending, failures, listener, store)
    listener.begin(pending)
    try:
        while queue.is_open:
            for stage in queue.take_ready(workers):
                try:
                    with interruption_held_back():  # a future's lock must not be left taken
                        future = pool.submit(run_stage, stage, store.root, settings.terms)
                        queue.running[future] = stage
                except BrokenExecutor as error:
                    queue.settle(stage, _worker_died(stage, error))
            queue.collect()
    finally:
        listener.end()
    return queue.failures


class _StageQueue:
    """The state of one execution: which stages wait, run, or have failed.

    A stage is ready once none of its inputs is left. Each change costs as much as the stages that
    depend on it, so the whole is linear in the number of stages and inputs.
    """

    def __init__(
        self,
        pending: Sequence[Stage],
        failures: Mapping[str, Exception],
        listener: ProgressListener,
        store: Store,
    ) -> None:
        self.running: dict[Future[bool], Stage] = {}
        self.failures = dict(failures)
        self._listener = listener
        self._store = store
        self._stages = {stage.key: stage for stage in pending}
        self._order = {key: place for place, key in enumerate(self._stages)}
        self._blockers = {
            key: {needed.key for needed in _needs(stage) if needed.key in self._stages}
            for key, stage in self._stages.items()
        }
        self._dependents = defaultdict[str, list[str]](list)
        for key, blockers in self._blockers.items():
            for blocker in blockers:
                self._dependents[blocker].append(key)
        self._ready = [self._order[key] for key, blockers in self._blockers.items() if not blockers]
        self._keys = tuple(self._stages)
        self._postponed: list[tuple[float, int]] = []

    @property
    def is_open(self) -> bool:
        """Whether a stage is left to run or to wait for."""
        return bool(self._stages)

    def take_ready(self, workers: int) -> list[Stage]:
        """Take the stages whose inputs are finished, first ones first, as workers are free."""
        now = time.monotonic()
        while self._postponed and self._postponed[0][0] <= now:
            heappush(self._ready, heappop(self._postponed)[1])
        free = workers - len(self.running)
        places = [heappop(self._ready) for _ in range(min(free, len(self._ready)))]
        taken = [self._stages[self._keys[place]] for place in places]
        ready = [stage for stage in taken if not self._is_spoiled(stage)]
        for stage in ready:
            self._listener.started(stage)
        return ready

    def _is_spoiled(self, stage: Stage) -> bool:
        """Settle a stage that depends on a failed one, with the same error."""
        causes = [self.failures[n.key] for n in _needs(stage) if n.key in self.failures]
        if causes:
            self.settle(stage, causes[0])
        return bool(causes)

    def collect(self) -> None:
        """Wait a moment for running stages, and settle those that have ended."""
        with interruption_held_back():  # ``wait`` takes the locks of all futures
            done, _ = wait(self.running, timeout=TICK, return_when=FIRST_COMPLETED)
        for future in done:
            self._settle_future(future)
        if not self.running and not self._ready and self._postponed:
            time.sleep(TICK)
        for stage in self.running.values():
            if progress := self._store.progress(stage.key):
                self._listener.moved(stage, *progress)
            self._listener.running(stage)

    def settle(self, stage: Stage, failure: Exception | None) -> None:
        """A stage has finished, or has failed: stages that waited for it alone are ready now."""
        if failure is not None:
            self.failures[stage.key] = failure
        self._listener.finished(stage, failure)
        del self._stages[stage.key]
        for key in self._dependents[stage.key]:
            self._blockers[key].discard(stage.key)
            if not self._blockers[key]:
                heappush(self._ready, self._order[key])

    def _settle_future(self, future: Future[bool]) -> None:
        stage = self.running.pop(future)
        failure = future.exception()
        if isinstance(failure, BrokenExecutor):
            failure = _worker_died(stage, failure)
        if failure is None and not future.result():  # another process is running it
            again = time.monotonic() + TICK
            heappush(self._postponed, (again, self._order[stage.key]))
        elif failure is None or isinstance(failure, Exception):
            self.settle(stage, failure)
        else:
            raise failure


def _needs(stage: Stage) -> tuple[Stage, ...]:
    """The stages that must be finished before this one."""
    return (*stage.inputs(), *stage.guards())


def _worker_died(stage: Stage, error: BrokenExecutor) -> ExperimentError:
    start = f"a worker process died, so {stage.label!r} is not done "
    again = "run the same command again, and it goes on from here"
    if isinstance(error, ProcessEndedError) and (call := str(error)):
        return ExperimentError(
            f"{start}({call}, and ended the process): correct the function, or give it more "
            f"memory; then {again}"
        )
    return ExperimentError(f"{start}(killed, or out of memory): {again}")
