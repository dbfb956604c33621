"""A proxy on loopback that passes requests on to a server, and spoils what a test wants spoiled."""

import asyncio
import json
import socket
import struct
import threading
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Asked:
    """A request as it came."""

    method: str
    path: str
    body: bytes
    number: int
    """How many of the same method and path came before."""

    @property
    def is_chat(self) -> bool:
        return self.path.endswith("/chat/completions")


@dataclass
class Exchange:
    """One request, and the means to answer it."""

    asked: Asked
    raw: bytes
    upstream: tuple[str, int]
    writer: asyncio.StreamWriter

    async def forward(self) -> bytes:
        """What the server answers, as it stands on the wire."""
        reader, writer = await asyncio.open_connection(*self.upstream)
        writer.write(self.raw)
        await writer.drain()
        answer = await reader.read()
        writer.close()
        return answer

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    def reset(self) -> None:
        """Break the connection off, so that the other side sees a reset."""
        sock: socket.socket = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


Spoil = Callable[[Exchange], Awaitable[None]]
Script = Callable[[Asked], Spoil | None]


async def passed(exchange: Exchange) -> None:
    """Nothing is spoiled."""
    exchange.send(await exchange.forward())


async def reset_before(exchange: Exchange) -> None:
    """The connection breaks before the server has seen anything."""
    exchange.reset()


async def reset_after(exchange: Exchange) -> None:
    """The connection breaks once the server has done the work."""
    await exchange.forward()
    exchange.reset()


async def half_body(exchange: Exchange) -> None:
    """The answer breaks off in the middle."""
    answer = await exchange.forward()
    exchange.send(answer[: len(answer) - 20])


async def dripping(exchange: Exchange) -> None:
    """The answer comes byte by byte, each in time, and takes longer than anybody can wait."""
    head, _, body = (await exchange.forward()).partition(b"\r\n\r\n")
    exchange.send(head + b"\r\n\r\n")
    for start in range(len(body)):
        exchange.send(body[start : start + 1])
        await exchange.writer.drain()
        await asyncio.sleep(0.05)


def answering(
    status: int,
    body: object,
    headers: Mapping[str, str] | None = None,
    *,
    after: bool = False,
) -> Spoil:
    """Another answer in place of the server's, which has done the work all the same if ``after``."""

    async def spoil(exchange: Exchange) -> None:
        if after:
            await exchange.forward()
        text = body if isinstance(body, str) else json.dumps(body)
        kind = "application/json" if text.startswith(("{", "[")) else "text/html"
        lines = {"content-type": kind, "content-length": str(len(text.encode()))}
        head = "".join(
            f"{name}: {value}\r\n" for name, value in {**lines, **(headers or {})}.items()
        )
        exchange.send(
            f"HTTP/1.1 {status} Whatever\r\n{head}connection: close\r\n\r\n{text}".encode()
        )

    return spoil


def error(
    status: int, code: str, headers: Mapping[str, str] | None = None, *, after: bool = False
) -> Spoil:
    """An error in OpenAI's shape."""
    body = {"error": {"message": f"says {code}", "type": code, "param": None, "code": code}}
    return answering(status, body, headers, after=after)


def rewriting(change: Callable[[Any], Any]) -> Spoil:
    """The server's answer with its JSON (or its text, if it is none) changed."""

    async def spoil(exchange: Exchange) -> None:
        head, _, body = (await exchange.forward()).partition(b"\r\n\r\n")
        status = int(head.split()[1])
        try:
            given = json.loads(body)
        except ValueError:
            given = body.decode()
        await answering(status, change(given))(exchange)

    return spoil


@dataclass
class Proxy:
    """A proxy that listens."""

    upstream: tuple[str, int]
    script: Script = lambda asked: None
    port: int = 0
    log: list[Asked] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def count(self, method: str, end: str) -> int:
        """Requests of a method to paths that end so."""
        return sum(a.method == method and a.path.split("?")[0].endswith(end) for a in self.log)

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request and close."""
        try:
            asked, raw = await self._read(reader)
            self.log.append(asked)
            spoil = self.script(asked) or passed
            await spoil(Exchange(asked, raw, self.upstream, writer))
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _read(self, reader: asyncio.StreamReader) -> tuple[Asked, bytes]:
        head = await reader.readuntil(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in lines if ": " in line)
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        method, path, _ = first.split(" ")
        number = sum(a.method == method and a.path == path for a in self.log)
        kept = [line for line in lines if line and not line.lower().startswith("connection:")]
        raw = "\r\n".join([first, *kept, "connection: close", "", ""]).encode("latin-1") + body
        return Asked(method, path, body, number), raw


@contextmanager
def proxy(port: int, script: Script = lambda asked: None) -> Iterator[Proxy]:
    """A proxy before the server on a port of this machine, in a thread."""
    made = Proxy(("127.0.0.1", port), script)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    listening = asyncio.run_coroutine_threadsafe(_listening(made), loop).result()
    try:
        yield made
    finally:
        asyncio.run_coroutine_threadsafe(_end(listening), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _listening(proxy: Proxy) -> asyncio.Server:
    server = await asyncio.start_server(proxy.handle, "127.0.0.1", 0, limit=2**24)
    proxy.port = server.sockets[0].getsockname()[1]
    return server


async def _end(server: asyncio.Server) -> None:
    """Listen no longer, and end the exchanges that are left."""
    server.close()
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)
    await asyncio.sleep(0)  # what was closed is closed by the loop's next turn
