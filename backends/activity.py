"""Whether an evaluation still asks its model, or does nothing that can be seen."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager


class Activity:
    """When something happened last. Its methods may be called from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._going_on = 0
        self._last = time.monotonic()

    @contextmanager
    def going_on(self) -> Iterator[None]:
        """Something that may take however long: a call of the model, the start of a process."""
        self._count(1)
        try:
            yield
        finally:
            self._count(-1)

    def idle_seconds(self) -> float:
        """The seconds since the last such thing ended; 0 during one."""
        return 0.0 if self._going_on else time.monotonic() - self._last

    def _count(self, things: int) -> None:
        with self._lock:
            self._going_on += things
            self._last = time.monotonic()
