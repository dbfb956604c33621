"""Log-probabilities of given continuations: prompts are computed once, options side by side.

Each prompt is computed once for all its continuations. The first token of a continuation needs no
pass of its own; only longer continuations are run through the model, without their last token.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from ...datasets.errors import BackendError, SpecError
from ..continuations import ContinuationRequest, LogProbability
from ..samples import Token
from .context import Context
from .forward_pass import CachedForward, ForwardState, Tokens, shared_length
from .loading import AdapterContext, LoadedModel, check_length
from .memory import free_memory, is_out_of_memory
from .prompt_tokens import AnswerTokens

WINDOW = 1024
"""Requests that are sorted by length together."""
PIECE = 512
"""Tokens of a continuation that are scored in one pass."""
LOGITS = 2**26
"""Logits that one pass may leave; they take four bytes each."""


@dataclass(frozen=True)
class TokenizedRequest:
    """A request as tokens."""

    prompt: Tokens
    continuations: tuple[Tokens, ...]
    """The answer with each continuation: its given beginning, then the continuation."""
    given: tuple[int, ...]
    """How many tokens of each answer are given."""
    each_token: bool = False


class ContinuationCalculator:
    """Computes log-probabilities with one loaded model.

    ``max_rows`` is how many rows are computed side by side; it is halved whenever memory runs out.
    """

    def __init__(
        self, loaded: LoadedModel, activate: AdapterContext, context: Context, *, max_rows: int
    ) -> None:
        self._loaded, self._activate, self._context = loaded, activate, context
        self._max_rows = max_rows

    def compute(self, requests: Iterable[ContinuationRequest]) -> Iterator[list[LogProbability]]:
        """The log-probabilities of each request's continuations, in the order of requests."""
        remaining = iter(requests)
        while window := list(islice(remaining, WINDOW)):
            tokenized = tokenize(self._loaded, self._context, window)
            order = sorted(range(len(window)), key=lambda n: len(tokenized[n].prompt))
            scored: dict[int, list[LogProbability]] = {}
            while order:
                batch = order[: self._max_rows]
                computed = self._batch_or_none([tokenized[n] for n in batch])
                if computed is None:
                    self._max_rows = max(1, min(self._max_rows, len(batch)) // 2)
                    free_memory()
                    continue
                order = order[len(batch) :]
                scored.update(zip(batch, computed, strict=True))
            yield from (scored[n] for n in range(len(window)))

    def _batch_or_none(
        self, requests: Sequence[TokenizedRequest]
    ) -> list[list[LogProbability]] | None:
        """The log-probabilities for some requests together; None if memory ran out."""
        try:
            with self._activate() as model:
                return self._batch(self._loaded.forward(model), requests)
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            if self._max_rows == 1:
                raise BackendError(
                    "memory ran out over a single text: use a smaller model or a shorter text"
                ) from None
            return None

    def _batch(
        self, forward: CachedForward, requests: Sequence[TokenizedRequest]
    ) -> list[list[LogProbability]]:
        state = forward.start([request.prompt for request in requests])
        rows = [
            (parent, tokens)
            for parent, request in enumerate(requests)
            for tokens in dict.fromkeys(request.continuations)
        ]
        logs = dict(zip(rows, self._scored(forward, state, rows), strict=True))
        return [
            [
                self._summed(tokens, logs[parent, tokens], given, request.each_token)
                for tokens, given in zip(request.continuations, request.given, strict=True)
            ]
            for parent, request in enumerate(requests)
        ]

    def _summed(
        self, tokens: Tokens, logs: Sequence[float], given: int, each_token: bool
    ) -> LogProbability:
        each = self._each(tokens, logs)[given:] if each_token else ()
        return LogProbability(nats=math.fsum(logs[given:]), tokens=len(logs) - given, each=each)

    def _each(self, tokens: Tokens, logs: Sequence[float]) -> tuple[Token, ...]:
        """The tokens as texts: a character of several tokens is whole at its last one."""
        lengths = range(len(tokens) + 1)
        texts = [self._text(tokens[:n]).rstrip("\ufffd") for n in lengths]
        return tuple(
            Token(text=after[len(before) :], logprob=log)
            for before, after, log in zip(texts, texts[1:], logs, strict=False)
        )

    def _text(self, tokens: Tokens) -> str:
        return str(
            self._loaded.tokenizer.decode(
                tokens, skip_special_tokens=False, clean_up_tokenization_spaces=False
            )
        )

    def _scored(
        self, forward: CachedForward, state: ForwardState, rows: Sequence[tuple[int, Tokens]]
    ) -> list[list[float]]:
        """The log-probability of each token of each row, rows of like lengths together."""
        order = sorted(range(len(rows)), key=lambda n: len(rows[n][1]))
        scored: dict[int, list[float]] = {}
        while order:
            batch = order[: self._fitting([len(rows[n][1]) for n in order], state)]
            order = order[len(batch) :]
            chosen = [rows[n] for n in batch]
            scored.update(zip(batch, _pieces_scored(forward, state, chosen), strict=True))
        return [scored[n] for n in range(len(rows))]

    def _fitting(self, lengths: Sequence[int], state: ForwardState) -> int:
        """How many of the shortest rows fit into one pass."""
        vocabulary = state.logits.shape[-1]
        fitting = 1
        while (
            fitting < min(self._max_rows, len(lengths))
            and (fitting + 1) * (min(lengths[fitting], PIECE) - 1) * vocabulary <= LOGITS
        ):
            fitting += 1
        return fitting


def _pieces_scored(
    forward: CachedForward, state: ForwardState, rows: Sequence[tuple[int, Tokens]]
) -> list[list[float]]:
    """The log-probabilities of rows that fit into one pass; of one long row piece by piece."""
    parents = [parent for parent, _ in rows]
    tokens = [row for _, row in rows]
    if max(map(len, tokens)) <= PIECE:
        logs = forward.log_probabilities(state, parents, tokens).double().tolist()
        return [each[-len(row) :] for each, row in zip(logs, tokens, strict=True)]
    return [_long_row_scored(forward, state, parent, row) for parent, row in rows]


def _long_row_scored(
    forward: CachedForward, state: ForwardState, parent: int, row: Tokens
) -> list[float]:
    scored: list[float] = []
    for start in range(0, len(row), PIECE):
        piece = row[start : start + PIECE]
        scored += forward.log_probabilities(state, [parent], [piece]).double().tolist()[0]
        if start + PIECE < len(row):
            state, parent = forward.extend_rows(state, [parent], [piece]), 0
    return scored


def tokenize(
    loaded: LoadedModel, context: Context, requests: Sequence[ContinuationRequest]
) -> list[TokenizedRequest]:
    """The requests as tokens; raises :class:`~limen.TooLongError` and what templates raise."""
    tokenizer = loaded.tokenizer
    context.check_complete(tokenizer, [each.messages for each in requests if each.chat])
    tokenized = []
    for request in requests:
        answers = AnswerTokens(tokenizer, context, request.messages, chat=request.chat)
        each = [_continuation(loaded, answers, request, text) for text in request.continuations]
        check_length(loaded.model, len(answers.prompt) + max(len(tokens) for tokens, _ in each))
        tokenized.append(
            TokenizedRequest(
                answers.prompt,
                tuple(tokens for tokens, _ in each),
                tuple(n for _, n in each),
                request.each_token,
            )
        )
    return tokenized


def _continuation(
    loaded: LoadedModel, answers: AnswerTokens, request: ContinuationRequest, text: str
) -> tuple[Tokens, int]:
    """The tokens of an answer with a continuation, and how many of them are given."""
    begin, tokens = answers.of(request.begin), answers.of(request.begin + text)
    given = shared_length([begin, tokens])
    if request.whole:
        tokens = (*tokens, loaded.turn_end)
    if len(tokens) == given:
        raise SpecError(f"the continuation {text!r} has no tokens: give it a text, or whole=True")
    return tokens, given
