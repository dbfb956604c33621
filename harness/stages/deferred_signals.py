"""Signals that are handled a moment later, where an exception in between would do lasting harm."""

import signal
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager


@contextmanager
def signals_deferred() -> Iterator[None]:
    """Run the handlers of signals that come within only afterwards; their exceptions come then.

    ``os.fork`` needs it. Python runs functions of its own after it, the ``logging`` module's among
    them, which gives a lock back that all threads use. An exception of a handler that runs there
    (Ctrl-C's, that of a time limit) is ignored by Python, and the lock is held for ever.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # handlers run in the main thread alone
        return
    noted: list[int] = []
    try:
        with ExitStack() as handlers:
            for each in signal.valid_signals():
                if callable(handler := signal.getsignal(each)):
                    handlers.callback(signal.signal, each, handler)
                    signal.signal(each, lambda number, frame: noted.append(number))
            yield
    finally:
        for number in dict.fromkeys(noted):
            signal.raise_signal(number)
