"""Waiting for the SDK: until there is a result, the run ends, or the server is away for too long.

The SDK itself tries again for minutes, and waits for an hour while an account has no credit.
"""

import logging
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from dataclasses import dataclass, field
from typing import TypeVar
from urllib.request import getproxies, proxy_bypass

from ...datasets.errors import BackendError
from ..threads import in_thread
from .connection import Connection
from .errors import LATER, as_limen_error
from .sdk import Sdk

T = TypeVar("T")
POLL = 0.5
"""Seconds between looks at whether the run has ended."""
PROBE = 3.0
"""Seconds between attempts to connect while nothing comes, and for one of them."""
LONGEST = 3600.0
"""Seconds for one call: a busy service may have it queue."""


class _Warnings(logging.Handler):
    """Keeps the SDK's last warning, and the last about the account's credit."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.credit = self.last = ""

    def emit(self, record: logging.LogRecord) -> None:
        self.last = record.getMessage()
        if "billing" in self.last.lower():
            self.credit = self.last


@dataclass
class Patience:
    """How long calls to one server are waited for.

    ``outage`` is seconds without a connection, ``longest`` seconds for one call.
    """

    connection: Connection
    outage: float = 30.0
    longest: float = LONGEST
    stopped: threading.Event = field(default_factory=threading.Event)
    _last_contact: float = field(default_factory=time.monotonic)
    _last_probe: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _warnings: _Warnings = field(default_factory=_Warnings)

    def __post_init__(self) -> None:
        logging.getLogger("tinker").addHandler(self._warnings)

    def call(self, do: Callable[[], T], doing: str) -> T:
        """The result of something that blocks, done in a thread that may be left behind."""
        return self._result(in_thread(do, "limen-tinker"), doing)

    def result(self, pending: Sdk, doing: str) -> Sdk:
        """The result of one of the SDK's futures."""
        return self._result(concurrent(pending), doing)

    def pause(self, seconds: float) -> None:
        """Wait, or raise as soon as the run has ended."""
        self.stopped.wait(seconds)
        self._check_running()

    def check_contact(self) -> None:
        """Raise at once if nothing listens at the server's address."""
        if (problem := self._problem()) is not None:
            raise BackendError(
                f"no server at {self.connection.shown}: {problem}. Start it, or set TINKER_BASE_URL"
            )

    def _result(self, future: "Future[T]", doing: str) -> T:
        self._check_running()
        begun = time.monotonic()
        while not wait([future], timeout=POLL).done:
            self._check_running()
            self._check_server(doing)
            if self._warnings.credit:
                raise BackendError(
                    f"{doing}: the account has no credit: {self._scrub(self._warnings.credit)}; "
                    f"{LATER}"
                )
            if time.monotonic() - begun > self.longest:
                raise BackendError(self._unanswered(doing))
        try:
            result = future.result()
        except Exception as error:
            raise as_limen_error(error, doing, self.connection) from None
        self._last_contact = time.monotonic()
        return result

    def _unanswered(self, doing: str) -> str:
        last = f" (the SDK says: {self._scrub(self._warnings.last)})" if self._warnings.last else ""
        return f"{doing}: no answer in {self.longest:.0f} s{last}; {LATER}"

    def _check_running(self) -> None:
        if self.stopped.is_set():
            raise BackendError("the run was ended; run the same command again to go on")

    def _check_server(self, doing: str) -> None:
        """Connect now and then; raise once that has failed for as long as an outage may last."""
        with self._lock:
            if time.monotonic() - self._last_probe < PROBE:
                return
            problem = self._problem()
            self._last_probe = time.monotonic()
            if problem is None:
                self._last_contact = self._last_probe
                return
        away = time.monotonic() - self._last_contact
        if away > self.outage:
            raise BackendError(
                f"{doing}: the server at {self.connection.shown} is away since {away:.0f} s "
                f"({problem}); {LATER}"
            )

    def _problem(self) -> str | None:
        """Why no connection can be made; None if one can, or if a proxy makes it."""
        endpoint = self.connection.endpoint
        if endpoint is None or (getproxies() and not proxy_bypass(endpoint[0])):
            return None
        try:
            socket.create_connection(endpoint, timeout=PROBE).close()
        except OSError as error:
            return error.strerror or str(error)
        return None

    def _scrub(self, text: str) -> str:
        return self.connection.redactor.text(" ".join(text.split()))


def concurrent(pending: Sdk) -> "Future[Sdk]":
    """The standard future behind one of the SDK's, which differ between versions."""
    future: Future[Sdk] = pending.future() if hasattr(pending, "future") else pending
    return future
