"""Rate limits as OpenAI has them: token buckets, and the headers that tell how full they are."""

import math
import time
from collections.abc import Callable

from .options import ServerOptions
from .protocol import ApiError

Clock = Callable[[], float]


class Bucket:
    """So much a minute, filled evenly, and never more than a minute's worth saved up."""

    def __init__(self, unit: str, limit: int, clock: Clock) -> None:
        self.unit = unit
        self.limit = limit
        self._clock = clock
        self._level = float(limit)
        self._at = clock()

    def wait(self, cost: int) -> float:
        """Seconds until the bucket holds that much; infinite if it never will."""
        if cost > self.limit:
            return math.inf
        return max(0.0, cost - self._now()) * 60 / self.limit

    def take(self, cost: int) -> None:
        """Take that much out."""
        self._level = self._now() - cost

    def headers(self) -> dict[str, str]:
        """What is left, and when the bucket will be full."""
        level = self._now()
        return {
            f"x-ratelimit-limit-{self.unit}": str(self.limit),
            f"x-ratelimit-remaining-{self.unit}": str(int(level)),
            f"x-ratelimit-reset-{self.unit}": duration((self.limit - level) * 60 / self.limit),
        }

    def _now(self) -> float:
        at = self._clock()
        self._level = min(self.limit, self._level + (at - self._at) * self.limit / 60)
        self._at = at
        return self._level


UNLIMITED = {
    f"x-ratelimit-{what}-{unit}": value
    for unit, number in (("requests", "1000000"), ("tokens", "1000000000"))
    for what, value in (("limit", number), ("remaining", number), ("reset", "0ms"))
}
"""The headers of a server without limits: clients read them to know how fast they may go."""


class RateLimiter:
    """The limits of a server's chat."""

    def __init__(self, options: ServerOptions, clock: Clock = time.monotonic) -> None:
        limits = (("requests", options.rpm), ("tokens", options.tpm))
        self._buckets = [Bucket(unit, limit, clock) for unit, limit in limits if limit is not None]

    def admit(self, tokens: int) -> None:
        """Charge one request of that many tokens; raises :class:`ApiError`, charging nothing."""
        costs = [(b, 1 if b.unit == "requests" else tokens) for b in self._buckets]
        for bucket, cost in costs:
            if wait := bucket.wait(cost):
                raise _refusal(bucket, cost, wait)
        for bucket, cost in costs:
            bucket.take(cost)

    def headers(self) -> dict[str, str]:
        """The limits and what is left; very large numbers where there is no limit."""
        return {**UNLIMITED, **self.limits()}

    def limits(self) -> dict[str, str]:
        """The same for limits that are in force alone."""
        return {name: value for b in self._buckets for name, value in b.headers().items()}


def duration(seconds: float) -> str:
    """A time as Go writes it: ``120ms``, ``1.2s``, ``6m0s``."""
    milliseconds = math.ceil(seconds * 1000 - 1e-6)
    if milliseconds < 1000:
        return f"{milliseconds}ms"
    minutes, rest = divmod(milliseconds, 60_000)
    hours, minutes = divmod(minutes, 60)
    tail = f"{rest / 1000:.3f}".rstrip("0").rstrip(".") + "s"
    if hours:
        return f"{hours}h{minutes}m{tail}"
    return f"{minutes}m{tail}" if minutes else tail


def _refusal(bucket: Bucket, cost: int, wait: float) -> ApiError:
    short = {"requests": "RPM", "tokens": "TPM"}[bucket.unit]
    limit_text = f"on {bucket.unit} per min ({short}): Limit {bucket.limit}, Requested {cost}."
    if math.isinf(wait):
        message = (
            f"Request too large {limit_text} It can never be answered: ask for less at a time."
        )
        headers = {"x-should-retry": "false"}
    else:
        message = f"Rate limit reached {limit_text} Please try again in {duration(wait)}."
        headers = {
            "retry-after": str(max(1, math.ceil(wait))),
            "retry-after-ms": str(max(1, math.ceil(wait * 1000))),
        }
    return ApiError(429, message, kind=bucket.unit, code="rate_limit_exceeded", headers=headers)
