"""Log-probabilities of given continuations, from servers that report some.

A chat endpoint reports the most probable first tokens of its answer (``top_logprobs``): a
continuation of one token is then known exactly, and of any other an upper bound. The legacy
completions endpoint reports the log-probability of each token of a text (``echo``), which serves
texts without a chat template; where it does not, the first tokens after a text are known.
"""

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ...datasets.errors import BackendError, SpecError
from ..base import Request
from ..continuations import ContinuationRequest, LogProbability, refused, with_usage
from ..failure_share import DEFAULT, FailureShare
from ..plain_text import BLANK, plain_prompt
from ..threads import in_order
from .choices import MORE_FAILURES
from .continuation_calls import ContinuationCalls, PaidCalls, TextRefusedError
from .errors import Failure, FailureKind
from .first_token_count import FirstTokenCount
from .reported_log_probabilities import echoed, first_tokens
from .request_form import COMPLETIONS, ENDPOINT, RequestForm
from .responses import Json
from .server_profile import PROBED, SET, ServerProfile

if TYPE_CHECKING:
    from ...datasets.chat import Conversation

SIDE_BY_SIDE = 8
"""Requests under way at a time."""
NONE_TO_HAVE = "use an engine (local, toy), or a server that reports log-probabilities"
ECHO = "echo"
TEXT, NEXT = "Name an", " animal"
"""A text that no server refuses, and how it may go on."""


@dataclass
class Continuations:
    """The scoring of continuations by one model."""

    calls: PaidCalls
    profile: ServerProfile
    first_tokens: int | None = None
    """First tokens to ask for, set by hand: 0 for none."""
    max_failed: float = DEFAULT
    """The share of requests that may be refused before the scoring ends."""
    _count: FirstTokenCount = field(init=False)
    _not_tokens: set[str] = field(default_factory=set, init=False)
    """Texts that were not among as many first tokens as the server reports."""
    _echoes: bool = field(default=True, init=False)
    """False once the server has not echoed a text."""
    _reported: dict[str, int] = field(default_factory=dict, init=False)
    """By path, the most first tokens that were reported when so many were asked for."""

    def __post_init__(self) -> None:
        self._count = FirstTokenCount(self.first_tokens)

    def score(self, requests: Iterable[ContinuationRequest]) -> Iterator[Sequence[LogProbability]]:
        """The log-probabilities of each request's continuations, in the order of the requests.

        Raises :class:`~limen.SpecError` for a given beginning of a chat answer, and
        :class:`~limen.BackendError` where the server reports no log-probabilities.
        """
        if self.first_tokens == 0:
            raise self._reports_none("none are to be asked for (limen_openai_logprobs)")
        doing = f"scoring by {self.calls.model} stopped"
        share = FailureShare(doing, self.max_failed, MORE_FAILURES)
        for scored in in_order(self._scored, requests, most=SIDE_BY_SIDE, name="limen-score"):
            yield scored or []
            _count_failure(share, scored or [])

    def _scored(self, request: ContinuationRequest) -> list[LogProbability]:
        calls = ContinuationCalls(self.calls)
        try:
            found = self._found(calls, request)
        except TextRefusedError as refusal:
            found = refused(request, str(refusal))
        return with_usage(found, calls.usage)

    def _found(
        self, calls: ContinuationCalls, request: ContinuationRequest
    ) -> Sequence[LogProbability]:
        if self.profile.form.endpoint == COMPLETIONS or not request.chat:
            before, texts = _as_texts(request)
            return self._of_texts(calls, before, texts, whole=request.whole)
        if request.begin:
            raise SpecError(
                "the backend openai cannot give the beginning of a chat answer, since no server "
                "has that in common with another: use an engine (local, toy)"
            )
        asked = Request(row=-1, messages=request.messages, seed=0, max_tokens=1)
        top = self._first_tokens(calls, asked, self.profile.form, request.continuations)
        return [_of_first_tokens(top, text, request.whole) for text in request.continuations]

    def _first_tokens(
        self, calls: ContinuationCalls, asked: Request, form: RequestForm, texts: Sequence[str]
    ) -> Mapping[str, float]:
        """The most probable first tokens of the answer, with their log-probabilities in nats.

        As many as it takes to have each text that is one token, if the server reports so many.
        """
        tokens, count = self._usual_first_tokens(calls, asked, form)
        while lacking := {t for t in texts if not _is_token(t, tokens)} - self._not_tokens:
            more = self._count.more_than(count, len(tokens))
            found = more and self._tried(calls, asked, form, more)
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
        self, calls: ContinuationCalls, asked: Request, form: RequestForm
    ) -> tuple[Mapping[str, float], int]:
        """As many first tokens as were reported before, and how many were asked for."""
        while True:
            count = self._count.asked
            outcome = calls.post(form.path, self._body(asked, form, count), asked)
            if not isinstance(outcome, Failure):
                break
            if _is_of_text(outcome, known=count <= self._reported.get(form.path, 0)):
                raise TextRefusedError(outcome)
            if not self._count.lower_from(count, outcome.details.message):
                if outcome.kind is FailureKind.REFUSED and self._reports_some(calls, form):
                    raise TextRefusedError(outcome)
                raise self._reports_none(outcome.message)
        if not (tokens := first_tokens(outcome)):
            raise self._reports_none("its answers have none")
        self._reported[form.path] = max(count, self._reported.get(form.path, 0))
        return tokens, count

    def _reports_some(self, calls: ContinuationCalls, form: RequestForm) -> bool:
        """Whether the server reports first tokens after a short text."""
        asked = replace(_text_request(TEXT), chat=form.endpoint != COMPLETIONS)
        return bool(self._tried(calls, asked, form, self._count.asked))

    def _tried(
        self, calls: ContinuationCalls, asked: Request, form: RequestForm, count: int
    ) -> Mapping[str, float] | None:
        """So many first tokens; None where the server refuses, or does not answer that request."""
        try:
            outcome = calls.post(form.path, self._body(asked, form, count), asked)
        except BackendError:  # what is wrong with more than this request shows at the next one
            return None
        return None if isinstance(outcome, Failure) else first_tokens(outcome)

    def _body(self, asked: Request, form: RequestForm, count: int) -> Json:
        """A request that asks for so many first tokens."""
        chats = form.endpoint != COMPLETIONS
        wanted = {"logprobs": True, "top_logprobs": count} if chats else {"logprobs": count}
        return form.body(self.calls.model, asked) | wanted

    def _of_texts(
        self, calls: ContinuationCalls, before: str, texts: Sequence[str], *, whole: bool
    ) -> Sequence[LogProbability]:
        """The log-probabilities of texts after another: echoed, or else by their first tokens."""
        if self._echoes:
            found = [self._echoed(calls, before, text) for text in texts]
            known = [replace(each, exact=not whole) for each in found if each is not None]
            if len(known) == len(texts):
                self.profile.notes["log-probabilities"] = f"of given texts, echoed ({PROBED})"
                return known
            self._echoes = False
        form = self.profile.form.changed(ENDPOINT, COMPLETIONS)
        top = self._first_tokens(calls, _text_request(before), form, texts)
        return [_of_first_tokens(top, text, whole) for text in texts]

    def _echoed(self, calls: ContinuationCalls, before: str, text: str) -> LogProbability | None:
        """The log-probability of a text after another; None where the server does not echo it."""
        if not self._echoes:  # known by now from another text
            return None
        outcome = self._asked_to_echo(calls, before + text)
        if not isinstance(outcome, Failure):
            found = echoed(outcome, before, text)
            self._reported |= {ECHO: 1} if found else {}
            return found
        if _is_of_text(outcome, known=ECHO in self._reported):
            raise TextRefusedError(outcome)
        if outcome.kind is FailureKind.REFUSED and self._echoes_some(calls):
            raise TextRefusedError(outcome)
        return None

    def _echoes_some(self, calls: ContinuationCalls) -> bool:
        """Whether the server echoes a short text."""
        outcome = self._asked_to_echo(calls, TEXT + NEXT)
        return not isinstance(outcome, Failure) and echoed(outcome, TEXT, NEXT) is not None

    def _asked_to_echo(self, calls: ContinuationCalls, text: str) -> Json | Failure:
        body: Json = {"model": self.calls.model, "prompt": text, "echo": True, "logprobs": 1}
        body |= {"max_tokens": 1, "temperature": 1.0}
        return calls.post("/completions", body, _text_request(text))

    def _reports_none(self, why: str) -> BackendError:
        url, model = self.calls.account.url, self.calls.model
        return BackendError(
            f"{url} reports no log-probabilities for {model!r}: {why} ({NONE_TO_HAVE})"
        )


def _is_of_text(failure: Failure, *, known: bool) -> bool:
    """Whether a refusal is of the text: it says so, or other texts are ``known`` to be scored."""
    return failure.kind is FailureKind.CONTENT or (known and failure.kind is FailureKind.REFUSED)


def _count_failure(share: FailureShare, scored: Sequence[LogProbability]) -> None:
    """Count a request that was refused; raises :class:`~limen.BackendError` for too many."""
    errors = [one.error for one in scored if one.error is not None]
    if errors:
        share.failed(errors[0])
    elif scored:
        share.answered()


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
