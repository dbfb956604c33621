"""Whether a cluster's head still answers: some clusters' libraries say nothing of its end."""

import socket
import threading
import time
from collections.abc import Callable

INTERVAL = 2.0
"""Seconds between two trials."""
SILENT_SECONDS = 20.0
"""A head that cannot be reached for so long is taken for lost."""
CONNECT_SECONDS = 5.0


class HeadWatch:
    """Tries to connect to a cluster's head every two seconds, in a thread of its own.

    ``lose`` is called once with what was wrong, if the head could not be reached for 20 s.
    """

    def __init__(self, address: str, lose: Callable[[str], None]) -> None:
        self._address = address
        self._lose = lose
        self._stopped = threading.Event()
        threading.Thread(target=self._watch, name="limen-head-watch", daemon=True).start()

    def stop(self) -> None:
        """Do not call ``lose`` any more."""
        self._stopped.set()

    def _watch(self) -> None:
        answered = time.monotonic()
        while not self._stopped.wait(INTERVAL):
            problem = self._problem()
            if problem is None:
                answered = time.monotonic()
            elif time.monotonic() - answered > SILENT_SECONDS and not self._stopped.is_set():
                self._lose(f"{self._address}: {problem}")
                return

    def _problem(self) -> str | None:
        host, _, port = self._address.rpartition(":")
        try:
            socket.create_connection((host.strip("[]"), int(port)), CONNECT_SECONDS).close()
        except OSError as error:
            return error.strerror or str(error)
        return None
