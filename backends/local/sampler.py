"""Sampling: draws that have equal tokens so far share one row, which is computed once.

Two hundred draws of a question begin as one row, its prompt, and split where they differ. A draw
takes its uniform numbers from a stream of its own seed, so it depends on its seed and conversation
and never on what is sampled beside it (but for floating-point noise, which can decide between two
tokens of almost equal probability). A row is dropped when its draws end, and these are handed on
before the batch has ended: its progress moves, and a run that is interrupted keeps them.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby, islice
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...datasets.errors import BackendError
from ..base import Completion, Request, Token
from .answer_texts import AnswerTexts
from .context import Context
from .forward_pass import CachedForward, ForwardState, Tokens
from .libraries import Tensor, library
from .loading import AdapterContext, LoadedModel
from .memory import free_memory, has_gpu, is_out_of_memory
from .memory_plan import cache_rows, config_shape
from .prompt_tokens import request_tokens
from .token_sampling import choose_tokens, token_probabilities, uniforms

Ints = NDArray[np.int64]
Prompted = tuple[Request, Tokens]
"""A request, with the tokens of its prompt."""
DRAWS_PER_ROW = 16
"""Draws that start together, for each row that fits: most of them share their rows."""
WINDOW = 4
"""Batches that are sorted by length together."""
PARTS = 16
"""Parts in which the completions of a batch are handed on; the adapter is put on again for each."""


def default_max_rows() -> int:
    """Rows to compute side by side, unless memory runs out."""
    return 1024 if has_gpu() else 128


class _Settings(NamedTuple):
    """What requests must share to be completed together."""

    temperature: float
    top_p: float
    max_tokens: int


def _settings_of(request: Request) -> _Settings:
    return _Settings(request.temperature, request.top_p, request.max_tokens)


@dataclass(frozen=True, eq=False)
class _Draw:
    """One answer that is being sampled."""

    request: Request
    number: int
    prompt: Tokens
    log_probabilities: list[Token] = field(default_factory=list)


@dataclass(frozen=True, eq=False)
class _Branch:
    """``R`` rows to compute next, and the ``N`` draws that continue them."""

    answers: list[Tokens]
    """(R,), the answer of each row so far."""
    draws: Ints
    """(N,), numbers of draws."""
    row: Ints
    """(N,), the row of each draw."""
    state: ForwardState | None = None
    """The state before the last token of each row, if it is still in memory."""
    parents: list[int] = field(default_factory=list)
    """(R,), the row of ``state`` that each row continues."""


@dataclass(frozen=True, eq=False)
class _Step:
    """A branch after its forward pass, and the next token of each of its draws."""

    state: ForwardState
    tokens: list[int]
    logs: Tensor
    """(R, V) log-probabilities of all tokens, or None if no draw asks for them."""


class Sampler:
    """Samples from one loaded model.

    ``activate`` puts the adapter on, again after all that was handed on: meanwhile another sampler
    may have used the same base model with another adapter. ``max_rows`` is how many rows are
    computed side by side; it is halved whenever memory runs out.
    """

    def __init__(
        self,
        loaded: LoadedModel,
        activate: AdapterContext,
        context: Context,
        *,
        max_rows: int | None = None,
    ) -> None:
        self._loaded = loaded
        self._activate = activate
        self._context = context
        self.ends = loaded.ends
        self.max_rows = max_rows or default_max_rows()
        self.texts = AnswerTexts(loaded.tokenizer, context)

    def sample(self, requests: Iterable[Request]) -> Iterator[list[Completion]]:
        """Complete the requests, consecutive ones with the same settings together.

        Completions come as they end, some of a batch at a time.
        """
        for settings, alike in groupby(map(self.texts.with_stops, requests), _settings_of):
            while window := list(islice(alike, self.max_rows * WINDOW)):
                for group in self._groups(self._by_length(window, settings.max_tokens)):
                    yield from self._completed(group, settings)

    def _completed(
        self, group: Sequence[Prompted], settings: _Settings
    ) -> Iterator[list[Completion]]:
        round_ = _Round(self, group, settings)
        while not round_.is_done:
            with self._activate() as model:
                forward = self._loaded.forward(model, longest=settings.max_tokens)
                completions = round_.more_completions(forward)
            yield completions

    def _by_length(self, window: Sequence[Request], max_tokens: int) -> list[Prompted]:
        """Requests with their prompts, the shortest first: little is lost to padding."""
        tokens = request_tokens(self._loaded, self._context, window, max_tokens=max_tokens)
        self._plan(max(map(len, tokens)) + max_tokens)
        return sorted(zip(window, tokens, strict=True), key=lambda pair: len(pair[1]))

    def _plan(self, tokens: int) -> None:
        """Lower ``max_rows`` to the rows of so many tokens for whose keys and values is memory."""
        shape = config_shape(self._loaded.model.config, self._loaded.source.parameters or 0)
        if shape is not None:
            self.max_rows = min(self.max_rows, cache_rows(shape, tokens, gpu=has_gpu()))

    def _groups(self, pairs: Iterable[Prompted]) -> Iterator[list[Prompted]]:
        group: list[Prompted] = []
        for pair in pairs:
            group.append(pair)
            draws = sum(request.draws for request, _ in group)
            if len(group) >= self.max_rows or draws >= self.max_rows * DRAWS_PER_ROW:
                yield group
                group = []
        if group:
            yield group


class _Round:
    """Requests with the same settings, completed together."""

    def __init__(
        self,
        sampler: Sampler,
        group: Sequence[Prompted],
        settings: _Settings,
    ) -> None:
        self._sampler, self._settings = sampler, settings
        self._draws = [
            _Draw(request, request.first + draw, prompt)
            for request, prompt in group
            for draw in range(request.draws)
        ]
        firsts = np.cumsum([0, *(request.draws for request, _ in group)])
        self._prompts = [prompt for _, prompt in group]
        request_of = np.repeat(np.arange(len(group)), np.diff(firsts))
        seeds = [draw.request.seed + draw.number for draw in self._draws]
        self._uniform = uniforms(seeds, settings.max_tokens if settings.temperature > 0 else 0)
        self._wants_logs = any(request.top_logprobs is not None for request, _ in group)
        self._completions: list[Completion] = []
        all_draws = np.arange(len(self._draws))
        self._branches = [_Branch([()] * len(self._prompts), all_draws, request_of)]

    @property
    def is_done(self) -> bool:
        """Whether all completions were handed on."""
        return not self._branches

    def more_completions(self, forward: CachedForward) -> list[Completion]:
        """Those that end next: depth first, so that few states are in memory at a time."""
        self._completions = []
        while self._branches and len(self._completions) * PARTS < len(self._draws):
            branch = self._branches.pop()
            if len(branch.answers) > self._sampler.max_rows:
                self._branches += _halves(branch)
                continue
            step = self._step_or_none(forward, branch)
            self._branches += self._split(branch) if step is None else self._extended(branch, step)
        return self._completions

    def _step_or_none(self, forward: CachedForward, branch: _Branch) -> _Step | None:
        """Everything that takes memory; None if there was too little."""
        try:
            state = self._computed(forward, branch)
            tokens = self._next_tokens(branch, state, len(branch.answers[0]))
            logs = library("torch").log_softmax(state.logits, dim=-1) if self._wants_logs else None
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            return None
        return _Step(state, tokens, logs)

    def _split(self, branch: _Branch) -> list[_Branch]:
        """Two smaller branches in place of one that did not fit into memory."""
        if len(branch.answers) == 1:
            raise BackendError(
                "memory ran out while sampling a single answer: use a smaller model or a shorter "
                "prompt, or stop other programs that use the memory"
            )
        self._sampler.max_rows = max(1, len(branch.answers) // 2)
        free_memory()
        return _halves(branch)

    def _computed(self, forward: CachedForward, branch: _Branch) -> ForwardState:
        if branch.state is not None:
            last = [answer[-1] for answer in branch.answers]
            return forward.extend(branch.state, branch.parents, last)
        first = {int(row): int(draw) for draw, row in zip(branch.draws, branch.row, strict=True)}
        prompts = (self._draws[first[row]].prompt for row in range(len(branch.answers)))
        texts = [prompt + answer for prompt, answer in zip(prompts, branch.answers, strict=True)]
        return forward.start(texts)

    def _extended(self, branch: _Branch, step: _Step) -> list[_Branch]:
        """Add the next token of each draw; draws with equal tokens so far share a row."""
        if self._wants_logs:
            self._record_log_probabilities(branch, step)
        rows: dict[tuple[int, int], int] = {}
        draws: list[int] = []
        row: list[int] = []
        for draw, parent, token in zip(
            branch.draws.tolist(), branch.row.tolist(), step.tokens, strict=True
        ):
            if self._ended(draw, branch.answers[parent], token):
                continue
            draws.append(draw)
            row.append(rows.setdefault((parent, token), len(rows)))
        if not rows:
            return []
        answers = [(*branch.answers[parent], token) for parent, token in rows]
        parents = [parent for parent, _ in rows]
        return [_Branch(answers, np.array(draws), np.array(row), step.state, parents)]

    def _next_tokens(self, branch: _Branch, state: ForwardState, depth: int) -> list[int]:
        torch, settings = library("torch"), self._settings
        rows = torch.tensor(branch.row, device=state.logits.device)
        if settings.temperature == 0:
            best: list[int] = state.logits.argmax(dim=-1)[rows].tolist()
            return best
        probabilities = token_probabilities(
            state.logits, temperature=settings.temperature, top_p=settings.top_p
        )
        uniform = torch.tensor(self._uniform[branch.draws, depth], device=state.logits.device)
        chosen: list[int] = choose_tokens(probabilities, rows, uniform).tolist()
        return chosen

    def _ended(self, draw: int, answer: Tokens, token: int) -> bool:
        """Record the draw's completion if it ends with this token; returns whether it did."""
        if token in self._sampler.ends:
            return self._finish(draw, answer, "stop")
        longer = (*answer, token)
        if self._sampler.texts.is_stopped(self._draws[draw].request, longer):
            return self._finish(draw, longer, "stop")
        at_limit = len(longer) == self._settings.max_tokens
        return at_limit and self._finish(draw, longer, "length")

    def _finish(self, index: int, answer: Tokens, finish: str) -> bool:
        draw = self._draws[index]
        wants_logs = draw.request.top_logprobs is not None
        self._completions.append(
            Completion(
                row=draw.request.row,
                draw=draw.number,
                text=self._sampler.texts.answer(draw.request, answer),
                finish=finish,
                tokens=len(answer),
                logprobs=tuple(draw.log_probabilities[: len(answer)]) if wants_logs else None,
            )
        )
        return True

    def _record_log_probabilities(self, branch: _Branch, step: _Step) -> None:
        """Keep the log-probabilities of the chosen tokens, for the draws that ask for them."""
        for draw, row, token in zip(branch.draws, branch.row, step.tokens, strict=True):
            count = self._draws[draw].request.top_logprobs
            if count is not None:
                described = self._described(step.logs[row], token, count)
                self._draws[draw].log_probabilities.append(described)

    def _described(self, logs: Tensor, token: int, count: int) -> Token:
        """A token with its log-probability and the ``count`` most probable ones; logs are (V,)."""
        best = logs.topk(min(count, logs.shape[-1])) if count else None
        top = zip(best.indices.tolist(), best.values.tolist(), strict=True) if best else ()
        return Token(
            text=self._sampler.texts.of((token,)),
            logprob=float(logs[token]),
            top=tuple((self._sampler.texts.of((other,)), log) for other, log in top),
        )


def _halves(branch: _Branch) -> list[_Branch]:
    """The rows in two parts, which share the state that they continue."""
    middle = len(branch.answers) // 2
    parts = []
    for start, end in ((0, middle), (middle, len(branch.answers))):
        mine = (branch.row >= start) & (branch.row < end)
        parts.append(
            _Branch(
                branch.answers[start:end],
                branch.draws[mine],
                branch.row[mine] - start,
                branch.state,
                branch.parents[start:end],
            )
        )
    return parts
