"""One call to the chat endpoint, with everything that may go wrong with it dealt with."""

import asyncio
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from ...datasets.errors import LimenError
from .. import token_estimates as tokens
from ..base import Completion, Request, Usage
from ..budget import Budget
from ..failure_share import FailureShare
from . import responses
from .account import Account
from .choices import MORE_FAILURES
from .errors import FORM, TRANSIENT, Failure, FailureKind, backend_error
from .negotiation import PROBE, ChatResult, Negotiation
from .prices import ModelPrice
from .rate_limiter import Permit, RateLimiter
from .request_form import RequestForm
from .server_profile import ServerProfile
from .timeouts import DEADLINE

ATTEMPTS = 8
"""Tries of a call before its stage ends; with the waits between them about two minutes."""
FIRST_ATTEMPTS = 3
"""Tries of a server that has never answered."""
SAME = 3
"""How often a request fails in the same way until that is recorded, while others are answered."""
LOADING_PAUSES = (5.0, 9.0)
"""Seconds between tries of a server that is loading its model."""
LONGEST_WAIT = 30.0
FEWER_DRAWS = (
    "a call for fewer draws may be in time: LIMEN_OPENAI_N=1; or LIMEN_OPENAI_DEADLINE=3600"
)


@dataclass
class _Tries:
    """What has happened to one request so far."""

    count: int = 0
    lost: int = 0
    negotiated: int = 0
    """Number of negotiations."""
    seen: Counter[tuple[object, ...]] = field(default_factory=Counter)

    def add(self, failure: Failure) -> int:
        """Note a failure; returns how often the same has happened."""
        self.count += 1
        self.lost += failure.maybe_charged
        self.seen[failure.signature] += 1
        return self.seen[failure.signature]


class ChatClient:
    """Calls for one model, in one stage. With a limited budget there must be a ``price``."""

    def __init__(
        self,
        account: Account,
        model: str,
        *,
        profile: ServerProfile,
        limiter: RateLimiter,
        budget: Budget,
        price: ModelPrice | None,
        max_failed: float = 0.5,
        deadline: float = DEADLINE,
        longest_wait: float = LONGEST_WAIT,
    ) -> None:
        self._account, self._model = account, model
        self._profile, self._limiter = profile, limiter
        self._budget, self._price = budget, price
        self._deadline, self._longest = deadline, longest_wait
        self._ended: LimenError | None = None
        """Why nothing is sent any more."""
        self._failures = FailureShare(f"sampling {model} stopped", max_failed, MORE_FAILURES)
        self._under_way = 0
        """Requests that have been sent and have come to nothing so far."""

    @property
    def draws_per_call(self) -> int:
        """How many draws one call may ask for."""
        return self._profile.draws.per_call

    async def acquire(self, request: Request) -> Permit:
        """Wait for the call's turn."""
        return await self._limiter.acquire(limit_tokens(request))

    async def stopped(self) -> None:
        """Wait until the run is being ended."""
        await self._limiter.stopped.wait()

    def give_back(self, permit: Permit) -> None:
        """Return a permit that was not used."""
        self._limiter.release(permit, {}, ok=False)

    def check_failures(self) -> None:
        """Raise :class:`~limen.BackendError` if too many requests failed, or none was answered."""
        self._failures.check()

    async def call(self, request: Request, permit: Permit) -> ChatResult:
        """Complete a request; raises :class:`~limen.BackendError` where the stage must end."""
        tries = _Tries()
        self._under_way += 1
        try:
            while (result := await self._send(request, permit, tries)) is None:
                permit = await self.acquire(request)
        finally:
            self._under_way -= 1
        return result

    async def _decide(self, request: Request, failure: Failure, tries: _Tries) -> ChatResult | None:
        """Record the failure, or raise, or None to try again."""
        if failure.silent and self._profile.ask_fewer(request.draws):
            tries.lost += failure.maybe_charged
            return None
        same = tries.add(failure)
        doing = f"sampling {self._model} stopped"
        if failure.kind is FailureKind.CONTENT:
            return self._withheld(request, failure, tries)
        if failure.kind is FailureKind.FATAL:
            raise backend_error(failure.message, doing)
        if failure.kind not in TRANSIENT:
            return self._recorded(request, failure, tries)
        if failure.loading:
            if same > len(LOADING_PAUSES):
                raise backend_error(failure.message, doing, "run the same command again then")
            return None
        limit = ATTEMPTS if self._profile.answers else FIRST_ATTEMPTS
        passing = failure.signature in self._profile.passing  # it befalls any request
        enough = same >= (ATTEMPTS if passing else SAME)
        if self._profile.answers and enough and await self._answers_others():
            return self._recorded(request, failure, tries)
        if tries.count >= ATTEMPTS or same >= limit:
            doing = f"sampling {self._model} failed {tries.count} times on row {request.row}"
            remedy = FEWER_DRAWS if failure.silent and request.draws > 1 else ""
            raise backend_error(failure.message, doing, remedy)
        return None

    async def _answers_others(self) -> bool:
        """Whether the server answers a short question: then the row is at fault, not the server."""
        if self._profile.silent_since == self._profile.answers:  # asked before, in vain
            return False
        outcome, _ = await self._exchange(PROBE, self._profile.form, 0)
        if isinstance(outcome, Failure):
            self._profile.silent_since = self._profile.answers
        return isinstance(outcome, ChatResult)

    def _recorded(self, request: Request, failure: Failure, tries: _Tries) -> ChatResult:
        """The record of a request that fails in the same way however often it is sent."""
        self._failures.failed(failure.message, pending=self._under_way - 1)
        made = responses.failed(request, failure.message, Usage(calls=1, lost=tries.lost))
        return ChatResult(completions=made, settled=request.draws, failed=True)

    def _withheld(self, request: Request, failure: Failure, tries: _Tries) -> ChatResult:
        """The record of a request that the server will never answer: filtered, or too long.

        What a filter withholds says nothing of the others, however much that is; a context that is
        too short for most requests is a server that cannot be used.
        """
        if failure.too_long:
            self._failures.failed(failure.message, own=True, pending=self._under_way - 1)
        held = failure.too_long and not self._failures.is_low
        made = responses.failed(request, failure.message, Usage(calls=1, lost=tries.lost))
        return ChatResult(completions=made, settled=request.draws, failed=held)

    async def _send(self, whole: Request, permit: Permit, tries: _Tries) -> ChatResult | None:
        """The result, or None if the request is to be sent again, with another permit.

        Waits out rate limits, and finds the form that is accepted. Until the server has answered
        for the first time, the permit is kept, so that no other request meets the same refusal.
        """
        while True:
            form = self._profile.form
            request = replace(whole, draws=self._profile.draws.take(whole.draws))
            try:
                if self._ended is not None:
                    raise self._ended
                outcome, headers = await self._exchange(request, form, tries.lost)
                if isinstance(outcome, Failure):
                    outcome = await self._negotiated(outcome, request, form, tries)
                if isinstance(outcome, Failure) and outcome.kind is FailureKind.RATE:
                    self._limiter.rate_limited(permit, headers, outcome.wait, outcome.message)
                    permit = await self.acquire(whole)
                    continue
                if isinstance(outcome, Failure):
                    recorded = await self._decide(request, outcome, tries)
                    if recorded is None and not self._profile.answers:
                        await asyncio.sleep(self._pause(tries.count - 1, outcome))
                        continue
                    self._release(permit, headers, outcome, recorded)
                    if recorded is None:
                        await asyncio.sleep(self._pause(tries.count - 1, outcome))
                    return recorded
            except BaseException as error:
                if isinstance(error, LimenError):
                    self._ended = error
                self.give_back(permit)
                raise
            self._limiter.release(permit, headers)
            self._profile.passing.update(tries.seen)
            if tries.negotiated:
                self._profile.answers += 1
            else:
                self._profile.accepted(request, form, outcome.settled)
            self._failures.answered()
            return outcome

    def _release(
        self,
        permit: Permit,
        headers: Mapping[str, str],
        failure: Failure,
        recorded: ChatResult | None,
    ) -> None:
        if recorded is None and not failure.loading:
            self._limiter.connection_failed(permit)
        else:
            self._limiter.release(permit, headers, ok=False)

    async def _negotiated(
        self, failure: Failure, request: Request, form: RequestForm, tries: _Tries
    ) -> ChatResult | Failure:
        """The answer in a form that is accepted, if a parameter may be at fault."""
        refusal = self._as_refusal(failure)
        if not self._is_negotiable(refusal, request, form, tries):
            return failure
        tries.negotiated += 1
        outcome = await self._negotiate(request, refusal)
        if isinstance(outcome, Failure) and outcome.kind is not FailureKind.FATAL:
            self._profile.row_failures.add(failure.signature)
        return outcome

    def _is_negotiable(
        self, failure: Failure, request: Request, form: RequestForm, tries: _Tries
    ) -> bool:
        """Whether a parameter that the server has not accepted so far may be at fault."""
        known = failure.signature in self._profile.row_failures
        if failure.kind not in FORM or failure.loading or known or tries.negotiated > 1:
            return False
        first = self._profile.answers == 0
        repeated = failure.kind is FailureKind.REFUSED or tries.seen[failure.signature] > 0 or first
        return repeated and bool(self._profile.unproven(request, form))

    def _as_refusal(self, failure: Failure) -> Failure:
        """The refusal of a form, whatever its status, by a server that answered a small sample."""
        if self._account.is_openai or not failure.may_concern_form:
            return failure
        return replace(failure, kind=FailureKind.REFUSED)

    async def _negotiate(self, request: Request, refusal: Failure) -> ChatResult | Failure:
        async def exchange(request: Request, form: RequestForm) -> ChatResult | Failure:
            outcome, _ = await self._exchange(request, form, 0)
            return self._as_refusal(outcome) if isinstance(outcome, Failure) else outcome

        return await Negotiation(exchange, self._profile).run(request, refusal)

    async def _exchange(
        self, request: Request, form: RequestForm, lost: int
    ) -> tuple[ChatResult | Failure, Mapping[str, str]]:
        """Send a request once, within the budget; returns the result and the response headers."""
        hold = await self._hold(request, form)
        try:
            body, headers = await self._post(request, form)
            response = responses.parse(body)
        except Exception as error:
            failure = self._account.classify(error)
            self._settle(hold, hold if failure.maybe_charged else 0.0)
            return failure, _headers(error)
        except BaseException:  # the run is being ended: the call may be charged all the same
            self._settle(hold, hold)
            raise
        usage, excessive = responses.usage_of(response, request, lost=lost)
        self._settle(hold, self._cost(usage))
        made = self._account.without_secrets(responses.completions(response, request, usage))
        if not body.lstrip().startswith(b"{"):  # a stream may have broken up a secret
            made = self._joined(made)
        self._profile.oddities.update(map(self._account.scrub, response.oddities))
        self._profile.oddities.update(["usage above what was sent and asked for"] * excessive)
        self._profile.compare([c.text for c in made], request.temperature)
        return ChatResult(completions=made, settled=len(made)), headers

    def _joined(self, made: Sequence[Completion]) -> list[Completion]:
        """Completions that came in pieces, their texts without secrets."""
        clean = self._account.redactor.answer
        cleaned = [replace(c, text=c.text and clean(c.text)) for c in made]
        self._profile.oddities.update([responses.SECRET] * (cleaned != list(made)))
        return cleaned

    async def _post(self, request: Request, form: RequestForm) -> tuple[bytes, Mapping[str, str]]:
        """The body as it came: the SDK would make models of it that pass for answers if they are
        none, and take twice the time.
        """
        import httpx2

        async with asyncio.timeout(self._deadline):
            response = await self._account.async_client.post(
                form.path,
                cast_to=httpx2.Response,
                body=form.body(self._model, request),
                options={"timeout": self._deadline},
            )
        return response.content, response.headers

    async def _hold(self, request: Request, form: RequestForm) -> float:
        """Reserve what the call may cost at most, once calls under way have left enough."""
        if not self._budget.limited:
            return 0.0
        most = self._cost(maximum_usage(request))
        if most and form.token_limit == "not sent":
            raise backend_error(
                "the server takes no limit of tokens, so that a call has no highest price",
                "the budget cannot hold",
                "run without --limen-budget, or name another server",
            )
        while not self._budget.reserve(most):
            if not self._budget.calls:
                raise self._budget.exhausted(most, "another call")
            await asyncio.sleep(0.02)
        self._budget.calls += 1  # on the one loop alone
        return most

    def _cost(self, usage: Usage) -> float:
        return self._price.of(usage) if self._price else 0.0

    def _settle(self, hold: float, spent: float) -> None:
        if self._budget.limited:
            self._budget.calls -= 1
            self._budget.settle(hold, min(hold, spent))

    def _pause(self, attempt: int, failure: Failure) -> float:
        if failure.loading:
            return LOADING_PAUSES[min(attempt, len(LOADING_PAUSES) - 1)]
        backoff = min(self._longest, 0.5 * 2.0**attempt) * random.uniform(0.5, 1.0)
        return max(backoff, min(failure.wait or 0.0, self._longest))


def limit_tokens(request: Request) -> int:
    """What a call counts for at a limit of tokens: its prompt, and all that it might answer."""
    prompt = sum(tokens.TOKENS_PER_TURN + tokens.estimate(m["content"]) for m in request.messages)
    return prompt + request.draws * request.max_tokens


def maximum_usage(request: Request) -> Usage:
    """The most that a call can use."""
    return Usage(
        calls=1,
        input_tokens=tokens.call_upper_bound(request.messages),
        output_tokens=request.draws * request.max_tokens,
    )


def _headers(error: Exception) -> Mapping[str, str]:
    import openai

    return error.response.headers if isinstance(error, openai.APIStatusError) else {}
