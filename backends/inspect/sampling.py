"""A stage's requests on their way through Inspect, and their completions on the way back."""

import asyncio
import queue
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ...datasets.errors import BackendError
from ..base import Completion, Request, Usage
from .draws import Draw, chat_messages, sample_draws
from .redaction import redacted

if TYPE_CHECKING:
    from inspect_ai.model import Model, ModelUsage

MAX_PROMPTS = 64
"""Prompts under way; Inspect's own limits decide how many calls that is at a time."""
MAX_BACKLOG = 64
"""Groups of completions that may wait to be written; past that nothing new is sent."""
POLL_SECONDS = 0.2
"""How often to check whether the run is being ended."""
GRACE_SECONDS = 5.0
"""How long to wait for calls under way once the run is being ended: they are paid for."""


class RequestStream:
    """Sends one stage's requests. If one fails, those under way are still waited for."""

    def __init__(
        self,
        model: "Model",
        results: "queue.SimpleQueue[list[Completion] | None]",
        stopped: threading.Event,
    ) -> None:
        self._model = model
        self._results = results
        self._stopped = stopped
        self._pending: set[asyncio.Task[None]] = set()
        self._held_back: list[Completion] = []
        """Refusals, until the model has answered anything."""
        self._any_answered = False
        self._failure: Exception | None = None

    async def run(self, requests: Iterator[Request]) -> None:
        """Send everything; raises the failure that ended it early. The results end with None."""
        try:
            for request in requests:
                await self._wait_for_room()
                if self._failure or self._stopped.is_set():
                    break
                task = asyncio.create_task(self._sample(request))
                self._pending.add(task)
                task.add_done_callback(self._pending.discard)
            await self._wait_for_pending()
            self._raise_failure()
        finally:
            self._results.put(None)

    async def _wait_for_pending(self) -> None:
        """Wait for calls under way, but not for long once the run is being ended."""
        seconds_left = GRACE_SECONDS
        while self._pending and seconds_left > 0:
            await asyncio.wait(self._pending, timeout=POLL_SECONDS)
            seconds_left -= POLL_SECONDS if self._stopped.is_set() else 0
        for task in self._pending:
            task.cancel()

    async def _wait_for_room(self) -> None:
        while len(self._pending) >= MAX_PROMPTS and not self._stopped.is_set():
            await asyncio.wait(
                self._pending, timeout=POLL_SECONDS, return_when=asyncio.FIRST_COMPLETED
            )
        while self._results.qsize() > MAX_BACKLOG:
            await asyncio.sleep(0.01)

    async def _sample(self, request: Request) -> None:
        from inspect_ai.model import GenerateConfig

        config = GenerateConfig(
            temperature=request.temperature,
            max_tokens=request.max_tokens,
            top_p=request.top_p if request.top_p < 1 else None,
            stop_seqs=list(request.stop) or None,
        )
        try:
            await sample_draws(
                self._model,
                chat_messages(request.messages),
                config,
                count=request.draws,
                seed=request.seed,
                first=request.first,
                on_draws=lambda draws: self._deliver(request, draws),
            )
        except Exception as failure:
            self._failure = self._failure or failure

    def _deliver(self, request: Request, draws: list[Draw]) -> None:
        """Hand completions over.

        Refusals wait until the model has answered anything at all: where it refuses everything,
        the prompts are not what is wrong.
        """
        completions = [_completion(request, draw) for draw in draws]
        if not self._any_answered and all(draw.refused for draw in draws):
            self._held_back += completions
            return
        self._any_answered = True
        self._results.put([*self._held_back, *completions])
        self._held_back = []

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure
        if self._stopped.is_set():
            raise BackendError("the run was ended; run the same command again to go on")
        if self._held_back:
            raise BackendError(
                f"{self._model} answered nothing: {self._held_back[0].error} (check the model's "
                f"name and the settings that it accepts)"
            )


def _completion(request: Request, draw: Draw) -> Completion:
    return Completion(
        row=request.row,
        draw=draw.number,
        text=draw.text,
        finish=draw.finish,
        error=redacted(draw.error) if draw.error else None,
        usage=_usage(draw.usage) if draw.usage else None,
    )


def _usage(used: "ModelUsage") -> Usage:
    """What a call used; reasoning may be counted in the total alone."""
    given = used.input_tokens
    cached = (used.input_tokens_cache_read or 0) + (used.input_tokens_cache_write or 0)
    made = max(used.output_tokens, used.total_tokens - given - cached)
    return Usage(calls=1, input_tokens=given, output_tokens=made)
