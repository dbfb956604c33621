"""A stage's requests on their way through Inspect, and their draws on the way back."""

import asyncio
import queue
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ...datasets.errors import BackendError
from ..base import Completion, Request, Usage
from .draws import Drawn, chat_messages, draw

if TYPE_CHECKING:
    from inspect_ai.model import Model

AT_ONCE = 64
"""Prompts under way; how many calls that is at a time is for Inspect's limits to say."""
BACKLOG = 64
"""Groups of completions that may wait to be written; past that nothing new is sent."""

TICK = 0.2
"""Seconds between looks whether the run is being ended."""
GRACE = 5.0
"""Seconds that calls under way are given then: they are paid for."""


class Stream:
    """One stage's requests. What is under way is waited for, whatever happens to one of them."""

    def __init__(
        self,
        model: "Model",
        results: "queue.SimpleQueue[list[Completion] | None]",
        stopped: threading.Event,
    ) -> None:
        self._model = model
        self._results = results
        self._stopped = stopped
        self._flying: set[asyncio.Task[None]] = set()
        self._held: list[Completion] = []
        self._answered = False
        self._fault: Exception | None = None

    async def run(self, requests: Iterator[Request]) -> None:
        """Send everything; raises what ended it early. The results end with None."""
        try:
            for request in requests:
                await self._room()
                if self._fault or self._stopped.is_set():
                    break
                task = asyncio.create_task(self._do(request))
                self._flying.add(task)
                task.add_done_callback(self._flying.discard)
            await self._landed()
            self._end()
        finally:
            self._results.put(None)

    async def _landed(self) -> None:
        """Wait for what is under way, but not for long once the run is being ended."""
        left = GRACE
        while self._flying and left > 0:
            await asyncio.wait(self._flying, timeout=TICK)
            left -= TICK if self._stopped.is_set() else 0
        for task in self._flying:
            task.cancel()

    async def _room(self) -> None:
        while len(self._flying) >= AT_ONCE and not self._stopped.is_set():
            await asyncio.wait(self._flying, timeout=TICK, return_when=asyncio.FIRST_COMPLETED)
        while self._results.qsize() > BACKLOG:
            await asyncio.sleep(0.01)

    async def _do(self, request: Request) -> None:
        from inspect_ai.model import GenerateConfig

        config = GenerateConfig(
            temperature=request.temperature,
            max_tokens=request.max_tokens,
            top_p=request.top_p if request.top_p < 1 else None,
            stop_seqs=list(request.stop) or None,
        )
        try:
            await draw(
                self._model,
                chat_messages(request.messages),
                config,
                count=request.draws,
                seed=request.seed,
                first=request.first,
                take=lambda drawn: self._take(request, drawn),
            )
        except Exception as fault:
            self._fault = self._fault or fault

    def _take(self, request: Request, drawn: list[Drawn]) -> None:
        """Hand completions over.

        Refusals wait until the model has answered anything at all: where it refuses all, the fault
        is not the prompts'.
        """
        made = [_completion(request, one) for one in drawn]
        if not self._answered and all(one.refused for one in drawn):
            self._held += made
            return
        self._answered = True
        self._results.put([*self._held, *made])
        self._held = []

    def _end(self) -> None:
        if self._fault is not None:
            raise self._fault
        if self._stopped.is_set():
            raise BackendError("the run was ended; run the same command again to go on")
        if self._held:
            raise BackendError(
                f"{self._model} answered nothing: {self._held[0].error} (check the model's name "
                f"and what it takes)"
            )


def _completion(request: Request, one: Drawn) -> Completion:
    from .backend import scrubbed

    used = one.usage
    return Completion(
        row=request.row,
        draw=one.number,
        text=one.text,
        finish=one.finish,
        error=scrubbed(one.error) if one.error else None,
        usage=Usage(calls=1, input_tokens=used.input_tokens, output_tokens=used.output_tokens)
        if used
        else None,
    )
