"""Stages as tasks of Dask: on this machine, or on a cluster that is running."""

import os
import threading
import uuid
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from ...backends import Needs
from ...datasets.errors import SpecError
from .base import (
    NODE_VARIABLE,
    LostClusterError,
    LostWorkerError,
    MessageSender,
    Node,
    StageMessage,
    T,
)

GIB = 2**30
CONNECT_SECONDS = 8
MESSAGE = "message"
"""The part of an event that is limen's; Dask adds others."""


class DaskExecutor:
    """Dask: a scheduler's address or file, or else one process a core on this machine.

    A worker has one thread: stages capture output and set variables of their process.
    """

    def __init__(self, address: str = "") -> None:
        dask: Any = import_module("distributed")
        self._cluster: Any = None
        if not address:
            self._cluster = dask.LocalCluster(threads_per_worker=1, dashboard_address=None)
        where = {"scheduler_file": address} if Path(address).is_file() else {"address": address}
        try:
            self._client: Any = dask.Client(
                **({"address": self._cluster} if self._cluster else where), timeout=CONNECT_SECONDS
            )
        except (OSError, TimeoutError, ValueError) as error:
            raise SpecError(
                f"cannot reach the Dask scheduler at {address}: {error}; is it running?"
            ) from error
        self._running: dict[str, Any] = {}

    def capacity(self) -> Sequence[Node]:
        """See :meth:`.StageExecutor.capacity`; each worker counts as a node."""
        workers = self._client.scheduler_info(n_workers=-1)["workers"]
        threaded = [w["name"] for w in workers.values() if w["nthreads"] != 1]
        if threaded:
            raise SpecError(
                f"the Dask worker {threaded[0]} has several threads, and a stage needs a process "
                f"of its own: start workers with --nthreads 1 (and --nworkers for more of them)"
            )
        return [_as_node(address, worker) for address, worker in workers.items()]

    def submit(
        self, call: Callable[[], T], /, *, needs: Needs, node: str | None = None
    ) -> Future[T]:
        """See :meth:`.StageExecutor.submit`. What is for one node is answered by it at once, beside
        the task that it may be busy with.
        """
        if node is not None:
            return self._ask(node, call)
        resources = {"GPU": needs.gpus} if needs.gpus else None
        task = self._client.submit(_call_on_worker, call, pure=False, resources=resources)
        result: Future[T] = Future()
        result.set_running_or_notify_cancel()
        self._running[task.key] = task
        task.add_done_callback(lambda done: self._settle(result, done))
        return result

    def _ask(self, node: str, call: Callable[[], T]) -> Future[T]:
        """Call a function in the thread in which a worker talks, and not in that of its tasks."""
        result: Future[T] = Future()
        result.set_running_or_notify_cancel()

        def ask() -> None:
            try:
                result.set_result(self._client.run(call, workers=[node])[node])
            except BaseException as error:  # whatever the function raised
                result.set_exception(error)

        threading.Thread(target=ask, daemon=True).start()
        return result

    def message_sender(self, receive: Callable[[StageMessage], None], /) -> MessageSender:
        """See :meth:`.MessagingExecutor.message_sender`."""
        topic = f"limen-{uuid.uuid4().hex}"
        self._client.subscribe_topic(
            topic, lambda event: receive(StageMessage(**event[1][MESSAGE]))
        )
        return DaskMessageSender(topic)

    def _settle(self, result: "Future[T]", done: Any) -> None:
        if self._running.pop(done.key, None) is None:
            return
        try:
            result.set_result(done.result())
        except import_module("distributed").KilledWorker as error:
            result.set_exception(LostWorkerError(str(error)))
        except import_module("distributed.client").FutureCancelledError as error:
            result.set_exception(LostClusterError("the Dask scheduler", error.reason))
        except BaseException as error:  # whatever the function raised
            result.set_exception(error)

    def close(self, *, stop: bool) -> None:
        """See :meth:`.StageExecutor.close`. A task that runs can only be ended with its worker,
        which runs no other task, and which its nanny starts again.
        """
        if stop and self._running and not self._cluster:
            own = set(self._running)
            self._client.cancel(list(self._running.values()), force=True)
            # by what runs: a task that waits behind somebody else's counts as its worker's, too
            stacks = self._client.call_stack()
            busy = [worker for worker, tasks in stacks.items() if own & set(tasks)]
            self._client.restart_workers(busy, raise_for_error=False)
        self._running.clear()
        self._client.close()
        if self._cluster:
            self._cluster.close()


@dataclass(frozen=True)
class DaskMessageSender:
    """See :class:`~limen.harness.executors.MessageSender`: an event of the scheduler."""

    topic: str

    def open(self) -> Callable[[StageMessage], None]:
        worker: Any = import_module("distributed").get_worker()
        return lambda message: worker.log_event(self.topic, {MESSAGE: asdict(message)})


def _call_on_worker(call: Callable[[], T]) -> T:
    """What Dask runs: the function, told the name of its worker."""
    os.environ[NODE_VARIABLE] = str(import_module("distributed").get_worker().name)
    return call()


def _as_node(address: str, worker: Mapping[str, Any]) -> Node:
    """A worker. Dask does not know its cores; GPUs are those that it was started with."""
    return Node(
        id=address,
        name=str(worker["name"]),
        gpus=worker.get("resources", {}).get("GPU", 0),
        memory=worker["memory_limit"] / GIB if worker["memory_limit"] else None,
    )
