"""How fast to go: what the rate-limit headers allow, and as much at once as the server can take.

Two mirrors keep what the server's own buckets hold (requests, tokens), set right by the headers of
every answer. Beside them a window bounds the calls in flight: it grows with each success while
answers come as quickly as they did, and is halved when the server is overloaded.
"""

import asyncio
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass

from .faults import failure

PATIENCE = 300.0
"""Seconds that a server may ask to be left alone; beyond, the run ends and can be gone on with."""
DROUGHT = 900.0
"""Seconds of refusals without one success after which a run ends."""
WIDEST = 1000
NARROWEST = 2
FIRST = 4
STEADY, SLOWDOWN = 2.0, 4.0
"""Answers that take so many times longer than the quickest mean that more calls at once would only
wait for each other, and that there are too many already."""
UNSEEN = 1.0
"""Seconds in which a call may not have reached the server, though one sent after it has."""
KINDS = ("requests", "tokens")

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


class Stopped(Exception):  # noqa: N818 - no fault: the run is being ended
    """The run is being ended."""


@dataclass
class Bucket:
    """What the server's bucket of a kind holds, as far as we know."""

    limit: float | None = None
    level: float = 0.0
    rate: float = 0.0
    at: float = 0.0

    def see(self, limit: float, level: float, reset: float | None, now: float) -> None:
        """Take over what a header says, less what is on its way already."""
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
class Ticket:
    """A call that was let through."""

    number: int
    tokens: int
    sent: float


class Governor:
    """Lets calls through, one model's; to be used on one event loop."""

    def __init__(self, *, longest_wait: float = 30.0) -> None:
        self._longest = longest_wait
        self._outages = 0
        self.buckets = {kind: Bucket() for kind in KINDS}
        self.refusals = 0
        self._turn = asyncio.Lock()
        self._moved = asyncio.Event()
        self._window = float(FIRST)
        self._flying: dict[int, Ticket] = {}
        self._next = 0
        self._newest = -1
        self._paused = 0.0
        self._halved = 0.0
        self._best: dict[int, float] = {}
        self._success = time.monotonic()
        self.stopped = asyncio.Event()

    async def admit(self, tokens: int) -> Ticket:
        """Wait until a call of so many tokens may go; calls go in the order that they asked."""
        async with self._turn:
            if not self._flying:
                self._success = max(self._success, self._paused, time.monotonic() - DROUGHT / 2)
            while (delay := self._delay(tokens)) > 0:
                await self._change(delay)
            self._raise_if_stopped()
            return self._take(tokens)

    def done(self, ticket: Ticket, headers: Mapping[str, str], *, ok: bool = True) -> None:
        """A call has been answered."""
        now = time.monotonic()
        self._flying.pop(ticket.number, None)
        if ticket.number > self._newest and self._read(ticket.number, headers, now):
            self._newest = ticket.number
        if ok:
            self._success, self._outages = now, 0
            self._grow(ticket, now - ticket.sent)
        self._moved.set()

    def dropped(self, ticket: Ticket) -> None:
        """A call has got no answer: the server may be asked for too much."""
        self._flying.pop(ticket.number, None)
        self._halve()
        now = time.monotonic()
        if now >= self._paused:  # once for all that one outage hits
            self._outages += 1
            self._paused = now + min(self._longest, 0.02 * 2.0 ** min(self._outages, 12))
        self._moved.set()

    def refused(
        self, ticket: Ticket, headers: Mapping[str, str], wait: float | None, said: str
    ) -> None:
        """The server said: too much. Raises :class:`~limen.BackendError` past patience."""
        self.refusals += 1
        self.done(ticket, headers, ok=False)
        now = time.monotonic()
        if wait is not None and wait > PATIENCE:
            says = f"the server asks for {wait:,.0f} s without a request: {said}"
            raise failure(says, "sampling stopped at a rate limit", "run the same command then")
        if now - self._success > DROUGHT:
            says = f"nothing but refusals for {DROUGHT / 60:.0f} minutes: {said}"
            raise failure(says, "sampling stopped at a rate limit")
        self._paused = max(self._paused, now + (0.5 if wait is None else wait))
        if self.buckets["requests"].limit is None:
            self._halve()

    def stop(self) -> None:
        """Let nothing through any more."""
        self.stopped.set()
        self._moved.set()

    def limits(self) -> dict[str, float]:
        """The limits that the server told, a minute."""
        return {kind: b.limit for kind, b in self.buckets.items() if b.limit is not None}

    def _delay(self, tokens: int) -> float:
        now = time.monotonic()
        if self.stopped.is_set():
            return 0.0
        if self._paused > now:
            return self._paused - now
        if len(self._flying) >= int(self._window):
            return float("inf")
        for bucket in self.buckets.values():
            bucket.refill(now)
        return max(b.wait(c) for b, c in zip(self.buckets.values(), (1, tokens), strict=True))

    def _take(self, tokens: int) -> Ticket:
        ticket = Ticket(self._next, tokens, time.monotonic())
        self._next += 1
        self._flying[ticket.number] = ticket
        for bucket, cost in zip(self.buckets.values(), (1, tokens), strict=True):
            bucket.level -= cost
        return ticket

    async def _change(self, delay: float) -> None:
        self._moved.clear()
        try:
            async with asyncio.timeout(None if delay == float("inf") else delay):
                await self._moved.wait()
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
            reset = seconds(headers.get(f"x-ratelimit-reset-{kind}", ""))
            later = [
                ticket
                for ticket in self._flying.values()
                if ticket.number > number or now - ticket.sent < UNSEEN
            ]
            spoken_for = len(later) if kind == "requests" else sum(t.tokens for t in later)
            bucket.see(limit, level, reset, now)
            bucket.level -= spoken_for
            seen = True
        return seen

    def _grow(self, ticket: Ticket, took: float) -> None:
        like = ticket.tokens.bit_length()
        best = self._best[like] = min(took, self._best.get(like, took))
        if took <= STEADY * best:
            self._window = min(WIDEST, self._window + 1)
        elif took > SLOWDOWN * best:
            self._window = max(FIRST, self._window - 0.5)

    def _halve(self) -> None:
        now = time.monotonic()
        if now - self._halved > 1:
            self._window, self._halved = max(NARROWEST, self._window / 2), now

    def _raise_if_stopped(self) -> None:
        if self.stopped.is_set():
            raise Stopped


def seconds(text: str) -> float | None:
    """The seconds in a duration as the headers have it: ``120ms``, ``1.2s``, ``6m0s``."""
    parts = re.findall(r"([0-9.]+)(ms|s|m|h|d)", text)
    try:
        return sum(float(number) * _UNITS[unit] for number, unit in parts) if parts else None
    except ValueError:
        return None


def _number(text: str | None) -> float | None:
    try:
        return float(text) if text else None
    except ValueError:
        return None
