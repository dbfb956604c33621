"""An event loop for all calls to a service, in a thread of its own."""

import asyncio
import threading
import weakref
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from concurrent.futures import Future
from contextlib import suppress
from typing import TypeVar

T = TypeVar("T")
Close = Callable[[], Awaitable[object]]


class EventLoopThread:
    """An event loop that ends with the last use of this object: a notebook opens many, one a run.

    It does not keep the process alive.
    """

    def __init__(self, name: str) -> None:
        self._loop, ended = asyncio.new_event_loop(), asyncio.Event()
        self._closes: list[Close] = []
        served = _served(ended, self._closes)
        threading.Thread(target=_run, args=(self._loop, served), name=name, daemon=True).start()
        end = weakref.finalize(self, self._loop.call_soon_threadsafe, ended.set)
        end.atexit = False

    def start(self, work: Coroutine[object, object, T]) -> "Future[T]":
        """Run a coroutine on the loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def at_end(self, close: Close) -> None:
        """Have something closed when the loop ends, such as connections."""
        self._closes.append(close)


def _run(loop: asyncio.AbstractEventLoop, served: Coroutine[object, object, None]) -> None:
    with asyncio.Runner(loop_factory=lambda: loop) as runner:  # cancels what is left at its end
        runner.run(served)


async def _served(ended: asyncio.Event, closes: Sequence[Close]) -> None:
    await ended.wait()
    for close in closes:
        with suppress(Exception):
            await close()
