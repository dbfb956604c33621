"""Connections with limits: of time for headers and bodies, of size for headers, and of number."""

import asyncio
import json
import sys
from http import HTTPStatus

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

HEADER_TIME = 30.0
"""Seconds for a request's headers, from the first byte or from the connection on."""
BODY_TIME = 300.0
"""Seconds for a request's body."""
READ_TIME = 120.0
"""Seconds that a client may let an answer wait without reading any of it."""
MAX_HEADERS = 64 * 2**10
"""Bytes of a request's line and headers."""
SHARE = 2
"""The process's file descriptors divided by this are for connections."""
MOST = 1000
BACKLOG = 64
"""Connections that are accepted in one go; they count before they are refused."""


def max_connections() -> int:
    """The number of connections at a time that the process's descriptors allow."""
    if sys.platform == "win32":  # sockets are no descriptors there
        return MOST
    import resource

    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MOST if soft < 0 else max(8, min(MOST, soft // SHARE - BACKLOG // SHARE))


_waiting: "dict[LimitedProtocol, None]" = {}
"""Connections without a whole request, oldest first."""
_answered: "dict[LimitedProtocol, None]" = {}
"""Connections whose requests are answered and that are kept open, oldest first; a client may
still owe the rest of a body."""


class LimitedProtocol(H11Protocol):
    """uvicorn's HTTP protocol with these limits.

    Where there are too many connections, the one that has waited longest without a whole request
    makes room, or else the one whose last answer lies furthest back; if all are being answered, the
    new one is refused. A connection whose request is answered ends without a word: the client
    would take an error for the answer to its next request.
    """

    _timer: asyncio.TimerHandle | None = None
    _unread: asyncio.TimerHandle | None = None
    _phase = ""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """See :class:`asyncio.Protocol`."""
        super().connection_made(transport)
        if len(self.connections) > max_connections():
            oldest = next((c for c in (*_waiting, *_answered) if c in self.connections), self)
            oldest.refuse(503)
            if oldest is self:
                return
        self._enter("headers", HEADER_TIME)

    def connection_lost(self, exc: Exception | None) -> None:
        """See :class:`asyncio.Protocol`."""
        self._enter("")
        self._stop_reading_timer()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """See :class:`asyncio.Protocol`: a client that reads nothing is not waited for for ever."""
        super().pause_writing()
        self._stop_reading_timer()
        self._unread = self.loop.call_later(READ_TIME, self.transport.abort)

    def resume_writing(self) -> None:
        """See :class:`asyncio.Protocol`."""
        super().resume_writing()
        self._stop_reading_timer()

    def data_received(self, data: bytes) -> None:
        """See :class:`asyncio.Protocol`."""
        if self.transport.is_closing():
            return
        if self._phase == "idle":
            self._enter("headers", HEADER_TIME)
        super().data_received(data)
        self._enter_phase()

    def on_response_complete(self) -> None:
        """The connection may be used again, once what is left of the request's body is read."""
        super().on_response_complete()
        self._enter_phase()

    def _enter_phase(self) -> None:
        """Begin the phase that the connection is in by what was read and answered of it."""
        state = self.conn.their_state
        if state is h11.SEND_BODY:
            self._enter("body" if self._in_progress else "rest of body", BODY_TIME)
        elif state is h11.IDLE and self.conn.trailing_data[0]:
            self._enter("headers", HEADER_TIME)
        elif self._in_progress:
            self._enter("")
        else:
            self._enter("idle", self.timeout_keep_alive)

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP; headers that are too large by their own status."""
        large = len(self.conn.trailing_data[0]) > MAX_HEADERS // 2
        self.refuse(431 if large else 400)

    def refuse(self, status: int) -> None:
        """Answer with an error, unless the request is answered already, and close."""
        answered = self in _answered
        self._enter("")
        if not self.transport.is_closing():
            if not answered:
                self.transport.write(_error_response(HTTPStatus(status)))
            self.transport.close()
        self.connections.discard(self)

    @property
    def _in_progress(self) -> bool:
        """Whether a request is being answered."""
        return self.cycle is not None and not self.cycle.response_complete

    def _stop_reading_timer(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None

    def _enter(self, phase: str, seconds: float = 0.0) -> None:
        """Begin a phase with its time limit, unless the connection is in it already."""
        if phase == self._phase:
            return
        self._phase = phase
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        _waiting.pop(self, None)
        _answered.pop(self, None)
        if phase:
            (_answered if phase in ("idle", "rest of body") else _waiting)[self] = None
        if seconds:
            self._timer = self.loop.call_later(seconds, self.refuse, 408)


def _error_response(status: HTTPStatus) -> bytes:
    """A response that says this error, and that the connection ends."""
    error = {"message": status.phrase, "type": "invalid_request_error", "param": None, "code": None}
    body = json.dumps({"error": error}).encode()
    head = (
        f"HTTP/1.1 {status} {status.phrase}\r\ncontent-type: application/json\r\n"
        f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
    )
    return head.encode() + body
