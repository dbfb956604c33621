"""How a run is interrupted: by Ctrl-C, or by SIGTERM, which clusters send."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType


def kept_in(store: Path) -> str:
    """What is kept of an interrupted run, and how to go on."""
    return (
        f"limen: interrupted. Finished work, and each answer that has arrived, is kept in the "
        f"store {store}: the same command goes on from there"
    )


@contextmanager
def interruptible(store: Path) -> Iterator[None]:
    """Let SIGTERM end a run as Ctrl-C does; the exception says what is kept."""
    with _sigterm_as_interrupt():
        try:
            yield
        except KeyboardInterrupt as error:
            error.add_note(kept_in(store))
            raise


@contextmanager
def _sigterm_as_interrupt() -> Iterator[None]:
    """Only the main thread may set how signals are handled; elsewhere nothing changes."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
