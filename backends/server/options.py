"""What a server is told when it starts."""

import os
from dataclasses import dataclass, field

from ...datasets.errors import SpecError


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
    """Fine-tuning jobs side by side; as many as there are cores by default."""

    def __post_init__(self) -> None:
        for name in ("rpm", "tpm", "max_upload", "workers"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise SpecError(f"{name}={value!r} must be at least 1")
        if self.api_key == "":
            raise SpecError("the API key is empty: give one, or none at all")

    @property
    def processes(self) -> int:
        """How many jobs run side by side."""
        return self.workers or os.cpu_count() or 1
