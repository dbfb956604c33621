"""Sends stages to an executor, and runs them again if their worker is lost."""

from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

from ...backends import Needs, ServiceTerms
from ...datasets.errors import ExperimentError
from ..stages import Stage, Store
from .base import LostWorkerError, MessageSender, MessagingExecutor, StageExecutor
from .remote_progress import ReceivedProgress
from .remote_stage import RemoteStage, last_words, packed_inputs, run_remote, take_in
from .variables import WorkerVariables

Sent = Future[bool | bytes]
"""A stage on its way: whether it was run, or its artifact."""


@dataclass(frozen=True, kw_only=True)
class Shipping:
    """How stages are sent."""

    store: Store
    shared: bool
    """Whether nodes see the driver's store; else inputs and outputs are sent as well."""
    retries: int
    """How often a stage is run again after its worker was lost."""
    variables: WorkerVariables
    needs_of: Callable[[Stage], Needs]


class ShippingExecutor(Executor):
    """Runs stages through a :class:`~limen.harness.executors.StageExecutor`.

    What follows a stage's end is done in threads of its own: an executor's callbacks must be short.
    """

    def __init__(self, executor: StageExecutor, shipping: Shipping) -> None:
        self._executor = executor
        self._shipping = shipping
        self._received = ReceivedProgress(shipping.store)
        self._sender: MessageSender | None = None
        if not shipping.shared and isinstance(executor, MessagingExecutor):
            self._sender = executor.message_sender(self._received.receive)
        self._threads = ThreadPoolExecutor(4, thread_name_prefix="limen-shipping")

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Send a stage; what is submitted is always :func:`~limen.harness.stages.run_stage`."""
        stage, _, terms = args
        result: Future[bool] = Future()
        result.set_running_or_notify_cancel()
        self._send(stage, terms, result, self._shipping.retries)
        return result

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        self._threads.shutdown(wait=wait, cancel_futures=cancel_futures)
        self._received.close()

    def _send(
        self, stage: Stage, terms: ServiceTerms, result: "Future[bool]", retries: int
    ) -> None:
        how = self._shipping
        needs = how.needs_of(stage)
        task = RemoteStage(
            stage=stage,
            root=how.store.root,
            terms=terms,
            variables=how.variables.of(needs),
            packed=None if how.shared else packed_inputs(how.store, stage),
            sender=self._sender,
        )
        if self._sender:
            self._received.begin(stage.key)

        def settle(call: Sent) -> None:
            try:
                if isinstance(call.exception(), LostWorkerError) and retries > 0:
                    self._send(stage, terms, result, retries - 1)
                else:
                    self._settle(stage, call, result)
            except Exception as error:
                result.set_exception(error)

        def later(call: Sent) -> None:
            with suppress(RuntimeError):  # the run has ended
                self._threads.submit(settle, call)

        self._executor.submit(partial(run_remote, task), needs=needs).add_done_callback(later)

    def _settle(self, stage: Stage, call: Sent, result: "Future[bool]") -> None:
        error = call.exception()
        if isinstance(error, LostWorkerError):
            error = self._lost(stage, error)
        if self._sender:
            self._received.end(stage.key)
        if error is not None:
            result.set_exception(error)
            return
        value = call.result()
        if isinstance(value, bytes):
            take_in(self._shipping.store, value)
        result.set_result(bool(value))

    def _lost(self, stage: Stage, error: LostWorkerError) -> ExperimentError:
        times = self._shipping.retries + 1
        often = "" if times == 1 else f" {times} times"
        words = last_words(self._shipping.store, stage)
        return ExperimentError(
            f"the worker of {stage.label!r} was lost{often} ({error}), so it is not done. "
            f"{words or 'Nothing is known of its output'}"
        )
