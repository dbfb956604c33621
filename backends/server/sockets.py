"""The application on a socket."""

import contextlib
import socket
from collections.abc import Callable

import uvicorn
from starlette.applications import Starlette

from ...datasets.errors import BackendError
from .connections import BACKLOG, MAX_HEADERS, LimitedProtocol
from .log_limit import limit_logs

GRACE = 5
"""Seconds that running requests are given when the server is asked to stop."""
IDLE = 75
"""Seconds that an unused connection stays open; a client that reuses one later would fail."""


def run(app: Starlette, listening: socket.socket, ready: Callable[[str], None]) -> None:
    """Serve on a socket until SIGINT or SIGTERM."""
    server = _Announcing(app, lambda: ready(_url(listening)))
    limit_logs()
    with contextlib.suppress(KeyboardInterrupt):
        server.run(sockets=[listening])


class _Announcing(uvicorn.Server):
    """A server that says when it listens."""

    def __init__(self, app: Starlette, ready: Callable[[], None]) -> None:
        super().__init__(settings(app))
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        if self.started:
            self._ready()


def settings(app: Starlette) -> uvicorn.Config:
    """How uvicorn is to serve the application."""
    return uvicorn.Config(
        app,
        lifespan="on",
        http=LimitedProtocol,
        backlog=BACKLOG,
        h11_max_incomplete_event_size=MAX_HEADERS,
        log_level="error",
        access_log=False,
        server_header=False,
        ws="none",
        timeout_keep_alive=IDLE,
        timeout_graceful_shutdown=GRACE,
    )


def bound(host: str, port: int) -> socket.socket:
    """A socket that listens there; raises :class:`~limen.BackendError`."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio sends small answers without delay only where the protocol is named
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(2048)
    except (OSError, OverflowError) as error:
        listening.close()
        raise BackendError(
            f"cannot listen on {host}, port {port} ({error}): name another with --port, or 0 for "
            "a free one"
        ) from None
    return listening


def _url(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}/v1" if ":" in host else f"http://{host}:{port}/v1"
