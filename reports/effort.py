"""What a run was estimated to take, and what it took: requests, tokens, money and time."""

from dataclasses import dataclass

from .amounts import dollars, duration


@dataclass(frozen=True, kw_only=True)
class Effort:
    """What some stages take, or took; as a string it is in words. Raises nothing.

    Args:
        stages: The number of stages.
        requests: Requests to services. Default: 0.
        tokens: Tokens of services: in, out and trained. Default: 0.
        usd: US dollars paid to services; None if no price is known. Default: 0.0.
        seconds: From the first stage's start to the last one's end. Default: None, not known.
        basis: What an estimated time rests on. Default: empty, as for what was spent.
        partial: Whether stages whose time is not known are not in the seconds. Default: False.

    Examples:
        >>> str(reports.Effort(stages=12, requests=900, tokens=50_000, usd=0.4, seconds=130))
    """

    stages: int
    requests: int = 0
    tokens: int = 0
    usd: float | None = 0.0
    seconds: float | None = None
    basis: str = ""
    partial: bool = False

    def __str__(self) -> str:
        """In words."""
        service = f"{self.requests:,} requests, {self.tokens:,} tokens, {dollars(self.usd)}, "
        basis = f" ({self.basis})" if self.basis else ""
        least = "at least " if self.partial and self.seconds is not None else ""
        return (service if self.requests else "") + least + duration(self.seconds) + basis
