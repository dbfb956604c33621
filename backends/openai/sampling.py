"""Sampling: requests are drawn one by one as there is room for them, and come back as they finish.

All streams of a run share one event loop, one limiter for each base model, and one budget, so
however many stages sample at a time, the account sees one well-behaved client.
"""

import asyncio
import queue
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from ...datasets.errors import LimenError
from ..base import Completion, Request
from .account import Account
from .chat import ChatClient
from .errors import backend_error
from .negotiation import ChatResult
from .rate_limiter import Permit, StoppedError

BACKLOG = 64
"""Groups of completions that may wait to be written; past that nothing new is sent."""
GRACE = 5.0
"""Seconds that calls under way are given when the run is being ended: they are paid for."""
GATHER_TIME = 0.02
"""Seconds in which completions are gathered: to wake the writer for each takes longer than to
write them, and what is written together is on the disk by one order."""

Result = list[Completion] | Exception | None


def stream(
    account: Account, client: ChatClient, requests: Iterable[Request]
) -> Iterator[Sequence[Completion]]:
    """The completions of requests, in groups as they arrive. To be called off the loop."""
    results: queue.SimpleQueue[Result] = queue.SimpleQueue()
    work = _Stream(client, iter(requests), results)
    future = account.start(work.run())
    try:
        while True:
            group, end = _next_group(results)
            if group:
                yield group
            if isinstance(end, Exception):
                raise end
            if end is None:
                return
    finally:
        future.cancel()


def _next_group(results: "queue.SimpleQueue[Result]") -> tuple[list[Completion], object]:
    """All completions that wait, at least one group; and what ends them, or False."""
    group: list[Completion] = []
    found = results.get()
    while isinstance(found, list):
        group += found
        try:
            found = results.get_nowait()
        except queue.Empty:
            return group, False
    return group, found


class _Stream:
    """The requests of one stage."""

    def __init__(
        self, client: ChatClient, requests: Iterator[Request], results: "queue.SimpleQueue[Result]"
    ) -> None:
        self._client = client
        self._requests = requests
        self._results = results
        self._parts: deque[Request] = deque()
        self._in_flight: set[asyncio.Task[None]] = set()
        self._ready: list[Completion] = []
        self._held: list[Completion] = []
        """Records of failed rows: if the stage ends because of them, they are asked for again."""
        self._fault: Exception | None = None

    async def run(self) -> None:
        """Send everything; calls in flight are always waited for."""
        watch = asyncio.create_task(self._end_when_stopped())
        try:
            await self._send_all()
            while self._in_flight:
                await asyncio.wait(self._in_flight)
            if self._fault is None:
                self._client.check_failures()
                self._ready += self._held
        except asyncio.CancelledError:
            for task in self._in_flight:
                task.cancel()
            raise
        except Exception as error:
            self._fault = self._fault or error
        finally:
            watch.cancel()
            self._hand_over()
            self._results.put(self._final_error())

    async def _end_when_stopped(self) -> None:
        """Give calls under way some time once the run is being ended, and no more."""
        await self._client.stopped()
        self._fault = self._fault or StoppedError()
        await asyncio.sleep(GRACE)
        for task in self._in_flight:
            task.cancel()

    async def _send_all(self) -> None:
        while self._fault is None:
            request = self._part()
            if request is None:
                if not self._in_flight:
                    return
                await asyncio.wait(self._in_flight, return_when=asyncio.FIRST_COMPLETED)
                continue
            while self._results.qsize() > BACKLOG:
                await asyncio.sleep(0.01)
            permit = await self._acquire(request)
            if self._fault is not None:
                self._client.give_back(permit)
                return
            task = asyncio.create_task(self._do(request, permit))
            self._in_flight.add(task)
            task.add_done_callback(self._in_flight.discard)

    def _hand_over(self) -> None:
        if self._ready:
            self._results.put(self._ready)
            self._ready = []

    async def _acquire(self, request: Request) -> Permit:
        """The call's permit; should there never be one, calls under way are waited for first."""
        try:
            return await self._client.acquire(request)
        except Exception:
            if self._in_flight:
                await asyncio.wait(self._in_flight)
            raise

    async def _do(self, request: Request, permit: Permit) -> None:
        try:
            answered = await self._client.call(request, permit)
        except Exception as error:
            self._fault = self._fault or error
        else:
            self._take(request, answered)

    def _take(self, request: Request, answered: ChatResult) -> None:
        if answered.failed:
            self._held += answered.completions
        elif answered.completions:
            if not self._ready:
                asyncio.get_running_loop().call_later(GATHER_TIME, self._hand_over)
            self._ready += answered.completions
        left = request.draws - answered.settled
        if left:
            first = request.first + answered.settled
            self._parts.append(replace(request, first=first, draws=left))

    def _part(self) -> Request | None:
        """The next request, or the part of it that one call may ask for."""
        request = self._parts.popleft() if self._parts else next(self._requests, None)
        if request is None:
            return None
        most = self._client.draws_per_call
        if request.draws > most:
            rest = replace(request, first=request.first + most, draws=request.draws - most)
            self._parts.appendleft(rest)
            request = replace(request, draws=most)
        return request

    def _final_error(self) -> Exception | None:
        if isinstance(self._fault, StoppedError):
            return backend_error("the run is being ended", "sampling stopped")
        if self._fault is None or isinstance(self._fault, LimenError):
            return self._fault
        return backend_error(f"{type(self._fault).__name__}: {self._fault}", "sampling failed")
