"""Checks that every request passes first, and the request id."""

import hmac

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .protocol import ApiError, new_id


class ApiKeyMiddleware:
    """ASGI middleware that requires the API key and adds a request id."""

    def __init__(self, app: ASGIApp, api_key: str | None) -> None:
        self._app = app
        self._key = None if api_key is None else api_key.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        number = new_id("req").replace("-", "_")

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["x-request-id"] = number
            await send(message)

        app = self._app if self._has_key(Headers(scope=scope)) else _refusal().response()
        await app(scope, receive, send_with_id)

    def _has_key(self, headers: Headers) -> bool:
        if self._key is None:
            return True
        scheme, _, token = headers.get("authorization", "").partition(" ")
        given = token if scheme.lower() == "bearer" else headers.get("api-key", "")
        return hmac.compare_digest(given.strip().encode("latin-1"), self._key)


def _refusal() -> ApiError:
    return ApiError(
        401,
        "Incorrect API key provided, or none: this server asks for the one it was started with.",
        code="invalid_api_key",
    )
