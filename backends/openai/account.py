"""The account: which server and which key, and the SDK's clients for them.

Everything comes from the environment variables that the SDK documents. The key is never written
anywhere, and :meth:`Account.scrub` removes it.
"""

import os
from collections.abc import Coroutine, Iterable, Iterator
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from ...datasets.errors import BackendError
from ..base import Completion
from ..event_loop import EventLoopThread
from ..redaction import Redactor
from .errors import Failure, classify

if TYPE_CHECKING:
    from openai import AsyncOpenAI, OpenAI

T = TypeVar("T")
OPENAI = "https://api.openai.com/v1"
ENDPOINTS = ("/completions", "/chat")
"""What people leave at the end of an address that they copied, from the end."""
NO_KEY = "no-key"
"""What a server that wants no key is sent; the SDK insists on one."""


class Account:
    """One server, one key, one event loop for all that is sent to it."""

    def __init__(self, *, needs_key: bool = True) -> None:
        env = os.environ.get
        azure = env("AZURE_OPENAI_ENDPOINT", "")
        self.azure = bool(azure) and not env("OPENAI_BASE_URL")
        given = azure if self.azure else env("OPENAI_BASE_URL") or OPENAI
        parts = _parts(given.strip())
        host = parts.netloc.rpartition("@")[2]
        parts = parts._replace(path=_without_endpoint(parts.path))
        self._address = parts._replace(netloc=host).geturl().rstrip("/")
        self.url = parts._replace(netloc=host, query="", fragment="").geturl().rstrip("/")
        """The server, without any credentials that its address has in it."""
        self._credentials = _credentials(parts)
        self._key = env("AZURE_OPENAI_API_KEY" if self.azure else "OPENAI_API_KEY", "").strip()
        self._token = env("AZURE_OPENAI_AD_TOKEN", "").strip() if self.azure else ""
        self.redactor = Redactor([self._key, self._token, *_secrets(parts), *_proxy_secrets()])
        self._check_address()
        if needs_key:
            self._check_key()
        self._loop = EventLoopThread("limen-openai")

    @property
    def is_openai(self) -> bool:
        """Whether this is OpenAI's own service."""
        return (urlsplit(self.url).hostname or "").endswith("api.openai.com")

    @cached_property
    def client(self) -> "OpenAI":
        """The blocking client: jobs, files, models, batches. It never retries by itself."""
        from openai import AzureOpenAI, OpenAI

        from .http_client import LimitedClient

        http = LimitedClient(self.redactor, self._credentials)
        options: dict[str, Any] = {"max_retries": 0, "timeout": 60, "http_client": http}
        if self.azure:
            return AzureOpenAI(**self._azure(), **options)
        return OpenAI(api_key=self._key or NO_KEY, base_url=self._address, **options)

    @cached_property
    def async_client(self) -> "AsyncOpenAI":
        """The client for sampling; to be used on the account's loop only."""
        from openai import AsyncAzureOpenAI, AsyncOpenAI

        from .http_client import AsyncLimitedClient

        http = AsyncLimitedClient(self.redactor, self._credentials)
        self._loop.at_end(http.aclose)
        options: dict[str, Any] = {"max_retries": 0, "http_client": http}
        if self.azure:
            return AsyncAzureOpenAI(**self._azure(), **options)
        return AsyncOpenAI(api_key=self._key or NO_KEY, base_url=self._address, **options)

    def start(self, work: Coroutine[Any, Any, T]) -> "Future[T]":
        """Have something done on the loop, in a thread that does not keep the process alive."""
        return self._loop.start(work)

    def scrub(self, text: object) -> str:
        """The text without secrets."""
        return self.redactor.text(text)

    def classify(self, error: Exception) -> Failure:
        """The failure behind an exception, its message without secrets."""
        return self.cleaned(classify(error))

    def cleaned(self, failure: Failure) -> Failure:
        """The failure, its message without secrets."""
        details = replace(failure.details, message=self.scrub(failure.details.message))
        return replace(failure, message=self.scrub(failure.message), details=details)

    def without_secrets(self, completions: Iterable[Completion]) -> list[Completion]:
        """The completions, their errors without secrets."""
        return [replace(c, error=c.error and self.scrub(c.error)) for c in completions]

    def _azure(self) -> dict[str, Any]:
        return {
            "azure_endpoint": self._address,
            "api_key": self._key or None,
            "azure_ad_token": self._token or None,
        }

    @property
    def has_key(self) -> bool:
        """Whether there is a key, where one is needed."""
        return bool(self._key or self._token) or not (self.is_openai or self.azure)

    def _check_key(self) -> None:
        if self.is_openai and not self._key:
            raise BackendError(
                "no key for OpenAI: set OPENAI_API_KEY, or set OPENAI_BASE_URL to another server, "
                "such as http://127.0.0.1:8000/v1 for 'limen serve --engine toy'"
            )
        if self.azure and not (self._key or self._token):
            raise BackendError("no key for Azure: set AZURE_OPENAI_API_KEY")
        if self.azure and not os.environ.get("OPENAI_API_VERSION"):
            raise BackendError("no API version for Azure: set OPENAI_API_VERSION")

    def _check_address(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise BackendError(
                f"OPENAI_BASE_URL={self.url!r} must begin with http:// or https:// and name a host"
            )
        name = "AZURE_OPENAI_API_KEY" if self.azure else "OPENAI_API_KEY"
        for variable, value in ((name, self._key), ("AZURE_OPENAI_AD_TOKEN", self._token)):
            _check_header(variable, value)


def _parts(address: str) -> SplitResult:
    """The parts of the server's address; raises :class:`~limen.BackendError`, not showing it."""
    try:
        parts = urlsplit(address)
        _ = parts.port
    except ValueError:
        raise BackendError(
            "the server's address is no URL (not shown, since it may have a password in it): "
            "OPENAI_BASE_URL must look like http://127.0.0.1:8000/v1"
        ) from None
    return parts


def _without_endpoint(path: str) -> str:
    path = path.rstrip("/")
    if path.endswith(ENDPOINTS[0]):
        for end in ENDPOINTS:
            path = path.removesuffix(end)
    return path


def _credentials(parts: SplitResult) -> tuple[str, str] | None:
    if parts.username is None and parts.password is None:
        return None
    return unquote(parts.username or ""), unquote(parts.password or "")


def _secrets(parts: SplitResult) -> list[str]:
    """The secrets of an address: its password, or its user name if that is all; its query."""
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    pair = [f"{user}:{password}"] if parts.username is not None else []
    raw = [parts.password or parts.username or "", password or user]
    return [*raw, *pair, *(value for _, value in parse_qsl(parts.query))]


def _proxy_secrets() -> Iterator[str]:
    """The secrets of the proxies that the environment names."""
    for name, value in os.environ.items():
        if name.lower() in ("http_proxy", "https_proxy", "all_proxy"):
            with suppress(ValueError):
                yield from _secrets(urlsplit(value))


def _check_header(variable: str, value: str) -> None:
    """Raise unless a secret can stand in a header; the message does not show it."""
    wrong = next((i for i, c in enumerate(value) if not "!" <= c <= "~"), None)
    if wrong is not None:
        raise BackendError(
            f"{variable} has a character that no key can have at position {wrong + 1} of "
            f"{len(value)} (a line break, a blank, or a letter beyond ASCII): copy it again"
        )


def base_of(model: str) -> str:
    """The base model in a fine-tuned model's id; other names as they are."""
    parts = model.split(":")
    return parts[1] if parts[0] == "ft" and len(parts) > 1 else model
