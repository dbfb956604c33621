"""Sampling and scoring at a service: many calls side by side, each paid for before it is sent."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice
from typing import TypeVar

from ...datasets.errors import BackendError
from ..base import Completion, Request, Usage
from ..budget import Budget
from ..continuations import ContinuationRequest, LogProbability, refused, with_usage
from ..failure_share import DEFAULT, FailureShare
from ..threads import in_order, in_thread
from .prices import TokenPrice
from .service import RequestRefusedError, Sampled, Sampling, Tokens, WeightsSampler
from .texts import TextModel

T = TypeVar("T")
R = TypeVar("R")
CALLS = 32
"""Calls of a stage under way."""
THREAD = "limen-call"
DRAWS_A_CALL = 64
MOST_REFUSED = "nothing of them was kept: prompts or settings are more than the service accepts"
"""What to do where a stage ended because most of its calls were refused."""
SEEDS = 2**30
"""Seeds that are sent are below this number, so that adding draws keeps them within 31 bits."""


@dataclass(frozen=True, eq=False)
class Sampler:
    """Samples from one model and scores with it. ``price`` is None where none is known."""

    weights: WeightsSampler
    texts: TextModel
    budget: Budget
    price: TokenPrice | None

    def sample(self, requests: Iterable[Request]) -> Iterator[list[Completion]]:
        """Complete every request, in the order in which answers arrive.

        Raises :class:`~limen.BackendError` where most are refused: nothing more is sent then.
        """
        refusals = _Refusals()
        calls = (call for request in requests for call in _calls(request))
        for made in as_they_come(self._completions, refusals.while_few(calls)):
            if ready := refusals.sorted_out(made):
                yield ready
        refusals.check()
        if refusals.held:
            yield refusals.held

    def score(self, requests: Iterable[ContinuationRequest]) -> Iterator[list[LogProbability]]:
        """The log-probabilities of each request's continuations, in the order of the requests."""
        for scored in in_order(self._scored, requests, most=CALLS, name=THREAD):
            yield scored or []

    def _completions(self, request: Request) -> list[Completion]:
        try:
            prompt = self.texts.prompt(request)
            return self._answered(request, prompt)
        except RequestRefusedError as refusal:
            return [
                Completion(
                    row=request.row, draw=draw, text=None, finish="error", error=str(refusal)
                )
                for draw in range(request.first, request.first + request.draws)
            ]

    def _answered(self, request: Request, prompt: Tokens) -> list[Completion]:
        how = Sampling(
            draws=request.draws,
            seed=hashed_seed(request.seed) + request.first,
            max_tokens=request.max_tokens,
            temperature=request.temperature,
            top_p=request.top_p,
            stop=self.texts.ends,
        )
        most = _usage(prompt, request.draws, request.draws * request.max_tokens)
        sampled = self._paid(
            most,
            lambda: self.weights.sample(prompt, how),
            lambda made: _usage(prompt, request.draws, sum(len(s.tokens) for s in made)),
        )
        if len(sampled) != request.draws:
            raise BackendError(
                f"the service gave {len(sampled)} samples where {request.draws} were asked for; "
                f"none is used. Run the same command again; if it gives the same, ask the service"
            )
        made = [self._completion(request, n, each) for n, each in enumerate(sampled)]
        used = _usage(prompt, request.draws, sum(len(each.tokens) for each in sampled))
        return [replace(made[0], usage=used), *made[1:]]

    def _completion(self, request: Request, number: int, sampled: Sampled) -> Completion:
        text, ended = self.texts.answer(request, sampled.tokens)
        return Completion(
            row=request.row,
            draw=request.first + number,
            text=text,
            finish="stop" if ended or sampled.stopped else "length",
            tokens=len(sampled.tokens),
        )

    def _scored(self, request: ContinuationRequest) -> list[LogProbability]:
        known: dict[tuple[Tokens, int], LogProbability] = {}
        usage = Usage()
        try:
            tokenized = self.texts.continuations(request)
            for tokens, count in tokenized:
                if (tokens, count) not in known:
                    known[tokens, count] = self._log_probability(tokens, count)
                    usage += _usage_of_scoring(tokens)
        except RequestRefusedError as refusal:
            return with_usage(refused(request, str(refusal)), usage)
        return with_usage([known[each] for each in tokenized], usage)

    def _log_probability(self, tokens: Tokens, count: int) -> LogProbability:
        usage = _usage_of_scoring(tokens)
        scored = self._paid(usage, lambda: self.weights.log_probabilities(tokens), lambda _: usage)
        nats = [value for value in scored[len(tokens) - count :] if value is not None]
        if len(scored) != len(tokens) or len(nats) != count:
            raise BackendError(
                f"the service gave log-probabilities of {len(nats)} tokens of a continuation of "
                f"{count}: it cannot be used for measures by log-probability"
            )
        return LogProbability(nats=min(0.0, sum(nats)), tokens=count)

    def _paid(self, most: Usage, call: Callable[[], R], used: Callable[[R], Usage]) -> R:
        """The result of a call, whose highest cost is reserved before it is sent."""
        usd = self.price.of(most) if self.price else 0.0
        if not self.budget.reserve(usd):
            raise self.budget.exhausted(usd, "another call")
        spent = usd
        try:
            result = call()
            spent = self.price.of(used(result)) if self.price else 0.0
            return result
        except RequestRefusedError:
            spent = 0.0
            raise
        finally:
            self.budget.settle(usd, spent)


@dataclass
class _Refusals:
    """The calls of a stage that were refused. They are held back while they are not few."""

    share: FailureShare = field(
        default_factory=lambda: FailureShare("sampling stopped", DEFAULT, MOST_REFUSED)
    )
    held: list[Completion] = field(default_factory=list)
    failure: BackendError | None = None
    pending: int = 0
    """Calls that have been begun and have not been sorted out."""

    def while_few(self, calls: Iterable[Request]) -> Iterator[Request]:
        """The calls that may be begun: all, unless too many are refused."""
        for call in calls:
            if self.failure is not None:
                return
            self.pending += 1
            yield call

    def sorted_out(self, made: list[Completion]) -> list[Completion]:
        """What can be handed out, once a call has come to these completions."""
        self.pending -= 1
        if made[0].finish != "error":
            self.share.answered()
            return made
        self.held += made
        try:
            self.share.failed(str(made[0].error), own=True, pending=self.pending)
        except BackendError as failure:
            self.failure = self.failure or failure
        if self.failure or not self.share.is_low:
            return []
        ready, self.held = self.held, []
        return ready

    def check(self) -> None:
        """Raise :class:`~limen.BackendError` if too many were refused. To be called at the end."""
        if self.failure is not None:
            raise self.failure
        self.share.check()


def hashed_seed(seed: int) -> int:
    """The seed that is sent: neighbouring seeds of requests must not share draws."""
    digest = hashlib.sha256(f"limen {seed}".encode()).digest()
    return int.from_bytes(digest[:8], "big") % SEEDS


def as_they_come(call: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
    """The results of calls side by side. After a failure those under way are still waited for."""
    remaining, failure = iter(items), None
    pending = {_in_thread(call, item) for item in islice(remaining, CALLS)}
    while pending:
        finished, pending = wait(pending, return_when=FIRST_COMPLETED)
        for future in finished:
            if (error := future.exception()) is not None:
                failure = failure or error
            else:
                yield future.result()
        if failure is None:
            pending |= {_in_thread(call, item) for item in islice(remaining, len(finished))}
    if failure is not None:
        raise failure


def _in_thread(call: Callable[[T], R], item: T) -> "Future[R]":
    return in_thread(partial(call, item), THREAD)


def _calls(request: Request) -> Iterator[Request]:
    """The calls of a request: not more than some draws each."""
    for first in range(request.first, request.first + request.draws, DRAWS_A_CALL):
        draws = min(DRAWS_A_CALL, request.first + request.draws - first)
        yield replace(request, first=first, draws=draws)


def _usage(prompt: Sequence[int], draws: int, sampled: int) -> Usage:
    """The tokens of a call; the prompt counts once a draw, as a service may charge it."""
    return Usage(calls=1, input_tokens=len(prompt) * draws, output_tokens=sampled)


def _usage_of_scoring(tokens: Tokens) -> Usage:
    """The tokens of a call that scores a text: the service samples one, which is not used."""
    return _usage(tokens, 1, 1)
