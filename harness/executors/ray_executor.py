"""Stages as tasks of Ray: on this machine, or on a cluster that is running."""

import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from ...backends import Needs
from ...datasets.errors import ExperimentError, SpecError
from .base import (
    NODE_VARIABLE,
    LostClusterError,
    LostWorkerError,
    MessageSender,
    Node,
    StageMessage,
    T,
)
from .head_watch import HeadWatch
from .ray_messages import RayMessages

GIB = 2**30
CONNECT_SECONDS = 5
CLIENT = "ray://"
MODEL_VARIABLE = "LIMEN_WORKER_MODEL"
"""Ray keeps processes apart by their environment: stages of one model share processes, and no
others enter them, so that models stay loaded."""


class RayExecutor:
    """Ray, connected as ``ray.init`` does.

    Without an address it joins the cluster of ``RAY_ADDRESS`` or of this machine, or else starts
    one here. The connection is kept as long as this process: a second run needs no new one.
    """

    def __init__(self, address: str = "") -> None:
        with _own_signals():
            self._ray: Any = import_module("ray")
            if not self._ray.is_initialized():
                _connect(self._ray, address)
        # a process goes on to the next stage, with its models, also where it has a GPU
        self._call = self._ray.remote(max_calls=0)(_call_on_node)
        self._running: dict[int, tuple[Any, Future[Any]]] = {}
        self._lost: LostClusterError | None = None
        self._watch = HeadWatch(self._head(address), self._lose_head)
        self._names: Mapping[str, str] = {}
        self._messages: RayMessages | None = None

    def _head(self, address: str) -> str:
        """Where the head listens; with Ray's client, the address that was given."""
        given = address or os.environ.get("RAY_ADDRESS", "")
        if given.startswith(CLIENT):
            return given.removeprefix(CLIENT)
        return str(self._ray.get_runtime_context().gcs_address)

    def capacity(self) -> Sequence[Node]:
        """See :meth:`.StageExecutor.capacity`."""
        alive = [node for node in self._ray.nodes() if node["Alive"]]
        self._names = {node["NodeID"]: _name(node) for node in alive}
        return [_as_node(node) for node in alive]

    def submit(
        self, call: Callable[[], T], /, *, needs: Needs, node: str | None = None
    ) -> Future[T]:
        """See :meth:`.StageExecutor.submit`."""
        result: Future[T] = Future()
        result.set_running_or_notify_cancel()
        if self._lost:
            result.set_exception(self._lost)
            return result
        task = self._call.options(**self._options(needs, node))
        reference = task.remote(self._names, call)
        self._running[id(result)] = reference, result
        reference.future().add_done_callback(lambda done: self._settle(result, done))
        return result

    def message_sender(self, receive: Callable[[StageMessage], None], /) -> MessageSender:
        """See :meth:`.MessagingExecutor.message_sender`."""
        self._messages = RayMessages(self._ray, receive)
        return self._messages.sender

    def _options(self, needs: Needs, node: str | None) -> dict[str, object]:
        options: dict[str, object] = {
            "num_cpus": needs.cores or 0,
            "num_gpus": needs.gpus or 0,
            "memory": int((needs.memory or 0) * GIB) or None,
            "max_retries": 0,  # what is lost is run again by limen, which counts and tells it
        }
        if needs.model:
            options["runtime_env"] = {"env_vars": {MODEL_VARIABLE: needs.model}}
        if node is not None:
            strategies = import_module("ray.util.scheduling_strategies")
            options["scheduling_strategy"] = strategies.NodeAffinitySchedulingStrategy(
                node, soft=False
            )
        return options

    def _settle(self, result: "Future[T]", done: "Future[T]") -> None:
        if self._running.pop(id(result), None) is None:  # its cluster was lost
            return
        error = done.exception()
        if error is None:
            result.set_result(done.result())
        else:
            result.set_exception(self._translated(error))

    def _lose_head(self, problem: str) -> None:
        """End what runs with an error: Ray itself would wait, and then end this process."""
        self._lost = LostClusterError("the head of the Ray cluster", problem)
        for key in list(self._running):
            if pair := self._running.pop(key, None):
                pair[1].set_exception(self._lost)
        if self._messages:
            self._messages.stop(cluster_lost=True)
        self._ray.shutdown()

    def _translated(self, error: BaseException) -> BaseException:
        """A function's own error as it was raised; the loss of a worker as one of limen's."""
        known = self._ray.exceptions
        if isinstance(error, known.RayTaskError):
            cause = getattr(error, "cause", None)  # untyped library
            return cause if isinstance(cause, Exception) else ExperimentError(str(error))
        if isinstance(error, known.RuntimeEnvSetupError | known.TaskUnschedulableError):
            return ExperimentError(f"Ray could not start it: {error}")
        if isinstance(error, known.RayError):
            return LostWorkerError(f"{type(error).__name__}: {_first_line(error)}")
        return error

    def close(self, *, stop: bool) -> None:
        """See :meth:`.StageExecutor.close`; other users' tasks go on."""
        self._watch.stop()
        if self._messages and not self._lost:
            self._messages.stop()
        if stop and not self._lost:
            for reference, _ in list(self._running.values()):
                self._ray.cancel(reference, force=True)


def _call_on_node(names: Mapping[str, str], call: Callable[[], T]) -> T:
    """What Ray runs: the function, told the name of its node."""
    node: str = import_module("ray").get_runtime_context().get_node_id()
    os.environ[NODE_VARIABLE] = names.get(node, node[:8])
    return call()


def _connect(ray: Any, address: str) -> None:
    _check_reachable(address or os.environ.get("RAY_ADDRESS", ""))
    try:
        ray.init(address=address or None, log_to_driver=False, logging_level="error")
    except (ConnectionError, TimeoutError, RuntimeError, ValueError) as error:
        where = f"the Ray cluster at {address}" if address else "Ray"
        refused = "InvalidAuthToken" in f"{error} {error.__cause__}"
        remedy = (
            "it requests a token: set RAY_AUTH_MODE=token, with the token of its nodes"
            if refused
            else "is it running (ray status)?"
        )
        raise SpecError(f"cannot reach {where}: {_first_line(error)}; {remedy}") from error


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [""])[0]


def _check_reachable(address: str) -> None:
    """Raise :class:`~limen.SpecError` if nothing listens there: Ray would try for minutes."""
    host, _, port = address.removeprefix(CLIENT).rpartition(":")
    if not port.isdecimal():
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=CONNECT_SECONDS).close()
    except OSError as error:
        raise SpecError(
            f"cannot reach the Ray cluster at {address}: {error}; is it running (ray status)?"
        ) from error


@contextmanager
def _own_signals() -> Iterator[None]:
    """Keep this process's handling of SIGTERM, which Ray replaces."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _name(node: Mapping[str, Any]) -> str:
    """The name that a node was given, or its address, with the beginning of its id."""
    return f"{node.get('NodeName') or node['NodeManagerAddress']} ({node['NodeID'][:6]})"


def _as_node(node: Mapping[str, Any]) -> Node:
    has = node["Resources"]
    return Node(
        id=node["NodeID"],
        name=_name(node),
        cores=has.get("CPU", 0),
        gpus=has.get("GPU", 0),
        memory=has.get("memory", 0) / GIB,
    )
