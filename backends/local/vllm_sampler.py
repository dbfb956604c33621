"""Sampling with vLLM, if it is chosen: limen's prompts, seeds and ends, vLLM's arithmetic.

Each draw has a seed of its own, so draws are independent; they are other draws than limen's own
sampler gives, and may change with what is sampled beside them: vLLM's sums depend on the batch.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from ...datasets.errors import BackendError
from ..base import Completion, Request, Token
from .answer_texts import AnswerTexts
from .forward_pass import Tokens
from .libraries import Untyped
from .prompt_tokens import request_tokens
from .resolved_model import ResolvedModel
from .vllm_engine import VllmEngine, check_vllm

WINDOW = 4096
"""Draws that are handed over together; vLLM chooses those that it computes side by side."""


class _Draw(NamedTuple):
    request: Request
    number: int
    prompt: Tokens


class VllmSampling:
    """Samples with vLLM; one base model is in its memory at a time."""

    def __init__(self, precision: str | None) -> None:
        check_vllm()
        self._precision = precision
        self._engine: VllmEngine | None = None

    def sample(
        self, asked: ResolvedModel, requests: Iterable[Request]
    ) -> Iterator[list[Completion]]:
        """The completions of some requests, many draws at a time."""
        engine = self._started(asked)
        tokenizer = engine.loaded.tokenizer
        texts = AnswerTexts(tokenizer, context := asked.context(tokenizer))
        for window in _windows(map(texts.with_stops, requests)):
            longest = max(request.max_tokens for request in window)
            tokens = request_tokens(engine.loaded, context, window, max_tokens=longest)
            draws = [
                _Draw(request, number, prompt)
                for request, prompt in zip(window, tokens, strict=True)
                for number in range(request.first, request.first + request.draws)
            ]
            settings = [_settings(draw, engine.loaded.ends) for draw in draws]
            try:
                answers = engine.generate([draw.prompt for draw in draws], settings, asked.adapter)
            except BackendError:
                self.stop()
                raise
            yield [
                _completion(draw, answer, texts, engine.loaded.ends)
                for draw, answer in zip(draws, answers, strict=True)
            ]

    def stop(self) -> None:
        """Free the memory."""
        if self._engine is not None:
            self._engine.stop()
        self._engine = None

    def _started(self, asked: ResolvedModel) -> VllmEngine:
        if self._engine is None or not self._engine.serves(asked):
            self.stop()
            self._engine = VllmEngine(asked, self._precision)
        return self._engine


def _windows(requests: Iterable[Request]) -> Iterator[list[Request]]:
    window: list[Request] = []
    draws = 0
    for request in requests:
        window.append(request)
        draws += request.draws
        if draws >= WINDOW:
            yield window
            window, draws = [], 0
    if window:
        yield window


def _settings(draw: _Draw, ends: Iterable[int]) -> Mapping[str, Untyped]:
    request = draw.request
    return {
        "temperature": request.temperature,
        "top_p": request.top_p,
        "max_tokens": request.max_tokens,
        "seed": (request.seed + draw.number) % 2**63,
        "stop_token_ids": sorted(ends),
        "logprobs": request.top_logprobs,
        "detokenize": False,
    }


def _completion(
    draw: _Draw, answer: Untyped, texts: AnswerTexts, ends: frozenset[int]
) -> Completion:
    request, tokens = draw.request, tuple(answer.token_ids)
    ended = tokens[-1:] and tokens[-1] in ends
    if ended:
        tokens = tokens[:-1]
    if texts.is_stopped(request, tokens):
        ended, tokens = True, _until_stop(request, tokens, texts)
    wants_logs = request.top_logprobs is not None
    return Completion(
        row=request.row,
        draw=draw.number,
        text=texts.answer(request, tokens),
        finish="stop" if ended else "length",
        tokens=len(tokens),
        logprobs=_log_probabilities(answer, tokens, request, texts) if wants_logs else None,
    )


def _until_stop(request: Request, tokens: Tokens, texts: AnswerTexts) -> Tokens:
    """The fewest tokens of an answer that contain a text which ends it."""
    longer = (tokens[:count] for count in range(1, len(tokens) + 1))
    return next(part for part in longer if texts.is_stopped(request, part))


def _log_probabilities(
    answer: Untyped, tokens: Tokens, request: Request, texts: AnswerTexts
) -> tuple[Token, ...]:
    places: Sequence[Mapping[int, Untyped]] = answer.logprobs
    return tuple(
        _token(token, place, request.top_logprobs or 0, texts)
        for token, place in zip(tokens, places, strict=False)
    )


def _token(token: int, place: Mapping[int, Untyped], count: int, texts: AnswerTexts) -> Token:
    """A token with its log-probability and the ``count`` most probable ones."""
    ordered = sorted(place.items(), key=lambda pair: pair[1].rank)[:count]
    return Token(
        text=texts.of((token,)),
        logprob=float(place[token].logprob),
        top=tuple((texts.of((other,)), float(found.logprob)) for other, found in ordered),
    )
