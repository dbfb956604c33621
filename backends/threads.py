"""Calls in threads that do not keep the process alive."""

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from functools import partial
from itertools import islice
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def in_thread(call: Callable[[], T], name: str) -> "Future[T]":
    """Have a call made by a daemon thread of that name, which may be left behind unfinished."""
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(call())
        except BaseException as error:
            future.set_exception(error)

    threading.Thread(target=run, name=name, daemon=True).start()
    return future


def in_order(
    call: Callable[[T], R], items: Iterable[T], *, most: int, name: str
) -> Iterator[R | None]:
    """The results of calls side by side, ``most`` at a time, in the order of the items.

    After a failure no call is begun, and those under way are still waited for. A call that failed
    has None in its place; the first failure is raised at the end.
    """
    remaining = iter(items)
    pending = deque(in_thread(partial(call, item), name) for item in islice(remaining, most))
    failure: BaseException | None = None
    while pending:
        future = pending.popleft()
        error = future.exception()
        failure = failure or error
        yield None if error is not None else future.result()
        if failure is None:
            pending.extend(in_thread(partial(call, item), name) for item in islice(remaining, 1))
    if failure is not None:
        raise failure
