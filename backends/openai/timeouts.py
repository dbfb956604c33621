"""Limits of time for a call: how long to wait for a sign of life, and for the whole answer."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from httpx2 import Response

DEADLINE = 180.0
"""Seconds for one call in all; the SDK's own timeout is for each read, which a dripping body
never exceeds."""
FIRST_ANSWER = 15.0
"""Seconds until a server that has never answered sends the headers of its first, short answer.
Sixteen tokens of a model of 8 billion weights, in four bits, take some five seconds on a laptop
without a GPU."""
LOADING_TIME = 600.0
"""Seconds that a server may load its model, while it says so or is known to do so in silence."""

_on_headers: ContextVar[Callable[[Mapping[str, str]], None] | None] = ContextVar(
    "on_headers", default=None
)


async def note_headers(response: "Response") -> None:
    """Hook of the HTTP client: the headers of a response have come, its body not yet."""
    note = _on_headers.get()
    if note is not None:
        note(response.headers)


@asynccontextmanager
async def time_limit(first: float, whole: float) -> AsyncIterator[None]:
    """Allow ``first`` seconds until the headers of the answer come, and ``whole`` seconds in all.

    A body of known length is ready when it is announced, and gets no more than ``first`` seconds
    again. A body of unknown length may be written word by word. Raises :class:`TimeoutError`.
    """
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(min(first, whole)) as limit:

        def note(headers: Mapping[str, str]) -> None:
            rest = min(first, whole) if "content-length" in headers else whole
            limit.reschedule(loop.time() + rest)

        token = _on_headers.set(note)
        try:
            yield
        finally:
            _on_headers.reset(token)
