"""Log-probabilities of given continuations, from servers that report some.

A chat endpoint reports the most probable first tokens of its answer (``top_logprobs``): a
continuation of one token is then known exactly, and of any other an upper bound. The legacy
completions endpoint reports the log-probability of each token of a text (``echo``), which serves
texts without a chat template.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

from ...datasets.errors import BackendError, SpecError
from ..base import Request
from ..budget import Budget
from ..continuations import ContinuationRequest, LogProbability
from . import responses
from .account import Account
from .chat import maximum_usage
from .choices import MOST_FIRST_TOKENS
from .errors import TRANSIENT, Failure, FailureKind, InvalidResponseError
from .prices import Prices
from .responses import Json
from .retries import Retries
from .server_profile import PROBED, SET, ServerProfile

SIDE_BY_SIDE = 8
"""Requests under way at a time."""
OUTAGE = 60.0
"""Seconds that a server may be unavailable."""
FEWER = 5
"""Those that are asked for once that many were refused, unless the refusal names a number."""
NONE_TO_HAVE = "use an engine (local, toy), or a server that reports log-probabilities"


@dataclass
class Continuations:
    """The scoring of continuations by one model."""

    account: Account
    retries: Retries
    budget: Budget
    prices: Prices
    profile: ServerProfile
    model: str
    first_tokens: int | None = None
    """First tokens to ask for, set by hand: 0 for none."""
    _top: int = field(default=MOST_FIRST_TOKENS, init=False)

    def __post_init__(self) -> None:
        self._top = self.first_tokens or MOST_FIRST_TOKENS

    def score(self, requests: Iterable[ContinuationRequest]) -> Iterator[Sequence[LogProbability]]:
        """The log-probabilities of each request's continuations, in the order of the requests.

        Raises :class:`~limen.SpecError` for a given beginning of a chat answer, and
        :class:`~limen.BackendError` where the server reports no log-probabilities.
        """
        if self.first_tokens == 0:
            raise self._reports_none("none are to be asked for (limen_openai_logprobs)")
        with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
            yield from pool.map(self._scored, requests)

    def _scored(self, request: ContinuationRequest) -> Sequence[LogProbability]:
        if not request.chat:
            return [self._of_text(request, text) for text in request.continuations]
        if request.begin:
            raise SpecError(
                "the backend openai cannot give the beginning of a chat answer, since no server "
                "has that in common with another: use an engine (local, toy)"
            )
        top = self._first_tokens(request)
        return [_of_first_tokens(top, text, request.whole) for text in request.continuations]

    def _first_tokens(self, request: ContinuationRequest) -> Mapping[str, float]:
        """The most probable first tokens of the answer, with their log-probabilities in nats."""
        asked = Request(row=-1, messages=request.messages, seed=0, max_tokens=1)
        while True:
            top = self._top
            body = self.profile.form.body(self.model, asked)
            body |= {"logprobs": True, "top_logprobs": top}
            outcome = self._post("/chat/completions", body, asked)
            if isinstance(outcome, Failure):
                self._ask_for_fewer(outcome, top)
                continue
            tokens = first_tokens(outcome)
            if not tokens:
                raise self._reports_none("its answers have none")
            source = SET if self.first_tokens else PROBED
            self.profile.notes["log-probabilities"] = f"of the first {top} tokens ({source})"
            return tokens

    def _ask_for_fewer(self, refusal: Failure, top: int) -> None:
        """Ask for fewer tokens after a refusal; raises if that has been tried."""
        numbers = [int(n) for n in re.findall(r"\b[0-9]{1,2}\b", refusal.details.message)]
        fewer = max((n for n in numbers if 0 < n < top), default=FEWER)
        if fewer >= top or self.first_tokens is not None:
            raise self._reports_none(refusal.message)
        self._top = min(self._top, fewer)

    def _of_text(self, request: ContinuationRequest, text: str) -> LogProbability:
        """The log-probability of a text after another, without a chat template."""
        before = f"{request.messages[-1]['content']}{request.begin}"
        asked = Request(
            row=-1,
            messages=[{"role": "user", "content": before + text}],
            seed=0,
            max_tokens=1,
        )
        body: Json = {"model": self.model, "prompt": before + text, "echo": True, "logprobs": 1}
        outcome = self._post("/completions", {**body, "max_tokens": 1, "temperature": 1.0}, asked)
        if isinstance(outcome, Failure):
            raise self._reports_none(outcome.message)
        found = echoed(outcome, len(before), len(before + text))
        if found is None:
            raise self._reports_none("its completions do not echo them")
        return replace(found, exact=not request.whole)

    def _post(self, path: str, body: Json, asked: Request) -> Json | Failure:
        """The response to a call within the budget, or the refusal."""
        most = self.prices.cost(self.model, maximum_usage(asked)) or 0.0
        if not self.budget.reserve(most):
            raise self.budget.exhausted(most, "another call")
        try:
            return self.retries.call(
                lambda: self._sent(path, body), f"scoring by {self.model}", outage=OUTAGE
            )
        finally:
            self.budget.settle(most, most)

    def _sent(self, path: str, body: Json) -> Json | Failure:
        import httpx2

        try:
            response = self.account.client.post(path, cast_to=httpx2.Response, body=body)
            return responses.json_object(response.content)
        except Exception as error:
            failure = self.account.classify(error)
            again = failure.kind in (*TRANSIENT, FailureKind.RATE)
            if again and not isinstance(error, InvalidResponseError):
                raise
            return failure

    def _reports_none(self, why: str) -> BackendError:
        return BackendError(
            f"{self.account.url} reports no log-probabilities for {self.model!r}: {why} "
            f"({NONE_TO_HAVE})"
        )


def first_tokens(data: Json) -> dict[str, float]:
    """The first tokens of a chat response with their log-probabilities; empty if it has none."""
    choices = data.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices else None
    reported = choice.get("logprobs") if isinstance(choice, dict) else None
    content = reported.get("content") if isinstance(reported, dict) else None
    place = content[0] if isinstance(content, list) and content else None
    if not isinstance(place, dict):
        return {}
    top = place.get("top_logprobs")
    entries = [*(top if isinstance(top, list) else []), place]
    found: dict[str, float] = {}
    for entry in entries:
        token, value = (
            (entry.get("token"), entry.get("logprob")) if isinstance(entry, dict) else (0, 0)
        )
        if isinstance(token, str) and isinstance(value, int | float):
            found.setdefault(token, float(value))
    return found


def echoed(data: Json, begin: int, end: int) -> LogProbability | None:
    """The log-probability of the characters from ``begin`` to ``end`` of an echoed text.

    A token that spans the border counts. None if the response does not have what it takes.
    """
    choices = data.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices else None
    reported = choice.get("logprobs") if isinstance(choice, dict) else None
    if not isinstance(reported, dict):
        return None
    parts = [reported.get(name) for name in ("tokens", "token_logprobs", "text_offset")]
    if not all(isinstance(part, list) for part in parts):
        return None
    tokens, values, offsets = (part for part in parts if isinstance(part, list))
    chosen = [
        value
        for token, value, start in zip(tokens, values, offsets, strict=False)
        if start < end and start + len(str(token)) > begin
    ]
    if not chosen or not all(isinstance(value, int | float) for value in chosen):
        return None
    return LogProbability(nats=float(sum(chosen)), tokens=len(chosen))


def _of_first_tokens(top: Mapping[str, float], text: str, whole: bool) -> LogProbability:
    """A continuation's log-probability: exact for one token, else that of its first token.

    A continuation whose first token is not reported is at most as probable as the last that is.
    """
    first = max((token for token in top if token and text.startswith(token)), key=len, default="")
    nats = top[first] if first else min(top.values())
    return LogProbability(nats=nats, tokens=1, exact=first == text and not whole)
