"""The options of a server."""

import os
import re
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path

from ...datasets.errors import SpecError
from ..base import Recipe

LOOPBACK = ("localhost", "127.0.0.1", "::1")
"""Host names by which programs on this machine call the server."""


@dataclass(frozen=True, kw_only=True)
class ServerOptions:
    """How to serve; raises :class:`~limen.SpecError` for a limit that nothing could pass."""

    api_key: str | None = field(default=None, repr=False)
    """The key that every request must bring; None asks for none."""
    rpm: int | None = None
    """Chat requests a minute."""
    tpm: int | None = None
    """Tokens a minute: those of the prompts, and all that the answers might have."""
    max_upload: int = 512 * 2**20
    """Bytes of the largest file."""
    workers: int | None = None
    """Fine-tuning jobs side by side; as many as there are cores, or as the engine can do."""
    offered: tuple[str, ...] = ()
    """The engine's models to offer; its default model unless any are given."""
    allowed_hosts: tuple[str, ...] = ()
    """Host names, beside those of this machine, by which clients and web pages may call."""
    recipe: Recipe = field(default_factory=dict)
    """Training settings of the engine that go before its own, in every job."""

    def __post_init__(self) -> None:
        for name in ("rpm", "tpm", "max_upload", "workers"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise SpecError(f"{name}={value!r} must be at least 1")
        if self.api_key == "":
            raise SpecError("the API key is empty: give one, or none at all")

        if len(self.names) < len(self.offered):
            raise SpecError(
                f"offered={self.offered!r}: two of them would have the same name for clients"
            )

    @property
    def names(self) -> dict[str, str]:
        """The offered models by the names that clients use."""
        return {_name(model): model for model in self.offered}

    def processes(self, most: int | None = None) -> int:
        """The number of jobs to run in parallel; ``most`` is the engine's own limit."""
        return self.workers or most or os.cpu_count() or 1


def _name(model: str) -> str:
    """What clients call a model: a file or a folder by its own name, without the way to it."""
    path = Path(model)
    if not path.exists():
        return model
    own = path.stem if path.is_file() else path.resolve().name
    return re.sub(r"[^\w.:-]+", "-", own, flags=re.ASCII).lstrip("-._:") or "model"


def is_loopback(host: str) -> bool:
    """Whether an address to listen on can be reached from this machine alone."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"
