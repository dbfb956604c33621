"""The HTTP clients below the SDK: bounded bodies, no redirects to other hosts, no secrets echoed.

Limits are counted after decompression, while the body is read, so that a small compressed body
cannot fill the memory. Only encodings that are decoded here with a bound are asked for.
"""

import asyncio
import io
import os
import ssl
import threading
import time
import zlib
from functools import lru_cache
from typing import Any, TypeAlias

import httpx2
from openai import DefaultAsyncHttpxClient, DefaultHttpxClient, OpenAIError

from ..redaction import Redactor, guard_logs

MAX_BODY = 32 * 2**20
"""Bytes of a response at most, decompressed."""
MAX_FILE = 512 * 2**20
"""The same for the content of a file, such as the results of a batch."""
LARGE = 2**20
"""Bytes from which on a body is read alone: many calls at a time hold one large body at most."""
MAX_SECONDS = 600.0
"""Seconds for a body at most; the SDK's timeout is for each read."""
MAX_MEMBERS = 1000
"""Compressed parts of a body at most: each costs time, though it may be empty."""
MAX_REDIRECTS = 5
ANSWERS = ("/completions", "/content")
"""Ends of the paths whose responses have texts of a model."""
ENCODINGS = "gzip, deflate"
OTHER_ENCODINGS = ("br", "compress", "zstd")
"""Encodings that cannot be decoded. What is no encoding, such as ``utf-8``, changes nothing."""
AUTOMATIC = 47
"""zlib's window bits for gzip and zlib, whichever it is."""
UNUSED_EXTENSIONS = ("network_stream", "reason_phrase")

LOGGERS = (
    "httpx2", "httpcore2.connection", "httpcore2.http11", "httpcore2.http2", "httpcore2.proxy",
    "httpcore2.socks", "openai._base_client", "openai._legacy_response", "openai._response",
)  # fmt: skip
"""What the SDK and the libraries below it log through."""
Credentials: TypeAlias = tuple[str, str] | None
"""User name and password of the address, sent as Basic authentication."""


class RedirectRefusedError(OpenAIError):
    """The server sent us to another host, which must not see prompts."""


class BodyError(OpenAIError):
    """A response body is too large, or cannot be decoded."""


class LimitedClient(DefaultHttpxClient):
    """The SDK's blocking client with these limits."""

    def __init__(self, redactor: Redactor, credentials: Credentials = None) -> None:
        super().__init__(headers={"accept-encoding": ENCODINGS}, verify=_certificates())
        self._redactor, self._credentials = redactor, credentials
        guard_logs(redactor, *LOGGERS)
        self._large = threading.Lock()

    def send(self, request: httpx2.Request, *, stream: bool = False, **options: Any) -> Any:
        """Send a request; the body of the response has been read unless ``stream`` is set."""
        options |= {"follow_redirects": False, **_auth(self._credentials)}
        response = super().send(request, stream=True, **options)
        for _ in range(MAX_REDIRECTS):
            if response.next_request is None:
                break
            response.close()
            _check_redirect(request, response.next_request)
            response = super().send(response.next_request, stream=True, **options)
        if stream:
            return response
        try:
            return _rebuilt(response, self._read(response), self._redactor)
        finally:
            response.close()

    def _read(self, response: httpx2.Response) -> bytes:
        body, chunks = _Body(response), response.iter_raw()
        for chunk in chunks:
            body.feed(chunk)
            if body.is_large:
                break
        if body.is_large:
            with self._large:
                body.take_all()
                for chunk in chunks:
                    body.feed(chunk)
        return body.content()


class AsyncLimitedClient(DefaultAsyncHttpxClient):
    """The SDK's asynchronous client with the same limits."""

    def __init__(self, redactor: Redactor, credentials: Credentials = None) -> None:
        super().__init__(headers={"accept-encoding": ENCODINGS}, verify=_certificates())
        self._redactor, self._credentials = redactor, credentials
        guard_logs(redactor, *LOGGERS)
        self._large = asyncio.Lock()

    async def send(self, request: httpx2.Request, *, stream: bool = False, **options: Any) -> Any:
        """See :meth:`LimitedClient.send`."""
        options |= {"follow_redirects": False, **_auth(self._credentials)}
        response = await super().send(request, stream=True, **options)
        for _ in range(MAX_REDIRECTS):
            if response.next_request is None:
                break
            await response.aclose()
            _check_redirect(request, response.next_request)
            response = await super().send(response.next_request, stream=True, **options)
        if stream:
            return response
        try:
            return _rebuilt(response, await self._read(response), self._redactor)
        finally:
            await response.aclose()

    async def _read(self, response: httpx2.Response) -> bytes:
        body, chunks = _Body(response), response.aiter_raw()
        async for chunk in chunks:
            body.feed(chunk)
            if body.is_large:
                break
        if body.is_large:
            async with self._large:
                body.take_all()
                async for chunk in chunks:
                    body.feed(chunk)
        return body.content()


class _Body:
    """A body as it arrives, decoded within its limits.

    Decoding stops at :data:`LARGE` bytes until :meth:`take_all` is called, so that many small
    compressed bodies cannot fill the memory together.
    """

    def __init__(self, response: httpx2.Response) -> None:
        path = response.request.url.path
        self._limit = MAX_FILE if path.endswith("/content") else MAX_BODY
        self._ceiling = LARGE
        self._deadline = time.monotonic() + MAX_SECONDS
        self._decoded = io.BytesIO()
        self._received = 0
        self._pending = b""
        self._members = 1
        named = response.headers.get("content-encoding", "").lower()
        words = [word.strip().removeprefix("x-") for word in named.split(",")]
        if unknown := next((word for word in words if word in OTHER_ENCODINGS), None):
            raise BodyError(f"the response is encoded as {unknown}, which was not asked for")
        self._compressed = "gzip" in words or "deflate" in words
        self._wbits = AUTOMATIC
        self._decoder = zlib.decompressobj(wbits=self._wbits)

    @property
    def is_large(self) -> bool:
        """Whether decoding has stopped, to go on alone."""
        return self._decoded.tell() >= self._ceiling

    def take_all(self) -> None:
        """Decode what has come, and from now on all that comes."""
        self._ceiling = self._limit + 1
        self.feed(b"")

    def feed(self, chunk: bytes) -> None:
        """Take some bytes as they came; raises :class:`BodyError` beyond a limit."""
        self._received += len(chunk)
        self._pending += chunk
        if time.monotonic() > self._deadline:
            raise BodyError(f"the response was not complete after {MAX_SECONDS:.0f} s")
        while self._pending and not self.is_large:
            self._decoded.write(self._step())
        if max(self._decoded.tell(), self._received) > self._limit:
            raise BodyError(f"the response is larger than {self._limit // 2**20} MiB")

    def content(self) -> bytes:
        """All bytes, decoded."""
        return self._decoded.getvalue()

    def _step(self) -> bytes:
        """Some more decoded bytes, not many at a time."""
        room = min(LARGE, self._ceiling - self._decoded.tell())
        if not self._compressed:
            data, self._pending = self._pending[:room], self._pending[room:]
            return data
        try:
            data = self._decoder.decompress(self._pending, room)
        except zlib.error as error:
            return self._step_otherwise(error)
        self._pending = self._decoder.unconsumed_tail
        if self._decoder.eof:
            self._members += 1
            if self._members > MAX_MEMBERS:
                raise BodyError("the compressed response has too many parts")
            self._pending = self._decoder.unused_data
            self._decoder = zlib.decompressobj(wbits=self._wbits)
        return data

    def _step_otherwise(self, error: zlib.error) -> bytes:
        """What comes next of a body that is not compressed, or without zlib's header."""
        fresh = not self._decoded.tell() and self._members == 1
        if fresh and self._pending.lstrip().startswith((b"{", b"[")):
            self._compressed = False
        elif fresh and self._wbits == AUTOMATIC:
            self._wbits = -zlib.MAX_WBITS
            self._decoder = zlib.decompressobj(wbits=self._wbits)
        else:
            raise BodyError(f"the compressed response cannot be decoded ({error})") from None
        return b""


def _certificates() -> ssl.SSLContext:
    """Whom to trust: the machine's certificates, or those that the environment names."""
    return _read_certificates(os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))


@lru_cache(maxsize=1)  # else every client would read all of them anew
def _read_certificates(file: str | None, folder: str | None) -> ssl.SSLContext:
    return httpx2.create_ssl_context()


def _auth(credentials: Credentials) -> dict[str, Any]:
    return {"auth": credentials} if credentials else {}


def _check_redirect(request: httpx2.Request, target: httpx2.Request) -> None:
    before, after = request.url, target.url
    upgraded = (before.scheme, after.scheme) == ("http", "https") and after.port in (None, 443)
    same = (before.scheme, before.port) == (after.scheme, after.port)
    if before.host != after.host or not (same or upgraded):
        what = "host" if before.host != after.host else "address"
        target_name = f"{after.scheme}://{after.host}{f':{after.port}' if after.port else ''}"
        raise RedirectRefusedError(
            f"the server redirects to another {what}, {target_name}; nothing was sent there. If "
            f"that is the right server, name it in OPENAI_BASE_URL"
        )


def _rebuilt(response: httpx2.Response, content: bytes, redactor: Redactor) -> httpx2.Response:
    """The response with its decoded body, without secrets in headers and body."""
    gone = (b"content-encoding", b"content-length", b"transfer-encoding")
    answers = response.is_success and response.request.url.path.endswith(ANSWERS)
    headers = [(k, redactor.body(v)) for k, v in response.headers.raw if k.lower() not in gone]
    extensions = {k: v for k, v in response.extensions.items() if k not in UNUSED_EXTENSIONS}
    return httpx2.Response(
        response.status_code,
        headers=headers,
        content=redactor.body(content, answers=answers),
        request=response.request,
        extensions=extensions,
    )
