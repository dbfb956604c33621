"""Finding the form of request that a server accepts, when it refuses one.

What the refusal seems to mean is tried first. Where that does not help, a short question in the
simplest form tells whether the server, the row, or one of the parameters is at fault, and the
parameters are added again one by one. No refusal is provoked more than a few times.
"""

import copy
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, replace

from ..base import Completion, Request
from .draw_limit import DrawLimit
from .errors import FORM, Failure, FailureKind
from .request_form import SIMPLEST, N, RequestForm, suspects
from .server_profile import ServerProfile

PROBE = Request(
    row=-1,
    messages=[{"role": "user", "content": "Say hello."}],
    seed=2**47 + 11,
    max_tokens=16,
    top_p=0.9,
    stop=("\n\n",),
)
"""A short question that every chat server can answer."""


@dataclass(frozen=True, kw_only=True)
class ChatResult:
    """The completions of a call. Draws beyond them are to be asked for again."""

    completions: list[Completion]
    settled: int
    """Draws of the request that need not be asked for again."""
    failed: bool = False
    """Whether the completions record a failure of the row, which may yet end the stage."""


Exchange = Callable[[Request, RequestForm], Awaitable[ChatResult | Failure]]
"""Sends a request in a form."""


@dataclass(frozen=True)
class _Attempt:
    """A request in a form, and the limit of draws that goes with it."""

    request: Request
    form: RequestForm
    draws: DrawLimit


class Negotiation:
    """Finds the form for one refused request."""

    def __init__(self, exchange: Exchange, profile: ServerProfile) -> None:
        self._exchange = exchange
        self._profile = profile

    async def run(self, request: Request, refusal: Failure) -> ChatResult | Failure:
        """The answer in a form that is accepted, which is adopted, or nothing settled so far.

        A :class:`Failure` of kind ``FATAL`` means that the server cannot be used; any other, that
        this request fails in every form.
        """
        outcome = await self._without_suspects(request, refusal)
        return outcome or await self._from_simplest(request, refusal)

    async def _without_suspects(self, request: Request, refusal: Failure) -> ChatResult | None:
        """Make simpler what the refusals name, as long as that changes the refusal."""
        attempt = _Attempt(request, self._profile.form, self._profile.draws)
        changed: list[str] = []
        tried: set[str] = set()
        while parameter := self._suspect(refusal, attempt, tried):
            tried.add(parameter)
            for simpler in self._steps(parameter, attempt, refusal):
                outcome = await self._exchange(simpler.request, simpler.form)
                if isinstance(outcome, ChatResult):
                    self._adopt(simpler, [*changed, parameter], refusal)
                    return outcome
                if outcome.kind not in FORM:
                    return None
                if outcome.signature != refusal.signature:  # one thing less is refused
                    attempt, refusal = simpler, outcome
                    changed.append(parameter)
                    break
        return None

    def _steps(self, parameter: str, attempt: _Attempt, refusal: Failure) -> Iterator[_Attempt]:
        """The simpler forms of a parameter, one after the other."""
        if parameter == N:
            request, draws = attempt.request, copy.copy(attempt.draws)
            draws.rejected(request.draws, refusal.message)
            known = draws.accepted_draws or draws.per_call
            fewer = replace(request, draws=min(known, request.draws - 1))
            yield replace(attempt, request=fewer, draws=draws)
            return
        form = attempt.form.simpler(parameter)
        while form is not None:
            yield replace(attempt, form=form)
            form = form.simpler(parameter)

    def _adopt(self, attempt: _Attempt, changed: list[str], refusal: Failure) -> None:
        if N in changed and refusal.kind is FailureKind.REFUSED:
            attempt.draws.accepted(attempt.request.draws)
        elif N in changed:
            attempt.draws.settle(attempt.request.draws)  # errors are not provoked to find out more
        self._profile.draws = attempt.draws
        self._profile.adopt(attempt.form, [name for name in changed if name != N])

    def _suspect(self, refusal: Failure, attempt: _Attempt, tried: set[str]) -> str | None:
        fixed = {*self._profile.fixed, *([N] if self._profile.fixed_draws else [])}
        named = suspects(refusal, attempt.request, attempt.form)
        return next((p for p in named if p not in tried and p not in fixed), None)

    async def _from_simplest(self, request: Request, refusal: Failure) -> ChatResult | Failure:
        profile = self._profile
        base = replace(SIMPLEST, **profile.fixed)
        hello = await self._exchange(PROBE, base)
        if _is_refusal(hello) and "token_limit" not in profile.fixed:
            base = base.changed("token_limit", "max_completion_tokens")
            hello = await self._exchange(PROBE, base)
        if isinstance(hello, Failure):
            return replace(hello, kind=FailureKind.FATAL) if _is_refusal(hello) else hello
        if refusal.kind is not FailureKind.REFUSED:  # an error may have been a passing one
            again = await self._exchange(request, profile.form)
            if isinstance(again, ChatResult):
                return again
        answer = await self._exchange(replace(request, draws=1), base)
        if isinstance(answer, Failure):
            return answer if answer.kind not in FORM else refusal
        await self._restore(base, request)
        return ChatResult(completions=[], settled=0)  # to be sampled as was asked, in the new form

    async def _restore(self, base: RequestForm, request: Request) -> None:
        """Add the parameters again, each in the best form that is accepted; adopt the result."""
        profile, wanted = self._profile, self._profile.form
        whole = replace(wanted, token_limit=base.token_limit)
        used = wanted.used_by(request)
        probe = _probe_like(request)
        if request.draws > 1 and not isinstance(await self._exchange(probe, whole), Failure):
            if whole == wanted:  # nothing but the number of draws is left to be at fault
                profile.draws.settle(profile.draws.accepted_draws)
            profile.adopt(whole, used)
            return
        seed = wanted.value("seed")
        for parameter in ("seed", "temperature", "top_p", "stop", "system"):
            full = wanted.value(parameter)
            if parameter in used and parameter not in profile.fixed:
                short = parameter == "seed" and full == "48 bits"
                base = await self._with(base, parameter, "31 bits" if short else full, probe)
            else:
                base = base.changed(parameter, full)
        if base.seed == "31 bits" != seed and base.changed("seed", seed) != whole:
            base = await self._with(base, "seed", seed, probe)
        profile.adopt(base, [p for p in used if p != N])

    async def _with(
        self, base: RequestForm, parameter: str, value: str, probe: Request
    ) -> RequestForm:
        """The form with a parameter, if that is accepted; else the form as it is."""
        trial = base.changed(parameter, value)
        accepted = isinstance(await self._exchange(probe, trial), ChatResult)
        return trial if accepted else base


def _probe_like(request: Request) -> Request:
    """The short question with the parameters of a request."""
    system = [m for m in request.messages if m["role"] == "system"]
    return replace(
        PROBE,
        messages=[*system, *PROBE.messages],
        temperature=request.temperature,
        top_p=request.top_p,
        stop=request.stop,
    )


def _is_refusal(outcome: ChatResult | Failure) -> bool:
    return isinstance(outcome, Failure) and outcome.kind in FORM
