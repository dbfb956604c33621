"""Sampling: draws that have said the same so far are one row, read once.

Two hundred draws of a question begin as one row, its prompt, and part where they differ. A draw is
a stream of uniform numbers from its own seed, so what it says depends on its seed and on its
conversation, never on what is sampled beside it (but for floating-point noise, which can decide
where two tokens are as good as equally likely). Rows are given up as their draws end.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import groupby, islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...datasets.errors import BackendError
from ..base import Completion, Request, Token
from .choosing import choose, uniforms, weights_of
from .context import Context
from .extra import library
from .loading import Loaded, prompts
from .memory import accelerated, freed, ran_out
from .reading import Read, Reader, Tokens

Ints = NDArray[np.int64]
DRAWS_A_ROW = 16
"""Draws that are begun together, for each row that fits: most of them share their rows."""
WINDOW = 4
"""Batches that are put in order of length together."""


def rows_at_once() -> int:
    """Rows to compute side by side, unless memory says otherwise."""
    return 1024 if accelerated() else 256


@dataclass(frozen=True, eq=False)
class _Draw:
    """One answer on its way."""

    request: Request
    number: int
    prompt: Tokens
    explained: list[Token] = field(default_factory=list)


@dataclass(frozen=True, eq=False)
class _Branch:
    """Rows to be read next, and the draws that go on from each."""

    said: list[Tokens]
    """The answer of each row so far."""
    draws: Ints
    row: Ints
    """(draws,), the row of each."""
    read: Read | None = None
    """What was read before the last token of each row, if it still is in memory."""
    parents: list[int] = field(default_factory=list)
    """The rows of it that these go on from."""


@dataclass(frozen=True, eq=False)
class _Step:
    """What was read of a branch, and the next token of each of its draws."""

    read: Read
    tokens: list[int]
    logs: Any
    """(R, V), the logarithms of the tokens' probabilities, where a draw asks for them."""


class Sampler:
    """Samples from one loaded model.

    ``wear`` puts on what the model is to wear, anew for every round: between two of them somebody
    else may have sampled from the same base in other clothes.
    """

    def __init__(
        self,
        loaded: Loaded,
        wear: Callable[[], AbstractContextManager[Any]],
        context: Context,
        *,
        most: int | None = None,
    ) -> None:
        self._loaded = loaded
        self._wear = wear
        self._tokenizer = loaded.tokenizer
        self._context = context
        self._ends = loaded.ends
        self.most = most or rows_at_once()
        """Rows side by side; memory that runs out halves it."""
        self._text = lru_cache(maxsize=65536)(self._decoded)

    def sample(self, requests: Iterable[Request]) -> Iterator[list[Completion]]:
        """Complete the requests, neighbours of the same manner together."""
        for (temperature, top_p, limit), like in groupby(
            requests, lambda r: (r.temperature, r.top_p, r.max_tokens)
        ):
            while window := list(islice(like, self.most * WINDOW)):
                texts = prompts(
                    self._loaded, self._context, [r.messages for r in window], room=limit
                )
                order = sorted(range(len(window)), key=lambda n: len(texts[n]))
                pairs = [(window[n], texts[n]) for n in order]
                for group in self._groups(pairs):
                    with self._wear() as worn:
                        reader = Reader(worn, self._loaded.pad)
                        round_ = _Round(self, reader, group, temperature, top_p, limit)
                        done = round_.completions()
                    yield done

    def _groups(
        self, pairs: Iterable[tuple[Request, Tokens]]
    ) -> Iterator[list[tuple[Request, Tokens]]]:
        group: list[tuple[Request, Tokens]] = []
        for pair in pairs:
            group.append(pair)
            draws = sum(request.draws for request, _ in group)
            if len(group) >= self.most or draws >= self.most * DRAWS_A_ROW:
                yield group
                group = []
        if group:
            yield group

    def _decoded(self, tokens: Tokens) -> str:
        return str(
            self._tokenizer.decode(
                tokens, skip_special_tokens=True, clean_up_tokenization_spaces=False
            )
        )


class _Round:
    """Some requests of one manner, completed together."""

    def __init__(
        self,
        sampler: Sampler,
        reader: Reader,
        group: Sequence[tuple[Request, Tokens]],
        temperature: float,
        top_p: float,
        limit: int,
    ) -> None:
        self._by, self._reader = sampler, reader
        self._temperature, self._top_p, self._limit = temperature, top_p, limit
        self._draws = [
            _Draw(request, request.first + draw, prompt)
            for request, prompt in group
            for draw in range(request.draws)
        ]
        firsts = np.cumsum([0, *(request.draws for request, _ in group)])
        self._prompts = [prompt for _, prompt in group]
        self._request_of = np.repeat(np.arange(len(group)), np.diff(firsts))
        seeds = [draw.request.seed + draw.number for draw in self._draws]
        self._uniform = uniforms(seeds, limit if temperature > 0 else 0)
        self._explains = any(request.top_logprobs is not None for request, _ in group)
        self._done: list[Completion] = []

    def completions(self) -> list[Completion]:
        """All of them, by depth first, so that little is kept in memory at a time."""
        whole = np.arange(len(self._draws))
        todo = [_Branch([()] * len(self._prompts), whole, self._request_of)]
        while todo:
            branch = todo.pop()
            if len(branch.said) > self._by.most:
                todo += _halves(branch)
                continue
            step = self._tried(branch)
            todo += self._smaller(branch) if step is None else self._continued(branch, step)
        return self._done

    def _tried(self, branch: _Branch) -> _Step | None:
        """All that takes memory; None if there was too little."""
        try:
            read = self._read(branch)
            tokens = self._chosen(branch, read, len(branch.said[0]))
            logs = library("torch").log_softmax(read.logits, dim=-1) if self._explains else None
        except Exception as error:
            if not ran_out(error):
                raise
            return None
        return _Step(read, tokens, logs)

    def _smaller(self, branch: _Branch) -> list[_Branch]:
        """What to do instead of what did not fit."""
        if len(branch.said) == 1:
            raise BackendError(
                "memory ran out over a single row: take a smaller model, or a shorter prompt"
            )
        self._by.most = max(1, len(branch.said) // 2)
        freed()
        return _halves(branch)

    def _read(self, branch: _Branch) -> Read:
        if branch.read is not None:
            last = [said[-1] for said in branch.said]
            return self._reader.go_on(branch.read, branch.parents, last)
        first = {int(row): int(draw) for draw, row in zip(branch.draws, branch.row, strict=True)}
        texts = [self._draws[first[row]].prompt + said for row, said in enumerate(branch.said)]
        return self._reader.begin(texts)

    def _continued(self, branch: _Branch, step: _Step) -> list[_Branch]:
        """Take the next token of each draw; draws that go on alike make a row."""
        if self._explains:
            self._explain(branch, step)
        rows: dict[tuple[int, int], int] = {}
        draws: list[int] = []
        row: list[int] = []
        for draw, parent, token in zip(
            branch.draws.tolist(), branch.row.tolist(), step.tokens, strict=True
        ):
            if self._ended(draw, branch.said[parent], token):
                continue
            draws.append(draw)
            row.append(rows.setdefault((parent, token), len(rows)))
        if not rows:
            return []
        said = [(*branch.said[parent], token) for parent, token in rows]
        parents = [parent for parent, _ in rows]
        return [_Branch(said, np.array(draws), np.array(row), step.read, parents)]

    def _chosen(self, branch: _Branch, read: Read, depth: int) -> list[int]:
        torch = library("torch")
        rows = torch.tensor(branch.row, device=read.logits.device)
        if self._temperature == 0:
            best: list[int] = read.logits.argmax(dim=-1)[rows].tolist()
            return best
        weights = weights_of(read.logits, temperature=self._temperature, top_p=self._top_p)
        uniform = torch.tensor(self._uniform[branch.draws, depth], device=read.logits.device)
        chosen: list[int] = choose(weights, rows, uniform).tolist()
        return chosen

    def _ended(self, draw: int, said: Tokens, token: int) -> bool:
        """Whether a draw ends with a token, having said what it said before."""
        if token in self._by._ends:
            return self._finish(draw, said, "stop")
        now = (*said, token)
        stops = self._draws[draw].request.stop
        if stops and any(stop in self._by._text(now) for stop in stops):
            return self._finish(draw, now, "stop")
        return len(now) == self._limit and self._finish(draw, now, "length")

    def _finish(self, index: int, said: Tokens, finish: str) -> bool:
        draw = self._draws[index]
        text = self._by._text(said)
        ends = [place for place in map(text.find, draw.request.stop) if place >= 0]
        explained = draw.request.top_logprobs is not None
        self._done.append(
            Completion(
                row=draw.request.row,
                draw=draw.number,
                text=text[: min(ends)] if ends else text,
                finish=finish,
                tokens=len(said),
                logprobs=tuple(draw.explained[: len(said)]) if explained else None,
            )
        )
        return True

    def _explain(self, branch: _Branch, step: _Step) -> None:
        """Note the probabilities of what was chosen, for the draws that ask."""
        logs = step.logs
        for draw, row, token in zip(branch.draws, branch.row, step.tokens, strict=True):
            wanted = self._draws[draw].request.top_logprobs
            if wanted is None:
                continue
            best = logs[row].topk(min(wanted, logs.shape[-1])) if wanted else None
            top = zip(best.indices.tolist(), best.values.tolist(), strict=True) if best else ()
            self._draws[draw].explained.append(
                Token(
                    text=self._by._text((token,)),
                    logprob=float(logs[row, token]),
                    top=tuple((self._by._text((other,)), log) for other, log in top),
                )
            )


def _halves(branch: _Branch) -> list[_Branch]:
    """The rows in two parts; what both go on from stays shared."""
    middle = len(branch.said) // 2
    parts = []
    for start, end in ((0, middle), (middle, len(branch.said))):
        mine = (branch.row >= start) & (branch.row < end)
        parts.append(
            _Branch(
                branch.said[start:end],
                branch.draws[mine],
                branch.row[mine] - start,
                branch.read,
                branch.parents[start:end],
            )
        )
    return parts
