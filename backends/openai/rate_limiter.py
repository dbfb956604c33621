"""How fast to go: what the rate-limit headers allow, and as much at once as the server can take.

Two mirrors keep what the server's own buckets hold (requests, tokens), set right by the headers of
every answer. Beside them a window bounds the calls in flight: it grows with each success while
answers come as quickly as they did, and is halved when the server is overloaded.
"""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass

from .errors import backend_error
from .waiting_times import MAX_RETRY_AFTER, parse_duration

MAX_REFUSED_TIME = 900.0
"""Seconds of refusals without one success after which a run ends."""
FIRST_REFUSALS = 3
"""Refusals of a server that has never answered, after which a run ends."""
FIRST_PAUSE = 2.0
"""Seconds between these refusals at least; the second pause is twice that."""
PAUSE = 0.5
"""Seconds after a rate limit at least; twice that after each further one without an answer."""
MAX_WINDOW = 1000
MIN_WINDOW = 2
INITIAL_WINDOW = 4
STEADY, SLOWDOWN = 2.0, 4.0
"""Answers that take so many times longer than the quickest mean that more calls at once would only
wait for each other, and that there are too many already."""
IN_TRANSIT = 1.0
"""Seconds in which a call may not have reached the server, though one sent after it has."""
KINDS = ("requests", "tokens")


class StoppedError(Exception):
    """The run is being ended."""


@dataclass
class TokenBucket:
    """What the server's bucket of a kind holds, as far as we know."""

    limit: float | None = None
    level: float = 0.0
    rate: float = 0.0
    at: float = 0.0

    def update(self, limit: float, level: float, reset: float | None, now: float) -> None:
        """Take over what a header message, less what is on its way already."""
        used = limit - level
        self.limit, self.level, self.at = limit, level, now
        self.rate = used / reset if reset and used >= 1 else limit / 60

    def refill(self, now: float) -> None:
        """Let time pass."""
        if self.limit is not None:
            self.level = min(self.limit, self.level + self.rate * (now - self.at))
            self.at = now

    def wait(self, cost: float) -> float:
        """Seconds until there is enough for a call."""
        if self.limit is None or self.rate <= 0:
            return 0.0
        wanted = min(cost + self.limit / 500, self.limit)  # headers are rounded
        return max(0.0, (wanted - self.level) / self.rate)


@dataclass(frozen=True)
class Permit:
    """A call that was let through."""

    number: int
    tokens: int
    sent: float


class RateLimiter:
    """Lets calls through, one model's; to be used on one event loop."""

    def __init__(self, *, longest_wait: float = 30.0) -> None:
        self._longest = longest_wait
        self._outages = 0
        self._limited = 0
        """Pauses for rate limits since the last answer."""
        self.buckets = {kind: TokenBucket() for kind in KINDS}
        self.refusals = 0
        self._turn = asyncio.Lock()
        self._changed = asyncio.Event()
        self._window = 1.0
        self._answered = False
        self._in_flight: dict[int, Permit] = {}
        self._next = 0
        self._last_seen = -1
        self._paused = 0.0
        self._halved = 0.0
        self._best: dict[int, float] = {}
        self._success = time.monotonic()
        self.stopped = asyncio.Event()

    async def acquire(self, tokens: int) -> Permit:
        """Wait until a call of so many tokens may go; calls go in the order that they asked."""
        async with self._turn:
            if not self._in_flight:
                self._success = max(
                    self._success, self._paused, time.monotonic() - MAX_REFUSED_TIME / 2
                )
            while (delay := self._delay(tokens)) > 0:
                await self._wait_for_change(delay)
            self._raise_if_stopped()
            return self._take(tokens)

    def release(self, permit: Permit, headers: Mapping[str, str], *, ok: bool = True) -> None:
        """A call has been answered."""
        now = time.monotonic()
        self._in_flight.pop(permit.number, None)
        if permit.number > self._last_seen and self._read(permit.number, headers, now):
            self._last_seen = permit.number
        if ok:
            self._success, self._outages, self._limited = now, 0, 0
            if not self._answered:  # the first answer: the server works, and knows the form
                self._answered, self._window = True, float(INITIAL_WINDOW)
            self._grow(permit, now - permit.sent)
        self._changed.set()

    def connection_failed(self, permit: Permit) -> None:
        """A call has got no answer: the server may be asked for too much."""
        self._in_flight.pop(permit.number, None)
        self._halve()
        now = time.monotonic()
        if now >= self._paused:  # once for all that one outage hits
            self._outages += 1
            self._paused = now + min(self._longest, 0.02 * 2.0 ** min(self._outages, 12))
        self._changed.set()

    def rate_limited(
        self, permit: Permit, headers: Mapping[str, str], wait: float | None, said: str
    ) -> None:
        """The server limited the rate; raises :class:`~limen.BackendError` for a long wait."""
        self.refusals += 1
        self.release(permit, headers, ok=False)
        now = time.monotonic()
        if wait is not None and wait > MAX_RETRY_AFTER:
            message = f"the server asks for {wait:,.0f} s without a request: {said}"
            raise backend_error(
                message, "sampling stopped at a rate limit", "run the same command then"
            )
        if not self._answered and self.refusals >= FIRST_REFUSALS:
            raise backend_error(
                f"{self.refusals} refusals before the first answer: {said}",
                "sampling stopped at a rate limit",
                "run the same command again later",
            )
        if now - self._success > MAX_REFUSED_TIME:
            message = f"nothing but refusals for {MAX_REFUSED_TIME / 60:.0f} minutes: {said}"
            raise backend_error(message, "sampling stopped at a rate limit")
        self._paused = max(self._paused, now + max(self._own_pause(now), wait or 0.0))
        if self.buckets["requests"].limit is None:
            self._halve()

    def _own_pause(self, now: float) -> float:
        """Seconds to wait whatever the server says: it may say "at once", or its clock be wrong."""
        if not self._answered:
            return FIRST_PAUSE * self.refusals
        if now >= self._paused:  # once for all calls that one limit hits
            self._limited += 1
        return min(self._longest, PAUSE * 2.0 ** min(self._limited - 1, 12))

    def stop(self) -> None:
        """Let nothing through any more."""
        self.stopped.set()
        self._changed.set()

    def limits(self) -> dict[str, float]:
        """The limits per minute that the server reported."""
        return {kind: b.limit for kind, b in self.buckets.items() if b.limit is not None}

    def _delay(self, tokens: int) -> float:
        now = time.monotonic()
        if self.stopped.is_set():
            return 0.0
        if self._paused > now:
            return self._paused - now
        if len(self._in_flight) >= int(self._window):
            return float("inf")
        for bucket in self.buckets.values():
            bucket.refill(now)
        return max(b.wait(c) for b, c in zip(self.buckets.values(), (1, tokens), strict=True))

    def _take(self, tokens: int) -> Permit:
        permit = Permit(self._next, tokens, time.monotonic())
        self._next += 1
        self._in_flight[permit.number] = permit
        for bucket, cost in zip(self.buckets.values(), (1, tokens), strict=True):
            bucket.level -= cost
        return permit

    async def _wait_for_change(self, delay: float) -> None:
        self._changed.clear()
        try:
            async with asyncio.timeout(None if delay == float("inf") else delay):
                await self._changed.wait()
        except TimeoutError:
            pass

    def _read(self, number: int, headers: Mapping[str, str], now: float) -> bool:
        """Set the mirrors by an answer's headers, less what the server may not have seen then."""
        seen = False
        for kind, bucket in self.buckets.items():
            limit = _number(headers.get(f"x-ratelimit-limit-{kind}"))
            level = _number(headers.get(f"x-ratelimit-remaining-{kind}"))
            if limit is None or level is None or limit <= 0:
                continue
            reset = parse_duration(headers.get(f"x-ratelimit-reset-{kind}", ""))
            later = [
                permit
                for permit in self._in_flight.values()
                if permit.number > number or now - permit.sent < IN_TRANSIT
            ]
            reserved = len(later) if kind == "requests" else sum(t.tokens for t in later)
            bucket.update(limit, level, reset, now)
            bucket.level -= reserved
            seen = True
        return seen

    def _grow(self, permit: Permit, took: float) -> None:
        like = permit.tokens.bit_length()
        best = self._best[like] = min(took, self._best.get(like, took))
        if took <= STEADY * best:
            self._window = min(MAX_WINDOW, self._window + 1)
        elif took > SLOWDOWN * best:
            self._window = max(INITIAL_WINDOW, self._window - 0.5)

    def _halve(self) -> None:
        now = time.monotonic()
        if now - self._halved > 1:
            self._window, self._halved = max(MIN_WINDOW, self._window / 2), now

    def _raise_if_stopped(self) -> None:
        if self.stopped.is_set():
            raise StoppedError


def _number(text: str | None) -> float | None:
    try:
        return float(text) if text else None
    except ValueError:
        return None
