"""Micro-batching: requests that wait at the same time are sampled together, by one thread.

A model completes many conversations side by side for little more than one alone, and an answer
does not depend on its company.
"""

import asyncio
import threading
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from ..base import Completion, Engine, Request, Token
from ..continuations import ContinuationRequest, ContinuationScorer

TOGETHER = 2048
"""Draws that are sampled in one go."""
BACKGROUND = 512
"""Of these, for batches: the most that chat ever has to wait for."""
LONG = 50_000
"""Characters of a prompt that is answered by itself, after the shorter ones: it takes long."""


@dataclass(frozen=True, eq=False)
class _Waiting:
    model: str
    request: Request
    answer: "asyncio.Future[list[Completion]]"

    @property
    def manner(self) -> tuple[object, ...]:
        """Requests alike in this can be completed side by side."""
        return (self.request.temperature, self.request.top_p, self.request.max_tokens)

    @property
    def is_long(self) -> bool:
        """Whether others must not wait for its prompt to be read."""
        return sum(len(message["content"]) for message in self.request.messages) > LONG


@dataclass(frozen=True, eq=False)
class _Scoring:
    model: str
    request: ContinuationRequest
    answer: "asyncio.Future[Sequence[Token]]"


class BatchingSampler:
    """One engine, one thread that samples from it and scores with it, and the queues before it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._chat: deque[_Waiting] = deque()
        self._long: deque[_Waiting] = deque()
        self._background: deque[_Waiting] = deque()
        self._scoring: deque[_Scoring] = deque()
        self._news = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._work, name="limen-sampler", daemon=True)

    def start(self) -> None:
        """Let the thread begin."""
        self._thread.start()

    async def sample(
        self, model: str, requests: Sequence[Request], *, background: bool = False
    ) -> list[list[Completion]]:
        """The completions of each request, in order of the draws."""
        loop = asyncio.get_running_loop()
        waiting = [_Waiting(model, r, loop.create_future()) for r in requests]
        with self._news:
            for one in waiting:
                short = self._background if background else self._chat
                (self._long if one.is_long else short).append(one)
            self._news.notify()
        return await asyncio.gather(*(w.answer for w in waiting))

    async def score(self, model: str, request: ContinuationRequest) -> Sequence[Token]:
        """The tokens of a request's only continuation, with their log-probabilities."""
        loop = asyncio.get_running_loop()
        scoring = _Scoring(model, request, loop.create_future())
        with self._news:
            self._scoring.append(scoring)
            self._news.notify()
        return await scoring.answer

    def close(self) -> None:
        """Let the thread end once it has done what it is at."""
        with self._news:
            self._closed = True
            self._news.notify()
        self._thread.join()

    def _work(self) -> None:
        while (taken := self._take()) is not None:
            short = [w for w in taken if not w.is_long]
            for model in dict.fromkeys(w.model for w in short):
                self._answer(model, [w for w in short if w.model == model])
            for one in taken:
                if one.is_long:
                    self._answer(one.model, [one])
            self._score_next()

    def _take(self) -> list[_Waiting] | None:
        """What is to be sampled next; None when all is over."""
        with self._news:
            while not (
                self._closed or self._chat or self._long or self._background or self._scoring
            ):
                self._news.wait()
            if self._closed:
                return None
            taken = _up_to(TOGETHER, self._chat)
            room = TOGETHER - sum(w.request.draws for w in taken)
            taken += _up_to(min(BACKGROUND, room), self._background)
            return taken + _up_to(1, self._long)

    def _score_next(self) -> None:
        """Score one text, so that nobody else waits for more than that."""
        with self._news:
            scoring = self._scoring.popleft() if self._scoring else None
        if scoring is None or scoring.answer.done():
            return
        outcome: Sequence[Token] | Exception
        try:
            outcome = self._scored(scoring)
        except Exception as error:  # every error of an engine is reported to the client
            outcome = error
        loop = scoring.answer.get_loop()
        loop.call_soon_threadsafe(_deliver_one, scoring.answer, outcome)

    def _scored(self, scoring: _Scoring) -> Sequence[Token]:
        scorer: ContinuationScorer | None = self._engine.capabilities.continuations
        assert scorer is not None  # refused before
        ((found,),) = scorer.log_probabilities(scoring.model, [scoring.request])
        return found.each

    def _answer(self, model: str, waiting: Sequence[_Waiting]) -> None:
        outcome: list[list[Completion]] | Exception
        try:
            outcome = self._sampled(model, waiting)
        except Exception as error:  # every error of an engine is reported to the client
            if len(waiting) > 1:  # and no other client's
                for one in waiting:
                    self._answer(model, [one])
                return
            outcome = error
        waiting[0].answer.get_loop().call_soon_threadsafe(_deliver, waiting, outcome)

    def _sampled(self, model: str, waiting: Sequence[_Waiting]) -> list[list[Completion]]:
        asked = [replace(w.request, row=row) for row, w in enumerate(waiting)]
        asked.sort(key=lambda r: waiting[r.row].manner)
        answers: list[list[Completion]] = [[] for _ in waiting]
        for group in self._engine.sample(model, asked):
            for completion in group:
                answers[completion.row].append(completion)
        return [sorted(found, key=lambda c: c.draw) for found in answers]


def _up_to(draws: int, queue: "deque[_Waiting]") -> list[_Waiting]:
    """Take from the queue what fits, but at least one if there is room at all."""
    taken: list[_Waiting] = []
    while queue and draws > 0:
        waiting = queue.popleft()
        if not waiting.answer.done():
            draws -= waiting.request.draws
            taken.append(waiting)
    return taken


def _deliver_one(
    answer: "asyncio.Future[Sequence[Token]]", outcome: "Sequence[Token] | Exception"
) -> None:
    if answer.done():
        return
    if isinstance(outcome, Exception):
        answer.set_exception(outcome)
    else:
        answer.set_result(outcome)


def _deliver(waiting: Iterable[_Waiting], outcome: "list[list[Completion]] | Exception") -> None:
    for index, one in enumerate(waiting):
        if one.answer.done():
            continue
        if isinstance(outcome, Exception):
            one.answer.set_exception(outcome)
        else:
            one.answer.set_result(outcome[index])
