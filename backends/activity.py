"""Whether an evaluation still asks its model, or does nothing that can be seen."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager


class Activity:
    """When a model was asked last. Its methods may be called from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._asking = 0
        self._last = time.monotonic()

    @contextmanager
    def asking(self) -> Iterator[None]:
        """A call of the model, however long it takes."""
        self._count(1)
        try:
            yield
        finally:
            self._count(-1)

    def idle_seconds(self) -> float:
        """The seconds since the last call ended; 0 during a call."""
        return 0.0 if self._asking else time.monotonic() - self._last

    def _count(self, calls: int) -> None:
        with self._lock:
            self._asking += calls
            self._last = time.monotonic()
