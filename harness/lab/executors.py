"""Executors that run stages: threads for services, worker processes for this machine.

An executor is a :class:`concurrent.futures.Executor`. It is only ever given
:func:`~limen.harness.stages.run_stage`, a stage, the store's folder and the service terms, so
another (a cluster's) can take its place.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from ...datasets.errors import SpecError
from ..stages import Stage, calls_user_function
from .isolating_pool import IsolatingPool
from .main_guard import check_main_guard
from .run_backends import RunBackends

ExecutorFactory = Callable[[int], AbstractContextManager[Executor]]
"""Opens an executor for a number of stages side by side."""


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
    """Worker processes on this machine; they end with this process, however it ends.

    Raises :class:`~limen.SpecError` in a script without a main guard.
    """
    check_main_guard()
    pool = IsolatingPool(workers)
    try:
        yield pool
    except BaseException:  # interrupted: what is unfinished goes on another time
        pool.stop()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


class RoutingExecutor(Executor):
    """Sends each stage to the executor that suits it."""

    def __init__(self, executor_of: Callable[[Stage], Executor]) -> None:
        self._executor_of = executor_of

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        return self._executor_of(args[0]).submit(fn, *args, **kwargs)


@contextmanager
def executor_for(stages: Sequence[Stage], backends: RunBackends) -> Iterator[Executor]:
    """The executor that suits some stages: threads for services, else worker processes.

    If the run's backend is a service and no stage asks another kind, everything runs in threads:
    the rest is little work. Only stages that call a user's function, which may end its process,
    run in worker processes then, too.
    """
    waits = {name: backends.waits(stage) for stage in stages if (name := stage.asks())}
    own = backends.own.capabilities.service is not None
    if {*waits.values(), own} == {own} and not (own and _has_isolated(stages)):
        make = thread_executor if own else local_executor
        with make(backends.workers) as pool:
            yield pool
        return
    local_workers = backends.local_workers(stages)
    with local_executor(local_workers) as local, thread_executor(backends.workers) as threads:
        yield RoutingExecutor(
            lambda stage: (
                threads if waits.get(stage.asks(), own and not _is_isolated(stage)) else local
            )
        )


def _is_isolated(stage: Stage) -> bool:
    return not stage.asks() and calls_user_function(stage)


def _has_isolated(stages: Sequence[Stage]) -> bool:
    """Whether a stage should run in another process, and this program can start any."""
    try:
        check_main_guard()
    except SpecError:
        return False
    return any(map(_is_isolated, stages))
