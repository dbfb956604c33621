"""The progress of stages on nodes that share no store: messages to the driver while they run."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ..stages import Stage, Store
from .base import MessageSender, StageMessage

SECONDS = 1.0
"""Seconds between a worker's messages."""
LOG_LINES = 12
"""The last lines of a worker's output that a message and an error show."""


def log_of(store: Store, key: str) -> Path:
    """The file that keeps what a stage's worker writes; it is gone once the stage is finished."""
    return store.layout.work / f"{key}.log"


@contextmanager
def messages_sent(store: Store, stage: Stage, sender: MessageSender | None) -> Iterator[None]:
    """Send a stage's progress and its worker's last lines to the driver, whenever they change."""
    if sender is None:
        yield
        return
    ended = threading.Event()
    args = (store, stage.key, sender.open(), ended)
    thread = threading.Thread(target=_send_until, args=args, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(SECONDS)


def _send_until(
    store: Store, key: str, send: Callable[[StageMessage], None], ended: threading.Event
) -> None:
    sent = None
    while not ended.wait(SECONDS):
        message = StageMessage(
            key=key, progress=_text(store.layout.progress(key)), log=_tail(log_of(store, key))
        )
        if message != sent:
            with suppress(Exception):  # whatever the engine raises: only progress is lost
                send(message)
            sent = message


def _tail(log: Path) -> str:
    """The first line of a log, which names the node, and the last ones."""
    lines = _text(log).splitlines()
    return "\n".join([*lines[:1], *lines[1:][-LOG_LINES:]])


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


class ReceivedProgress:
    """Keeps what workers send where a worker with the driver's store would have written it."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._running: set[str] = set()
        self._lock = threading.Lock()

    def begin(self, key: str) -> None:
        """From now on messages of this stage are kept."""
        with self._lock:
            self._running.add(key)

    def receive(self, message: StageMessage) -> None:
        """Keep a message. One that comes after its stage's end is dropped."""
        with self._lock, suppress(OSError):
            if message.key not in self._running:
                return
            progress = self._store.layout.progress(message.key)
            progress.parent.mkdir(parents=True, exist_ok=True)
            progress.write_text(message.progress, encoding="utf-8")
            log_of(self._store, message.key).write_text(message.log, encoding="utf-8")

    def end(self, key: str) -> None:
        """Remove what was kept of a stage: it is finished, or has failed for good."""
        with self._lock:
            if key in self._running:
                self._remove(key)
            self._running.discard(key)

    def close(self) -> None:
        """The run has ended: what is left of any stage is removed."""
        for key in list(self._running):
            self.end(key)

    def _remove(self, key: str) -> None:
        with suppress(OSError):
            log_of(self._store, key).unlink(missing_ok=True)
            progress = self._store.layout.progress(key)
            progress.unlink(missing_ok=True)
            progress.parent.rmdir()
