"""Messages of Ray's workers to the driver, through an actor of the run that holds the last ones."""

import threading
from collections.abc import Callable
from typing import Any

from .base import StageMessage

SECONDS = 1.0
"""Seconds between the driver's looks."""
PATIENCE = 10.0
"""Seconds after which a look that is not answered is given up."""


class _Board:
    """The actor: the last message of each stage that the driver has not fetched."""

    def __init__(self) -> None:
        self._messages: dict[str, StageMessage] = {}

    def post(self, message: StageMessage) -> None:
        self._messages[message.key] = message

    def fetch(self) -> list[StageMessage]:
        messages = list(self._messages.values())
        self._messages.clear()
        return messages


class RayMessageSender:
    """See :class:`~limen.harness.executors.MessageSender`."""

    def __init__(self, board: Any) -> None:
        self._board = board

    def open(self) -> Callable[[StageMessage], None]:
        post: Callable[[StageMessage], None] = self._board.post.remote
        return post


class RayMessages:
    """The driver's end: fetches messages until it is stopped. Ray ends the actor with the driver.

    If the actor's node is lost, Ray starts it again on another one, without what it held.
    """

    def __init__(self, ray: Any, receive: Callable[[StageMessage], None]) -> None:
        self._ray, self._receive = ray, receive
        self._board = ray.remote(num_cpus=0, max_restarts=-1)(_Board).remote()
        self.sender = RayMessageSender(self._board)
        self._stopped = threading.Event()
        threading.Thread(target=self._fetch_all, daemon=True).start()

    def _fetch_all(self) -> None:
        while not self._stopped.wait(SECONDS):
            if not self._ray.is_initialized():  # or else asking it would start a new cluster
                return
            try:
                messages = self._ray.get(self._board.fetch.remote(), timeout=PATIENCE)
            except Exception:  # Ray's own, and those of a cluster that has ended
                continue
            for message in messages:
                self._receive(message)

    def stop(self, *, cluster_lost: bool = False) -> None:
        """Fetch no more, and end the actor: the connection may outlive the run."""
        self._stopped.set()
        if not cluster_lost:
            self._ray.kill(self._board)
