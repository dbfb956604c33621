"""Checks that every request passes first: who asks, from which page, with which kind of body.

A web page that is open in the user's browser can send requests to this server, too. Its host name
or its origin tells it apart from programs; and what it may send without being asked has another
content type than this API's.
"""

import hmac
from collections.abc import Iterable
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .options import LOOPBACK
from .protocol import ApiError, new_id

TEST_CLIENT = "testserver"
"""The host name that Starlette's test client sends, which no browser can reach."""

JSON_TYPES = ("application/json",)
FORM_PATHS = ("/v1/files", "/parts")
"""Ends of the paths that take a form."""


class RequestChecks:
    """ASGI middleware that checks host, origin, key and content type, and adds a request id."""

    def __init__(
        self, app: ASGIApp, api_key: str | None, allowed_hosts: Iterable[str] = ()
    ) -> None:
        self._app = app
        self._key = None if api_key is None else api_key.encode()
        self._hosts = frozenset({*LOOPBACK, TEST_CLIENT, *(host.lower() for host in allowed_hosts)})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = new_id("req").replace("-", "_")

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["x-request-id"] = request_id
            await send(message)

        refusal = self._refusal(scope, Headers(scope=scope))
        app = self._app if refusal is None else refusal.response()
        await app(scope, receive, send_with_id)

    def _refusal(self, scope: Scope, headers: Headers) -> ApiError | None:
        if not self._is_own_name(f"//{headers.get('host', '')}"):
            return ApiError(
                403,
                "This server does not answer to that host name: start it with --allow-host NAME "
                "if it should.",
                code="host_not_allowed",
            )
        origin = headers.get("origin")
        cross_site = headers.get("sec-fetch-site") in ("cross-site", "same-site")
        if (origin is not None and not self._is_allowed(origin)) or (origin is None and cross_site):
            return ApiError(
                403,
                "This server does not answer to pages of other sites: start it with --allow-host "
                "NAME if it should answer to this one.",
                code="origin_not_allowed",
            )
        if not self._has_key(headers):
            return ApiError(
                401,
                "Incorrect API key provided, or none: this server asks for the one it was started "
                "with.",
                code="invalid_api_key",
            )
        return _type_error(scope, headers)

    def _is_own_name(self, address: str) -> bool:
        """Whether the server may be called so.

        With a key, clients on other machines may use its number: no page can rebind a number.
        """
        return self._is_allowed(address) or (self._key is not None and _is_number(address))

    def _is_allowed(self, address: str) -> bool:
        return _host(address) in self._hosts

    def _has_key(self, headers: Headers) -> bool:
        if self._key is None:
            return True
        scheme, _, token = headers.get("authorization", "").partition(" ")
        given = token if scheme.lower() == "bearer" else headers.get("api-key", "")
        return hmac.compare_digest(given.strip().encode("latin-1"), self._key)


def _host(address: str) -> str:
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return ""


def _is_number(address: str) -> bool:
    """Whether the host is an IP address, and no name."""
    try:
        ip_address(_host(address))
    except ValueError:
        return False
    return True


def _type_error(scope: Scope, headers: Headers) -> ApiError | None:
    """The refusal of a body that a web page may send without being asked whether it may.

    Forms are left to the paths that take them. A body without a type is a program's, unless a page
    sends it, which has an origin.
    """
    if scope["method"] not in ("POST", "PUT", "PATCH") or scope["path"].endswith(FORM_PATHS):
        return None
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind in JSON_TYPES or (not kind and "origin" not in headers):
        return None
    return ApiError(
        415,
        f"Unsupported content type {kind[:100]!r}: this path takes {JSON_TYPES[0]}.",
        code="unsupported_content_type",
    )
