"""Sampling from the toy: many draws side by side, each with a random stream of its own.

A draw depends on the weights, its conversation and its seed, never on the draws that are computed
with it: this makes a resumed run equal to an uninterrupted one.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..base import Completion, Request, Token
from .network import (
    TINY,
    Floats,
    Ints,
    Weights,
    hidden,
    number_probability,
    prompt_vectors,
    softmax,
)
from .scoring import log_probabilities, log_probabilities_along, most_probable
from .tokens import END, Vocabulary, features
from .training import SYSTEM_WEIGHT, bags

MAX_DRAWS = 2048
CELLS = 40
"""A token is drawn in two steps, a run of this many neighbours and then one of them: summing up
all tokens for every draw would cost more than scoring them. The 1,000 numbers are whole runs."""

Seeds = NDArray[np.uint64]
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


def sample(
    weights: Weights, vocabulary: Vocabulary, requests: Iterable[Request]
) -> Iterator[list[Completion]]:
    """Complete the requests in order, some 2,048 draws at a time."""
    for settings, alike in groupby(requests, _settings_of):
        for group in _groups(alike):
            yield _complete(weights, vocabulary, group, settings)


class SamplingSettings(NamedTuple):
    """The settings that requests must share to be completed side by side."""

    temperature: float
    top_p: float
    limit: int


def _settings_of(request: Request) -> SamplingSettings:
    return SamplingSettings(request.temperature, request.top_p, request.max_tokens)


def _token_log_probabilities(
    weights: Weights,
    vocabulary: Vocabulary,
    prompt: Floats,
    begin: Sequence[int],
    tokens: Sequence[int],
    top: int,
) -> tuple[Token, ...]:
    """The tokens of an answer, with their log-probabilities and the ``top`` alternatives'."""
    if not tokens:
        return ()
    logs = log_probabilities_along(weights, prompt, [*begin, *tokens])[len(begin) :]
    best = np.argsort(-logs, axis=1, kind="stable")[:, :top]
    return tuple(
        Token(
            text=vocabulary.decode([token]),
            logprob=float(logs[place, token]),
            top=tuple((vocabulary.decode([b]), float(logs[place, b])) for b in best[place]),
        )
        for place, token in enumerate(tokens)
    )


def _groups(requests: Iterable[Request]) -> Iterator[list[Request]]:
    """Consecutive requests with about :data:`MAX_DRAWS` draws together."""
    group: list[Request] = []
    draws = 0
    for request in requests:
        group.append(request)
        draws += request.draws
        if draws >= MAX_DRAWS:
            yield group
            group, draws = [], 0
    if group:
        yield group


def _complete(
    weights: Weights,
    vocabulary: Vocabulary,
    requests: Sequence[Request],
    settings: SamplingSettings,
) -> list[Completion]:
    system, dialogue = zip(*(features(request.messages) for request in requests), strict=True)
    prompts = prompt_vectors(weights, bags(system, SYSTEM_WEIGHT), bags(dialogue))
    draws = [(index, r.first + draw) for index, r in enumerate(requests) for draw in range(r.draws)]
    prompt = np.array([index for index, _ in draws])
    seeds = np.array([(requests[index].seed + draw) % 2**64 for index, draw in draws], np.uint64)
    begins = [vocabulary.encode(request.begin) for request in requests]
    streams = _mix(_mix(seeds + _GOLDEN))
    answers = _answers(weights, prompts, prompt, begins, streams, settings)
    return [
        _completion(
            weights, vocabulary, requests[index], draw, prompts[[index]], begins[index], tokens
        )
        for (index, draw), tokens in zip(draws, answers, strict=True)
    ]


def _completion(
    weights: Weights,
    vocabulary: Vocabulary,
    request: Request,
    draw: int,
    prompt: Floats,
    begin: Sequence[int],
    tokens: list[int],
) -> Completion:
    finish = "length" if len(tokens) == request.max_tokens else "stop"
    if request.stop:
        tokens, stopped = _cut_at_stop(vocabulary, tokens, request.stop)
        finish = "stop" if stopped else finish
    top = request.top_logprobs
    text = vocabulary.decode(tokens)
    ends = [place for place in map(text.find, request.stop) if place >= 0]
    return Completion(
        row=request.row,
        draw=draw,
        text=text[: min(ends)] if ends else text,
        finish=finish,
        tokens=len(tokens),
        logprobs=None
        if top is None
        else _token_log_probabilities(weights, vocabulary, prompt, begin, tokens, top),
    )


def _cut_at_stop(
    vocabulary: Vocabulary, tokens: list[int], stop: tuple[str, ...]
) -> tuple[list[int], bool]:
    """The tokens up to the one that completes a stop text, and whether there is one."""
    if any(text in vocabulary.decode(tokens) for text in stop):
        for count in range(1, len(tokens) + 1):
            if any(text in vocabulary.decode(tokens[:count]) for text in stop):
                return tokens[:count], True
    return tokens, False


def _answers(
    weights: Weights,
    prompts: Floats,
    prompt: Ints,
    begins: Sequence[Sequence[int]],
    streams: Seeds,
    settings: SamplingSettings,
) -> list[list[int]]:
    """The tokens of each draw, without the end token; ``begins`` are given, one a prompt."""
    drawn: list[tuple[Ints, Ints]] = []
    live = np.arange(len(prompt))
    before = [(END, END, *begin) for begin in begins]
    last = np.array([tokens[-1] for tokens in before])[prompt]
    previous = np.array([tokens[-2] for tokens in before])[prompt]
    given = np.array([len(begin) for begin in begins])
    for position in range(settings.limit):
        tokens = _next(
            weights, prompts, prompt[live], last, previous, given + position,
            _uniform(streams[live], position), settings,
        )  # fmt: skip
        going = tokens != END
        live, previous, last = live[going], last[going], tokens[going]
        if not len(live):
            break
        drawn.append((live, last))
    return _by_draw(len(prompt), drawn)


def _by_draw(count: int, drawn: Sequence[tuple[Ints, Ints]]) -> list[list[int]]:
    """The tokens of each draw in order, from the draws and their tokens of each position."""
    if not drawn:
        return [[] for _ in range(count)]
    draws, tokens = map(np.concatenate, zip(*drawn, strict=True))
    ends = np.cumsum(np.bincount(draws, minlength=count)).tolist()
    flat = tokens[np.argsort(draws, kind="stable")].tolist()
    return [flat[begin:end] for begin, end in pairwise([0, *ends])]


def _next(
    weights: Weights,
    prompts: Floats,
    prompt: Ints,
    last: Ints,
    previous: Ints,
    position: Ints,
    uniform: NDArray[np.float64],
    settings: SamplingSettings,
) -> Ints:
    """The next token of each draw; draws in the same state share its scores.

    ``position`` is that of the token, one a prompt.
    """
    size = len(weights.bias)
    state, which = np.unique((prompt * size + previous) * size + last, return_inverse=True)
    layer = hidden(
        weights, prompts[state // size**2], state % size, state // size % size,
        position[state // size**2],
    )  # fmt: skip
    if settings.temperature != 1.0 or settings.top_p < 1.0:
        return _next_reshaped(weights, layer, which, uniform, settings)
    chance = number_probability(weights, layer)[which].astype(np.float64)
    numeric = uniform < chance
    share = np.maximum(np.where(numeric, chance, 1 - chance), float(TINY))
    rest = (uniform - np.where(numeric, 0, chance)) / share
    tokens = np.empty(len(which), np.int64)
    for group, members in zip(weights.groups, (~numeric, numeric), strict=True):
        if members.any():
            states, among = np.unique(which[members], return_inverse=True)
            scores, _ = softmax(weights, layer[states], group)
            tokens[members] = group.start + _draw_column(scores, among, rest[members])
    return tokens


def _next_reshaped(
    weights: Weights,
    layer: Floats,
    which: Ints,
    uniform: NDArray[np.float64],
    settings: SamplingSettings,
) -> Ints:
    """The next token under a temperature other than 1, or under top-p."""
    if settings.temperature == 0:
        return most_probable(weights, layer)[which]
    logs = log_probabilities(weights, layer)
    scores = np.exp((logs - logs.max(axis=1, keepdims=True)) / settings.temperature)
    if settings.top_p < 1:
        scores = _nucleus(scores, settings.top_p)
    return _draw_column(scores.astype(np.float32), which, uniform)


def _nucleus(scores: Floats, top_p: float) -> Floats:
    """The scores where only the most probable tokens that together reach ``top_p``.

    Nucleus sampling (Holtzman et al. 2020, section 3.1); at least one token is left.
    """
    order = np.argsort(-scores, axis=1, kind="stable")
    sorted_scores = np.take_along_axis(scores, order, axis=1)
    before = np.cumsum(sorted_scores, axis=1) - sorted_scores
    left = np.where(before < top_p * scores.sum(axis=1, keepdims=True), sorted_scores, 0)
    kept = np.zeros_like(scores)
    np.put_along_axis(kept, order, left, axis=1)
    return kept


def _draw_column(scores: Floats, which: Ints, uniform: NDArray[np.float64]) -> Ints:
    """Draw a column from row ``which`` of the unnormalised ``scores`` by a uniform number each."""
    rows, size = scores.shape
    if spare := -size % CELLS:
        scores = np.pad(scores, ((0, 0), (0, spare)))
    cells = scores.reshape(rows, -1, CELLS)
    # einsum is faster than sum over so few columns
    ends = np.einsum("ijk->ij", cells).astype(np.float64).cumsum(axis=1)[which]
    target = uniform * ends[:, -1]
    cell_index = np.minimum((ends <= target[:, None]).sum(axis=1), ends.shape[1] - 1)
    rest = target - np.where(cell_index > 0, ends[np.arange(len(cell_index)), cell_index - 1], 0)
    within = cells[which, cell_index].astype(np.float64).cumsum(axis=1)
    cell = np.minimum((within <= rest[:, None]).sum(axis=1), CELLS - 1)
    return np.asarray(np.minimum(cell_index * CELLS + cell, size - 1), np.int64)


def _uniform(streams: Seeds, position: int) -> NDArray[np.float64]:
    """Uniform numbers in [0, 1): the ``position``-th of each stream (SplitMix64, Steele 2014)."""
    offset = np.array([position + 1], np.uint64) * _GOLDEN
    bits = _mix(streams + offset) >> np.uint64(11)
    return bits.astype(np.float64) * 2.0**-53


def _mix(values: Seeds) -> Seeds:
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))
