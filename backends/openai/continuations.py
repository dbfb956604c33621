"""Log-probabilities of given continuations, from servers that report some.

A chat endpoint reports the most probable first tokens of its answer (``top_logprobs``): a
continuation of one token is then known exactly, and of any other an upper bound. The legacy
completions endpoint reports the log-probability of each token of a text (``echo``), which serves
texts without a chat template; where it does not, the first tokens after a text are known.
"""

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from ...datasets.errors import BackendError, SpecError
from ..base import Request
from ..budget import Budget
from ..continuations import ContinuationRequest, LogProbability
from ..plain_text import BLANK, plain_prompt
from . import responses
from .account import Account
from .chat import maximum_usage
from .errors import TRANSIENT, Failure, FailureKind, InvalidResponseError
from .first_token_count import FirstTokenCount
from .prices import ModelPrice
from .request_form import COMPLETIONS, ENDPOINT, RequestForm
from .responses import Json
from .retries import Retries
from .server_profile import PROBED, SET, ServerProfile

if TYPE_CHECKING:
    from ...datasets.chat import Conversation

SIDE_BY_SIDE = 8
"""Requests under way at a time."""
OUTAGE = 60.0
"""Seconds that a server may be unavailable."""
PARTS = ("tokens", "token_logprobs", "text_offset")
"""What a completion reports of each token."""
NONE_TO_HAVE = "use an engine (local, toy), or a server that reports log-probabilities"


@dataclass
class Continuations:
    """The scoring of continuations by one model."""

    account: Account
    retries: Retries
    budget: Budget
    price: ModelPrice | None
    """With a limited budget there must be one."""
    profile: ServerProfile
    model: str
    first_tokens: int | None = None
    """First tokens to ask for, set by hand: 0 for none."""
    _count: FirstTokenCount = field(init=False)
    _not_tokens: set[str] = field(default_factory=set, init=False)
    """Texts that were not among as many first tokens as the server reports."""
    _echoes: bool = field(default=True, init=False)
    """False once the server has not echoed a text."""

    def __post_init__(self) -> None:
        self._count = FirstTokenCount(self.first_tokens)

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
        if self.profile.form.endpoint == COMPLETIONS or not request.chat:
            before, texts = _as_texts(request)
            return self._of_texts(before, texts, whole=request.whole)
        if request.begin:
            raise SpecError(
                "the backend openai cannot give the beginning of a chat answer, since no server "
                "has that in common with another: use an engine (local, toy)"
            )
        asked = Request(row=-1, messages=request.messages, seed=0, max_tokens=1)
        top = self._first_tokens(asked, self.profile.form, request.continuations)
        return [_of_first_tokens(top, text, request.whole) for text in request.continuations]

    def _first_tokens(
        self, asked: Request, form: RequestForm, texts: Sequence[str]
    ) -> Mapping[str, float]:
        """The most probable first tokens of the answer, with their log-probabilities in nats.

        As many as it takes to have each text that is one token, if the server reports so many.
        """
        tokens, count = self._usual_first_tokens(asked, form)
        while lacking := {t for t in texts if not _is_token(t, tokens)} - self._not_tokens:
            more = self._count.more_than(count, len(tokens))
            found = more and self._tried(asked, form, more)
            if not (more and found):
                self._count.refused_more(count)
                self._not_tokens |= lacking
                break
            tokens, count = found, more
            if any(_is_token(text, tokens) for text in lacking):
                self._count.accepted(count)
        source = SET if self.first_tokens else PROBED
        given = count if len(tokens) > count // 2 else len(tokens)
        self.profile.notes["log-probabilities"] = f"of the first {given} tokens ({source})"
        return tokens

    def _usual_first_tokens(
        self, asked: Request, form: RequestForm
    ) -> tuple[Mapping[str, float], int]:
        """As many first tokens as were reported before, and how many were asked for."""
        while True:
            count = self._count.asked
            outcome = self._post(form.path, self._body(asked, form, count), asked)
            if not isinstance(outcome, Failure):
                break
            if not self._count.lower_from(count, outcome.details.message):
                raise self._reports_none(outcome.message)
        if not (tokens := first_tokens(outcome)):
            raise self._reports_none("its answers have none")
        return tokens, count

    def _tried(self, asked: Request, form: RequestForm, count: int) -> Mapping[str, float] | None:
        """So many first tokens; None where the server refuses, or does not answer that request."""
        try:
            outcome = self._post(form.path, self._body(asked, form, count), asked)
        except BackendError:  # what is wrong with more than this request shows at the next one
            return None
        return None if isinstance(outcome, Failure) else first_tokens(outcome)

    def _body(self, asked: Request, form: RequestForm, count: int) -> Json:
        """A request that asks for so many first tokens."""
        chats = form.endpoint != COMPLETIONS
        wanted = {"logprobs": True, "top_logprobs": count} if chats else {"logprobs": count}
        return form.body(self.model, asked) | wanted

    def _of_texts(
        self, before: str, texts: Sequence[str], *, whole: bool
    ) -> Sequence[LogProbability]:
        """The log-probabilities of texts after another: echoed, or else by their first tokens."""
        if self._echoes:
            found = [self._echoed(before, text) for text in texts]
            known = [replace(each, exact=not whole) for each in found if each is not None]
            if len(known) == len(texts):
                self.profile.notes["log-probabilities"] = f"of given texts, echoed ({PROBED})"
                return known
            self._echoes = False
        form = self.profile.form.changed(ENDPOINT, COMPLETIONS)
        top = self._first_tokens(_text_request(before), form, texts)
        return [_of_first_tokens(top, text, whole) for text in texts]

    def _echoed(self, before: str, text: str) -> LogProbability | None:
        """The log-probability of a text after another; None where the server does not echo it."""
        if not self._echoes:  # known by now from another text
            return None
        asked = _text_request(before + text)
        body: Json = {"model": self.model, "prompt": before + text, "echo": True, "logprobs": 1}
        outcome = self._post("/completions", {**body, "max_tokens": 1, "temperature": 1.0}, asked)
        return None if isinstance(outcome, Failure) else echoed(outcome, before, text)

    def _post(self, path: str, body: Json, asked: Request) -> Json | Failure:
        """The response to a call within the budget, or the refusal."""
        most = self.price.of(maximum_usage(asked)) if self.price else 0.0
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
    """The first tokens of a response with their log-probabilities; empty if it has none."""
    _, reported = _choice_and_log_probabilities(data)
    place = next(iter(_list(reported, "content")), None)
    if not isinstance(place, dict):
        return _first_of_text(reported)
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


def echoed(data: Json, before: str, text: str) -> LogProbability | None:
    """The log-probability of a text after another, from a response that echoes both.

    A token that spans the border counts. None if the response does not have what it takes.
    """
    choice, reported = _choice_and_log_probabilities(data)
    tokens, values, offsets = (_list(reported, name) for name in PARTS)
    places = _places([str(token) for token in tokens], offsets, before + text, choice.get("text"))
    if places is None:
        return None
    begin, end = len(before), len(before + text)
    chosen = [
        value
        for token, value, start in zip(tokens, values, places, strict=False)
        if start < end and start + len(str(token)) > begin
    ]
    if not chosen or not all(isinstance(value, int | float) for value in chosen):
        return None
    return LogProbability(nats=float(sum(chosen)), tokens=len(chosen))


def _first_of_text(reported: Json) -> dict[str, float]:
    """The first tokens of a completion of a text, with their log-probabilities."""
    top = next(iter(_list(reported, "top_logprobs")), None)
    found = dict(top) if isinstance(top, dict) else {}
    for token, value in zip(_list(reported, "tokens")[:1], _list(reported, PARTS[1]), strict=False):
        found.setdefault(str(token), value)
    return {token: float(v) for token, v in found.items() if isinstance(v, int | float)}


def _choice_and_log_probabilities(data: Json) -> tuple[Json, Json]:
    """The first choice of a response and what it reports, each empty where there is none."""
    choices = _list(data, "choices")
    choice = choices[0] if choices and isinstance(choices[0], dict) else {}
    reported = choice.get("logprobs")
    return choice, reported if isinstance(reported, dict) else {}


def _list(data: Json, name: str) -> list[Any]:
    found = data.get(name)
    return found if isinstance(found, list) else []


def _places(
    tokens: Sequence[str], offsets: Sequence[Any], whole: str, text: object
) -> Sequence[int] | None:
    """Where each token of an echoed text begins in it; None if the text was not echoed.

    Tokens that begin texts ("<s>") may stand before it, and may be counted by the offsets.
    """
    if (before := "".join(tokens).find(whole)) >= 0:
        lengths = accumulate(map(len, tokens), initial=-before)
        return list(lengths)[:-1]
    if not isinstance(text, str) or not text.startswith(whole) or len(offsets) < len(tokens):
        return None
    if not all(isinstance(offset, int) for offset in offsets):
        return None
    for shift in (0, *offsets[1:2]):
        places = [offset - shift for offset in offsets]
        spelled = [n for n, token in enumerate(tokens) if token.isascii() and "bytes:" not in token]
        if all(text[places[n] :].startswith(tokens[n]) for n in spelled if places[n] >= 0):
            return places
    return None


def _as_texts(request: ContinuationRequest) -> tuple[str, Sequence[str]]:
    """What stands before the continuations in plain text, and the continuations as they follow."""
    if not request.chat:
        return f"{request.messages[-1]['content']}{request.begin}", request.continuations
    before = plain_prompt(request.messages, request.begin)
    blank = "" if request.begin else BLANK
    return before, [blank + text for text in request.continuations]


def _text_request(text: str) -> Request:
    """A request for one token after a text."""
    turn: Conversation = [{"role": "user", "content": text}]
    return Request(row=-1, messages=turn, seed=0, max_tokens=1, chat=False)


def _of_first_tokens(top: Mapping[str, float], text: str, whole: bool) -> LogProbability:
    """A continuation's log-probability: exact for one token, else that of its first token.

    A continuation whose first token is not reported is at most as probable as the last that is.
    """
    if not any(token and text.startswith(token) for token in top):
        text = text.removeprefix(BLANK)  # a server that leaves out the blank of a first token
    first = max((token for token in top if token and text.startswith(token)), key=len, default="")
    nats = top[first] if first else min(top.values())
    return LogProbability(nats=nats, tokens=1, exact=first == text and not whole)


def _is_token(text: str, tokens: Container[str]) -> bool:
    """Whether a text is one of some tokens; a server may leave out the blank of a first one."""
    return text in tokens or text.removeprefix(BLANK) in tokens
