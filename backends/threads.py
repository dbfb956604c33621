"""Calls in threads that do not keep the process alive."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")


class ThreadCall(Future[T]):
    """The result of a call that a daemon thread makes, and may be left with unfinished."""

    def __init__(self, call: Callable[[], T], name: str) -> None:
        super().__init__()
        self._call = call
        self.thread = threading.Thread(target=self._run, name=name, daemon=True)

    def _run(self) -> None:
        try:
            self.set_result(self._call())
        except BaseException as error:
            self.set_exception(error)


def in_thread(call: Callable[[], T], name: str) -> ThreadCall[T]:
    """Have a call made by a daemon thread of that name."""
    future = ThreadCall(call, name)
    future.thread.start()
    return future
