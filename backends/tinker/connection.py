"""Which service, and with which key: from the variables that the SDK documents."""

import ipaddress
import os
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import urlsplit

from ...datasets.errors import BackendError
from ..redaction import Redactor

COMPANY = ("thinkingmachines.dev", "thinkingmachines.ai", "tinker.ai")
"""Where the provider's own service is."""
NO_KEY = "tml-no-key"
"""What a server of one's own is sent without a key: the SDK insists on one that begins so."""


@dataclass(frozen=True)
class Connection:
    """An address and a key. The address is None for the SDK's own, which is the provider's."""

    url: str | None
    _key: str

    @property
    def key(self) -> str | None:
        """The key to give to the SDK; None leaves it to the SDK to find one."""
        return self._key or (None if self.is_hosted else NO_KEY)

    @property
    def is_hosted(self) -> bool:
        """Whether it is the provider's own service."""
        return self.url is None or any(
            self._host == name or self._host.endswith(f".{name}") for name in COMPANY
        )

    @property
    def is_own(self) -> bool:
        """Whether it is on this machine or in its private network, where nothing is charged."""
        if self.url is None:
            return False
        try:
            place = ipaddress.ip_address(self._host)
        except ValueError:
            return self._host == "localhost"
        return place.is_private or place.is_loopback

    @property
    def shown(self) -> str:
        """The address without credentials, for messages."""
        if self.url is None:
            return "Tinker"
        parts = urlsplit(self.url)
        return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="").geturl()

    @property
    def endpoint(self) -> tuple[str, int] | None:
        """The host and port to connect to; None for the provider's."""
        if self.url is None:
            return None
        parts = urlsplit(self.url)
        return self._host, parts.port or (443 if parts.scheme == "https" else 80)

    @cached_property
    def redactor(self) -> Redactor:
        """Removes the key, and what the address has of credentials."""
        parts = urlsplit(self.url or "")
        return Redactor([self._key, parts.password or "", parts.username or ""])

    @property
    def _host(self) -> str:
        return urlsplit(self.url or "").hostname or ""


def connection() -> Connection:
    """The connection that the environment names; raises :class:`~limen.BackendError`."""
    url = os.environ.get("TINKER_BASE_URL", "").strip().rstrip("/") or None
    if url is not None:
        _check(url)
    return Connection(url, os.environ.get("TINKER_API_KEY", "").strip())


def _check(url: str) -> None:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname)
        _ = parts.port
    except ValueError:
        usable = False
    if not usable:
        raise BackendError(
            "TINKER_BASE_URL is no address of a server (not shown, since it may have a password in "
            "it): it must look like http://127.0.0.1:8000"
        )
