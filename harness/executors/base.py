"""What an executor of stages is: somewhere past this process that runs functions."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Protocol, TypeVar, runtime_checkable

from ...backends import Needs
from ...datasets.errors import LimenError

T = TypeVar("T")
NODE_VARIABLE = "LIMEN_NODE"
"""The environment variable by which an executor tells its workers the name of their node."""


class LostWorkerError(LimenError):
    """A worker or its node ended before its work did. Executors raise it; the work may be tried
    again.
    """


class LostClusterError(LimenError):
    """The cluster itself is lost, so that nothing can be tried again in this run."""

    def __init__(self, cluster: str, problem: str) -> None:
        super().__init__(
            f"{cluster} is lost ({problem}), and with it what ran there. Start it again: the same "
            f"command goes on from the store"
        )


@dataclass(frozen=True, kw_only=True)
class Node:
    """A machine, or a part of one, that runs stages. None: how much there is, is not known."""

    id: str
    """By which :meth:`StageExecutor.submit` finds it."""
    name: str
    """What people read."""
    cores: float | None = None
    gpus: float | None = None
    gpu_memory: float | None = None
    """GiB of each GPU."""
    memory: float | None = None
    """GiB."""


class StageExecutor(Protocol):
    """Runs functions on nodes.

    A function's exceptions are the future's. If its worker is lost, the exception is a
    :class:`LostWorkerError`, and if all of the cluster is, a :class:`LostClusterError`.
    """

    def capacity(self) -> Sequence[Node]:
        """The nodes that there are now."""
        ...

    def submit(
        self, call: Callable[[], T], /, *, needs: Needs, node: str | None = None
    ) -> Future[T]:
        """Call a picklable function without arguments where its needs are met, or on one node."""
        ...

    def close(self, *, stop: bool) -> None:
        """No more is submitted. ``stop``: end what this executor runs, and nothing else."""
        ...


@dataclass(frozen=True, kw_only=True)
class StageMessage:
    """How far a stage is on a node that does not share the driver's store."""

    key: str
    """The key of the stage."""
    progress: str
    """The text of its progress file; empty before there is one."""
    log: str
    """The node, and the last lines that its worker wrote."""


class MessageSender(Protocol):
    """A worker's way to the driver while it works. It is sent along with a stage (cloudpickle)."""

    def open(self) -> Callable[[StageMessage], None]:
        """Called on the worker, in the thread of its stage. Returns what sends a message from any
        thread, without waiting; one that is lost costs a line of progress and nothing else.
        """
        ...


@runtime_checkable
class MessagingExecutor(StageExecutor, Protocol):
    """An executor whose workers can send messages, so that progress is seen without a shared store.

    This is optional: with another executor such stages run as well, and their progress is not
    shown.
    """

    def message_sender(self, receive: Callable[[StageMessage], None], /) -> MessageSender:
        """What workers are given. ``receive`` is called with each message, in any thread."""
        ...


class ExecutorFactory(Protocol):
    """What an entry point of the group ``limen.executors`` refers to.

    ``address`` is what follows the name in ``--limen-executor NAME:ADDRESS``; empty if nothing.
    """

    def __call__(self, address: str, /) -> StageExecutor: ...
