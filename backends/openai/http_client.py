"""The HTTP clients below the SDK: bounded bodies, no redirects to other hosts, no secrets echoed.

Limits are counted after decompression, while the body is read, so that a small compressed body
cannot fill the memory. Only encodings that are decoded here with a bound are asked for.
"""

import zlib
from typing import Any, TypeAlias

import httpx2
from openai import DefaultAsyncHttpxClient, DefaultHttpxClient, OpenAIError

from ..redaction import Redactor

MAX_BODY = 32 * 2**20
"""Bytes of a response at most, decompressed."""
MAX_FILE = 512 * 2**20
"""The same for the content of a file, such as the results of a batch."""
MAX_REDIRECTS = 5
ENCODINGS = "gzip, deflate"

Credentials: TypeAlias = tuple[str, str] | None
"""User name and password of the address, sent as Basic authentication."""


class RedirectRefusedError(OpenAIError):
    """The server sent us to another host, which must not see prompts."""


class BodyError(OpenAIError):
    """A response body is too large, or cannot be decoded."""


class LimitedClient(DefaultHttpxClient):
    """The SDK's blocking client with these limits."""

    def __init__(self, redactor: Redactor, credentials: Credentials = None) -> None:
        super().__init__(headers={"accept-encoding": ENCODINGS})
        self._redactor, self._credentials = redactor, credentials

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
        body = _Body(response)
        try:
            for chunk in response.iter_raw():
                body.feed(chunk)
        finally:
            response.close()
        return _rebuilt(response, self._redactor.body(body.content()))


class AsyncLimitedClient(DefaultAsyncHttpxClient):
    """The SDK's asynchronous client with the same limits."""

    def __init__(self, redactor: Redactor, credentials: Credentials = None) -> None:
        super().__init__(headers={"accept-encoding": ENCODINGS})
        self._redactor, self._credentials = redactor, credentials

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
        body = _Body(response)
        try:
            async for chunk in response.aiter_raw():
                body.feed(chunk)
        finally:
            await response.aclose()
        return _rebuilt(response, self._redactor.body(body.content()))


class _Body:
    """A body as it arrives, decoded within its limit."""

    def __init__(self, response: httpx2.Response) -> None:
        path = response.request.url.path
        self._limit = MAX_FILE if path.endswith("/content") else MAX_BODY
        self._chunks: list[bytes] = []
        self._size = 0
        encoding = response.headers.get("content-encoding", "identity").strip().lower()
        if encoding not in ("", "identity", "gzip", "x-gzip", "deflate"):
            raise BodyError(f"the response is encoded as {encoding[:40]!r}: not asked for")
        self._compressed = encoding not in ("", "identity")
        self._decoder = zlib.decompressobj(wbits=47)  # gzip or zlib, whichever it is

    def feed(self, chunk: bytes) -> None:
        """Take some bytes as they came."""
        if not self._compressed:
            self._add(chunk)
            return
        try:
            while chunk:
                self._add(self._decoder.decompress(chunk, self._limit - self._size + 1))
                chunk = self._decoder.unconsumed_tail
                if self._decoder.eof:
                    chunk = self._decoder.unused_data
                    self._decoder = zlib.decompressobj(wbits=47)
        except zlib.error as error:
            raise BodyError(f"the compressed response cannot be decoded ({error})") from None

    def content(self) -> bytes:
        """All bytes, decoded."""
        return b"".join(self._chunks)

    def _add(self, data: bytes) -> None:
        self._size += len(data)
        if self._size > self._limit:
            self._chunks.clear()
            raise BodyError(f"the response is larger than {self._limit // 2**20} MiB")
        self._chunks.append(data)


def _auth(credentials: Credentials) -> dict[str, Any]:
    return {"auth": credentials} if credentials else {}


def _check_redirect(request: httpx2.Request, target: httpx2.Request) -> None:
    before, after = request.url, target.url
    upgraded = (before.scheme, after.scheme) == ("http", "https")
    same_port = before.port == after.port or (upgraded and after.port in (None, 443))
    if before.host != after.host or not same_port:
        host = f"{after.host}:{after.port}" if after.port else after.host
        raise RedirectRefusedError(
            f"the server redirects to another host, {host}; nothing was sent there. If that is "
            f"the right server, name it in OPENAI_BASE_URL"
        )


def _rebuilt(response: httpx2.Response, content: bytes) -> httpx2.Response:
    """The response with its decoded body."""
    gone = ("content-encoding", "content-length", "transfer-encoding")
    headers = [(k, v) for k, v in response.headers.multi_items() if k.lower() not in gone]
    extensions = {k: v for k, v in response.extensions.items() if k != "network_stream"}
    return httpx2.Response(
        response.status_code,
        headers=headers,
        content=content,
        request=response.request,
        extensions=extensions,
    )
