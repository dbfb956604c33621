"""A pytest run that is interrupted: by Ctrl-C, or by SIGTERM."""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import pytest

from .options import store_of


def handle_interruption(config: pytest.Config, error: BaseException) -> None:
    """Write what is kept of an interrupted run, if it has a store; then let pytest end in order.

    Pytest's own interruptions, such as for errors at collection, are of a class of their own.
    """
    is_worker = hasattr(config, "workerinput")
    if type(error) is not KeyboardInterrupt or is_worker or not has_store(config):
        return
    from ..lab import kept_in
    from .terminal import Terminal

    vars(error).pop("__notes__", None)  # pytest would write them again
    Terminal(config).write(kept_in(store_of(config)))
    _stop_at_once_next_time()


def _stop_at_once_next_time() -> None:
    """Let a second Ctrl-C end the process without a traceback, unless a person works in it.

    Nothing is torn by that: artifacts appear whole or not at all, and rows are appended whole.
    """
    is_main = threading.current_thread() is threading.main_thread()
    if is_main and not hasattr(sys, "ps1") and "ipykernel" not in sys.modules:
        signal.signal(signal.SIGINT, _stop_at_once)


def _stop_at_once(number: int, frame: FrameType | None) -> None:
    os.write(2, b"\nlimen: stopped at once; what is finished is kept\n")
    os._exit(pytest.ExitCode.INTERRUPTED)


def has_store(config: pytest.Config) -> bool:
    """Whether a run has a store of limen's: runs of other projects have none."""
    return (store_of(config) / "stages").is_dir()


@contextmanager
def interrupted_by_sigterm(config: pytest.Config) -> Iterator[None]:
    """Let SIGTERM end a run that has a store as Ctrl-C does, and end any other run as before.

    A program that handles the signal itself goes on doing so.
    """
    is_main = threading.current_thread() is threading.main_thread()
    if not is_main or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return

    def interrupt(number: int, frame: FrameType | None) -> None:
        if has_store(config):
            raise KeyboardInterrupt
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)

    signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
