"""A server of bytes: what it sends need not be HTTP that any library would write."""

import json
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress

Exchange = Callable[[str, bytes], Iterable[bytes]]
"""Path and body of a request to the bytes of the response, which may have no end."""


@contextmanager
def raw_server(exchange: Exchange) -> Iterator[str]:
    """The base URL of a server on loopback, in threads; a connection ends with its response."""
    listening = socket.create_server(("127.0.0.1", 0), backlog=256)

    def serve() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listening.accept()
                threading.Thread(target=_answer, args=(connection, exchange), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/v1"
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()


def response(body: object, *headers: str) -> Iterator[bytes]:
    """A JSON response of status 200."""
    data = json.dumps(body).encode()
    yield head(f"content-length: {len(data)}", *headers) + data


def head(*headers: str, status: str = "200 OK") -> bytes:
    """The head of a response that ends with its connection."""
    fixed = (f"HTTP/1.1 {status}", "content-type: application/json", "connection: close")
    return "\r\n".join((*fixed, *headers, "", "")).encode()


def _answer(connection: socket.socket, exchange: Exchange) -> None:
    with connection, suppress(OSError):
        stream = connection.makefile("rb")
        path = stream.readline().split()[1].decode()
        length = 0
        while (line := stream.readline().strip().lower()) != b"":
            name, _, value = line.partition(b":")
            length = int(value) if name == b"content-length" else length
        for data in exchange(path, stream.read(length)):
            connection.sendall(data)
