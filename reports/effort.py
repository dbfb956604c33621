"""What a run was estimated to take, and what it took: requests, tokens, money and time."""

from dataclasses import dataclass

from .amounts import dollars, duration


@dataclass(frozen=True, kw_only=True)
class Effort:
    """What some stages take, or took."""

    stages: int
    requests: int = 0
    """To services."""
    tokens: int = 0
    """In, out and trained, of services."""
    usd: float | None = 0.0
    """Paid to services; None if no price is known."""
    seconds: float | None = None
    """From the first stage's start to the last one's end; None if not known."""
    basis: str = ""
    """What an estimated time rests on; empty for what was spent."""

    def __str__(self) -> str:
        """In words."""
        service = f"{self.requests:,} requests, {self.tokens:,} tokens, {dollars(self.usd)}, "
        basis = f" ({self.basis})" if self.basis else ""
        return (service if self.requests else "") + duration(self.seconds) + basis
