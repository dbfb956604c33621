"""One event loop for all calls that go through Inspect, in a thread of its own."""

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")


class EventLoopThread:
    """An event loop that runs until the process ends, and does not keep the process alive."""

    def __init__(self) -> None:
        self.stopped = threading.Event()
        """Set once the run is being ended."""
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, name="limen-inspect", daemon=True).start()

    def start(self, work: Coroutine[object, object, T]) -> "Future[T]":
        """Run a coroutine on the loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def stop(self) -> None:
        """Let no new call be sent."""
        self.stopped.set()
