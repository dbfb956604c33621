"""The account: which server and which key, and the SDK's clients for them.

Everything comes from the environment variables that the SDK documents. The key is never written
anywhere, and :meth:`Account.scrub` takes it out of whatever a server message.
"""

import asyncio
import os
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from ...datasets.errors import BackendError

if TYPE_CHECKING:
    from openai import AsyncOpenAI, OpenAI

T = TypeVar("T")
OPENAI = "https://api.openai.com/v1"
SHORTEST = 6
"""Characters of what is taken for a secret; shorter ones are placeholders."""
NO_KEY = "no-key"
"""What a server that wants no key is sent; the SDK insists on one."""


class Account:
    """One server, one key, one event loop for all that is sent to it."""

    def __init__(self) -> None:
        env = os.environ.get
        azure = env("AZURE_OPENAI_ENDPOINT", "")
        self.azure = bool(azure) and not env("OPENAI_BASE_URL")
        self._address = (azure if self.azure else env("OPENAI_BASE_URL") or OPENAI).rstrip("/")
        parts = urlsplit(self._address)
        self._password = parts.password or ""
        self.url = parts._replace(netloc=parts.netloc.rpartition("@")[2], query="").geturl()
        """The server, without any credentials that its address has in it."""
        self._key = env("AZURE_OPENAI_API_KEY" if self.azure else "OPENAI_API_KEY", "").strip()
        self._token = env("AZURE_OPENAI_AD_TOKEN", "") if self.azure else ""
        self._check()
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, name="limen-openai", daemon=True).start()

    @property
    def is_openai(self) -> bool:
        """Whether this is OpenAI's own service."""
        return (urlsplit(self.url).hostname or "").endswith("api.openai.com")

    @cached_property
    def client(self) -> "OpenAI":
        """The blocking client: jobs, files, models, batches. It never retries by itself."""
        from openai import AzureOpenAI, OpenAI

        if self.azure:
            return AzureOpenAI(**self._azure(), max_retries=0, timeout=60)
        return OpenAI(
            api_key=self._key or NO_KEY, base_url=self._address, max_retries=0, timeout=60
        )

    @cached_property
    def async_client(self) -> "AsyncOpenAI":
        """The client for sampling; to be used on the account's loop only."""
        from openai import AsyncAzureOpenAI, AsyncOpenAI

        if self.azure:
            return AsyncAzureOpenAI(**self._azure(), max_retries=0)
        return AsyncOpenAI(api_key=self._key or NO_KEY, base_url=self._address, max_retries=0)

    def start(self, work: Coroutine[Any, Any, T]) -> "Future[T]":
        """Have something done on the loop, in a thread that does not keep the process alive."""
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def scrub(self, text: object) -> str:
        """The text without the key."""
        text = str(text)
        for secret in (self._key, self._token, self._password):
            if len(secret) >= SHORTEST:
                text = text.replace(secret, "[key]")
        return text

    def _azure(self) -> dict[str, Any]:
        return {
            "azure_endpoint": self._address,
            "api_key": self._key or None,
            "azure_ad_token": self._token or None,
        }

    def _check(self) -> None:
        if self.is_openai and not self._key:
            raise BackendError(
                "no key for OpenAI: set OPENAI_API_KEY, or set OPENAI_BASE_URL to another server, "
                "such as http://127.0.0.1:8000/v1 for 'limen serve --engine toy'"
            )
        if self.azure and not (self._key or self._token):
            raise BackendError("no key for Azure: set AZURE_OPENAI_API_KEY")
        if self.azure and not os.environ.get("OPENAI_API_VERSION"):
            raise BackendError("no API version for Azure: set OPENAI_API_VERSION")
        if urlsplit(self.url).scheme not in ("http", "https"):
            raise BackendError(f"OPENAI_BASE_URL={self.url!r} must begin with http:// or https://")


def base_of(model: str) -> str:
    """The base model in a fine-tuned model's id; other names as they are."""
    parts = model.split(":")
    return parts[1] if parts[0] == "ft" and len(parts) > 1 else model
