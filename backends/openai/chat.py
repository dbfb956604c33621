"""One call to the chat endpoint, with everything that may go wrong with it dealt with."""

import asyncio
import random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from ..base import Completion, Request, Usage
from . import responses, tokens
from .account import Account
from .budget import Budget
from .errors import Failure, FailureKind, backend_error, classify
from .prices import Prices
from .rate_limiter import Permit, RateLimiter

DEADLINE = 180.0
"""Seconds for one call in all; the SDK's own timeout is for each read, which a dripping body
never exceeds."""
ATTEMPTS = 8
"""Tries of a call before its stage ends; with the waits between them about two minutes."""
LONGEST_WAIT = 30.0
MOST = 128
"""The draws that a call asks for at first; OpenAI's own limit."""


class DrawLimit:
    """The most draws that a server gives in a call, found by trying: a bisection of 1 to 128."""

    def __init__(self, known: int | None = None) -> None:
        self._low, self._high = (known, known) if known else (1, MOST)
        self._try = self._high

    @property
    def per_call(self) -> int:
        """How many to ask for."""
        return self._try

    @property
    def known(self) -> int | None:
        """The most that are accepted, once that is settled."""
        return self._low if self._low == self._high else None

    def accepted(self, asked: int) -> None:
        """A server gave so many."""
        self._low = max(self._low, min(asked, self._high))
        self._aim()

    def rejected(self, asked: int) -> None:
        """A server refused so many, or gave fewer."""
        if asked <= self._low:  # another server than the one that gave so many
            self._low = 1
        self._high = max(1, min(self._high, asked - 1))
        self._low = min(self._low, self._high)
        self._aim()

    def _aim(self) -> None:
        whole = self._high == MOST
        self._try = self._high if whole else (self._low + self._high + 1) // 2


@dataclass(frozen=True, kw_only=True)
class ChatResult:
    """What came of a call: completions, and whether the draws beyond them are to be asked again."""

    completions: list[Completion]
    got: int
    """DrawLimit of the request that are settled."""


class ChatClient:
    """Calls for one model."""

    def __init__(
        self,
        account: Account,
        model: str,
        *,
        limiter: RateLimiter,
        draws: DrawLimit,
        budget: Budget,
        prices: Prices,
        deadline: float = DEADLINE,
        longest_wait: float = LONGEST_WAIT,
    ) -> None:
        self._account, self._model = account, model
        self._limiter, self.draws = limiter, draws
        self._budget, self._prices = budget, prices
        self._deadline, self._longest = deadline, longest_wait

    async def acquire(self, request: Request) -> Permit:
        """Wait for the call's turn."""
        return await self._limiter.acquire(limit_tokens(request))

    async def stopped(self) -> None:
        """Wait until the run is being ended."""
        await self._limiter.stopped.wait()

    def give_back(self, permit: Permit) -> None:
        """Have a permit not used."""
        self._limiter.release(permit, {}, ok=False)

    async def call(self, request: Request, permit: Permit) -> ChatResult:
        """Complete a request; raises :class:`~limen.BackendError` where the stage must end."""
        lost, message = 0, ""
        for attempt in range(ATTEMPTS):
            if attempt:
                permit = await self.acquire(request)
            found = await self._patiently(request, permit, lost)
            if isinstance(found, ChatResult):
                return found
            lost, message = lost + found.maybe_charged, self._account.scrub(found.message)
            if attempt + 1 < ATTEMPTS:
                await asyncio.sleep(self._pause(attempt, found))
        doing = f"sampling {self._model} failed {ATTEMPTS} times on row {request.row}"
        raise backend_error(message, doing)

    async def _patiently(self, request: Request, permit: Permit, lost: int) -> ChatResult | Failure:
        """The answer, or a failure of the transport; waits out rate limits."""
        while True:
            try:
                hold = await self._hold(request)
            except BaseException:
                self.give_back(permit)
                raise
            try:
                body, headers = await self._send(request)
                answer = responses.parse(body)
            except Exception as error:
                failure = classify(error)
                self._settle(hold, hold if failure.maybe_charged else 0.0)
                if failure.kind is FailureKind.RATE:
                    message = self._account.scrub(failure.message)
                    self._limiter.rate_limited(permit, _headers(error), failure.wait, message)
                    permit = await self.acquire(request)
                    continue
                return self._deal(request, permit, error, failure, lost)
            except BaseException:  # the run is being ended: the call may be charged all the same
                self._settle(hold, hold)
                self.give_back(permit)
                raise
            self._limiter.release(permit, headers)
            return self._answered(request, answer, hold, lost)

    async def _send(self, request: Request) -> tuple[bytes, Mapping[str, str]]:
        """The body as it came: the SDK would make models of it that pass for answers if they are
        none, and take twice the time.
        """
        import httpx2

        async with asyncio.timeout(self._deadline):
            response = await self._account.async_client.post(
                "/chat/completions",
                cast_to=httpx2.Response,
                body=request_body(self._model, request),
                options={"timeout": self._deadline},
            )
        return response.content, response.headers

    def _answered(
        self, request: Request, answer: responses.ChatResponse, hold: float, lost: int
    ) -> ChatResult:
        usage = responses.usage_of(answer, request, lost=lost)
        self._settle(hold, self._prices.cost(self._model, replace(usage, lost=0)) or 0.0)
        made = responses.completions(answer, request, usage)
        if len(made) < request.draws:
            self.draws.rejected(len(made) + 1)
        elif request.draws > 1:
            self.draws.accepted(request.draws)
        return ChatResult(completions=made, got=len(made))

    def _deal(
        self, request: Request, permit: Permit, error: Exception, failure: Failure, lost: int
    ) -> ChatResult | Failure:
        if failure.kind is FailureKind.TRANSPORT:
            self._limiter.connection_failed(permit)
            return failure
        self._limiter.release(permit, _headers(error), ok=False)
        if failure.kind is FailureKind.TOO_MANY and request.draws > 1:
            self.draws.rejected(request.draws)
            return ChatResult(completions=[], got=0)
        if failure.kind is FailureKind.CONTENT:
            used = Usage(calls=1, lost=lost)
            made = responses.failed(request, self._account.scrub(failure.message), used)
            return ChatResult(completions=made, got=request.draws)
        message = self._account.scrub(failure.message)
        raise backend_error(message, f"sampling {self._model} stopped")

    async def _hold(self, request: Request) -> float:
        """Reserve what the call may cost at most, once calls under way have left enough."""
        if not self._budget.limited:
            return 0.0
        most = self._prices.cost(self._model, maximum_usage(request)) or 0.0
        while not self._budget.reserve(most):
            if not self._budget.calls:
                raise self._budget.exhausted(most, "another call")
            await asyncio.sleep(0.02)
        self._budget.calls += 1  # on the one loop alone
        return most

    def _settle(self, hold: float, spent: float) -> None:
        if self._budget.limited:
            self._budget.calls -= 1
            self._budget.settle(hold, spent)

    def _pause(self, attempt: int, failure: Failure) -> float:
        backoff = min(self._longest, 0.5 * 2.0**attempt) * random.uniform(0.5, 1.0)
        return max(backoff, min(failure.wait or 0.0, self._longest))


def request_body(model: str, request: Request) -> dict[str, Any]:
    """The parameters of a call. Those at the wire's defaults are left out."""
    body: dict[str, Any] = {
        "model": model,
        "messages": list(request.messages),
        "seed": request.seed + request.first,
        "temperature": request.temperature,
        "max_tokens": request.max_tokens,
    }
    if request.draws > 1:
        body["n"] = request.draws
    if request.top_p < 1:
        body["top_p"] = request.top_p
    if request.stop:
        body["stop"] = list(request.stop)
    return body


def limit_tokens(request: Request) -> int:
    """What a call counts for at a limit of tokens: its prompt, and all that it might answer."""
    prompt = sum(tokens.TOKENS_PER_TURN + tokens.estimate(m["content"]) for m in request.messages)
    return prompt + request.draws * request.max_tokens


def maximum_usage(request: Request) -> Usage:
    """The most that a call can use."""
    return Usage(
        calls=1,
        input_tokens=tokens.prompt_upper_bound(request.messages),
        output_tokens=request.draws * request.max_tokens,
    )


def _headers(error: Exception) -> Mapping[str, str]:
    response = getattr(error, "response", None)
    return {} if response is None else response.headers
