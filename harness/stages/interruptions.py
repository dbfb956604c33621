"""Which interruption is Ctrl-C or SIGTERM, and which a function has raised itself."""

import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class RaisedInterruptError(Exception):
    """A function raised ``KeyboardInterrupt``, and nobody has interrupted the run."""


def interrupted_by_signals(call: Callable[[], object]) -> object:
    """What a call returns; only a signal interrupts it.

    Raises:
        RaisedInterruptError: The call raised ``KeyboardInterrupt`` without one.
        KeyboardInterrupt: A signal came, also if the call has caught that.
    """
    came: list[int] = []
    before = _noted(came)
    try:
        result = call()
    except KeyboardInterrupt:
        if not came:
            raise RaisedInterruptError from None
        raise
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if came:
        raise KeyboardInterrupt
    return result


def _noted(came: list[int]) -> dict[int, Any]:
    """Note signals before they are handled as before; returns the handlers.

    Signals reach the main thread alone, and none where they are ignored, as in worker processes.
    """
    if threading.current_thread() is not threading.main_thread():
        return {}
    before: dict[int, Any] = {number: signal.getsignal(number) for number in SIGNALS}
    handled = {number: handler for number, handler in before.items() if callable(handler)}
    for number, handler in handled.items():
        signal.signal(number, _noting(came, handler))
    return handled


def _noting(
    came: list[int], handler: Callable[[int, FrameType | None], object]
) -> Callable[[int, FrameType | None], object]:
    def handle(number: int, frame: FrameType | None) -> None:
        came.append(number)
        handler(number, frame)

    return handle
