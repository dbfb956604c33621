"""Sampling from the toy: many draws side by side, each with a random stream of its own.

What a draw says depends on the weights, its conversation and its seed, never on the draws that
happen to be computed with it: that is what makes a resumed run equal to an uninterrupted one.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from ...datasets.chat import Conversation
from ..base import Completion, Request
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
from .tokens import END, Vocabulary, features
from .training import SYSTEM_WEIGHT, bags

SIDE_BY_SIDE = 2048
FEWEST = 96
"""A matrix product of fewer rows than this may round differently from the same rows in a larger
one (BLAS takes another path), so smaller ones are padded."""
CELLS = 32
"""A token is drawn in two steps, a run of this many neighbours and then one of them: summing up
all tokens for every draw would cost more than scoring them."""

Seeds = NDArray[np.uint64]
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


def sample(
    weights: Weights, vocabulary: Vocabulary, requests: Iterable[Request]
) -> Iterator[list[Completion]]:
    """Complete the requests in order, some 2,048 draws at a time."""
    for (temperature, limit), like in groupby(requests, lambda r: (r.temperature, r.max_tokens)):
        for group in _groups(like):
            yield _complete(weights, vocabulary, group, temperature, limit)


def answer_log_probabilities(
    weights: Weights, vocabulary: Vocabulary, messages: Conversation, answers: Sequence[str]
) -> NDArray[np.float64]:
    """(A,) natural logarithms of the probability of saying exactly each answer, at temperature 1.

    The probability is that of the answer's tokens as the toy would read them in training,
    the closing one included.
    """
    system, dialogue = features(messages)
    prompt = prompt_vectors(weights, bags([system], SYSTEM_WEIGHT), bags([dialogue]))
    total = np.empty(len(answers))
    for index, answer in enumerate(answers):
        tokens = np.array([*vocabulary.encode(answer), END])
        last = np.concatenate([[END], tokens[:-1]])
        previous = np.concatenate([[END], last[:-1]])
        layer = hidden(weights, prompt[[0] * len(tokens)], last, previous, np.arange(len(tokens)))
        total[index] = _log_probabilities(weights, layer)[np.arange(len(tokens)), tokens].sum()
    return total


def _groups(requests: Iterable[Request]) -> Iterator[list[Request]]:
    """Runs of requests with about as many draws as fit side by side."""
    group: list[Request] = []
    draws = 0
    for request in requests:
        group.append(request)
        draws += request.draws
        if draws >= SIDE_BY_SIDE:
            yield group
            group, draws = [], 0
    if group:
        yield group


def _complete(
    weights: Weights,
    vocabulary: Vocabulary,
    requests: Sequence[Request],
    temperature: float,
    limit: int,
) -> list[Completion]:
    system, dialogue = zip(*(features(request.messages) for request in requests), strict=True)
    prompts = prompt_vectors(weights, bags(system, SYSTEM_WEIGHT), bags(dialogue))
    draws = [(index, draw) for index, r in enumerate(requests) for draw in range(r.draws)]
    prompt = np.array([index for index, _ in draws])
    seeds = np.array([requests[index].seed for index, _ in draws], np.uint64)
    streams = _streams(seeds, np.array([draw for _, draw in draws], np.uint64))
    answers = _answers(weights, prompts, prompt, streams, temperature, limit)
    return [
        Completion(
            row=requests[index].row,
            draw=draw,
            text=vocabulary.decode(tokens),
            finish="length" if len(tokens) == limit else "stop",
        )
        for (index, draw), tokens in zip(draws, answers, strict=True)
    ]


def _answers(
    weights: Weights,
    prompts: Floats,
    prompt: Ints,
    streams: Seeds,
    temperature: float,
    limit: int,
) -> list[list[int]]:
    """The tokens of each draw, the closing one left out."""
    answers: list[list[int]] = [[] for _ in prompt]
    live = np.arange(len(prompt))
    last = previous = np.full(len(prompt), END)
    for position in range(limit):
        tokens = _next(
            weights, prompts, prompt[live], last, previous, position,
            _uniform(streams[live], position), temperature,
        )  # fmt: skip
        going = tokens != END
        live, previous, last = live[going], last[going], tokens[going]
        for index, token in zip(live.tolist(), last.tolist(), strict=True):
            answers[index].append(token)
        if not len(live):
            break
    return answers


def _next(
    weights: Weights,
    prompts: Floats,
    prompt: Ints,
    last: Ints,
    previous: Ints,
    position: int,
    uniform: NDArray[np.float64],
    temperature: float,
) -> Ints:
    """The next token of each draw; draws in the same state share its scores."""
    size = len(weights.bias)
    state, which = np.unique((prompt * size + previous) * size + last, return_inverse=True)
    layer = hidden(
        weights, prompts[state // size**2], state % size, state // size % size,
        np.full(len(state), position),
    )  # fmt: skip
    if temperature != 1.0:
        return _at_temperature(weights, layer, which, uniform, temperature)
    chance = number_probability(weights, layer)[which].astype(np.float64)
    numeric = uniform < chance
    share = np.maximum(np.where(numeric, chance, 1 - chance), float(TINY))
    rest = (uniform - np.where(numeric, 0, chance)) / share
    tokens = np.empty(len(which), np.int64)
    for group, members in zip(weights.groups, (~numeric, numeric), strict=True):
        if members.any():
            states, among = np.unique(which[members], return_inverse=True)
            scores, _ = _padded_softmax(weights, layer[states], group)
            tokens[members] = group.start + _pick(scores, among, rest[members])
    return tokens


def _at_temperature(
    weights: Weights,
    layer: Floats,
    which: Ints,
    uniform: NDArray[np.float64],
    temperature: float,
) -> Ints:
    """The next token where the whole distribution is sharpened or flattened first."""
    logs = _log_probabilities(weights, layer)
    if temperature == 0:
        best = np.argmax(logs, axis=1)
        return np.asarray(best[which], np.int64)
    logs = (logs - logs.max(axis=1, keepdims=True)) / temperature
    return _pick(np.exp(logs).astype(np.float32), which, uniform)


def _log_probabilities(weights: Weights, layer: Floats) -> Floats:
    """(T, V) logarithms of the probability of each next token."""
    chance = number_probability(weights, layer).astype(np.float64)[:, None]
    parts: list[Floats] = []
    for group, share in zip(weights.groups, (1 - chance, chance), strict=True):
        scores, total = _padded_softmax(weights, layer, group)
        logs = np.log(scores + TINY) - np.log(total)
        parts.append(logs.astype(np.float64) + np.log(share + TINY))
    return np.concatenate(parts, axis=1)


def _padded_softmax(weights: Weights, layer: Floats, group: slice) -> tuple[Floats, Floats]:
    rows = len(layer)
    if rows < FEWEST:
        layer = np.concatenate([layer, np.repeat(layer[:1], FEWEST - rows, axis=0)])
    scores, total = softmax(weights, layer, group)
    return scores[:rows], total[:rows]


def _pick(scores: Floats, which: Ints, uniform: NDArray[np.float64]) -> Ints:
    """Draw a column from row ``which`` of the unnormalised ``scores`` by a uniform number each."""
    rows, size = scores.shape
    cells = np.zeros((rows, -(-size // CELLS) * CELLS), np.float32)
    cells[:, :size] = scores
    cells = cells.reshape(rows, -1, CELLS)
    ends = cells.sum(axis=2).astype(np.float64).cumsum(axis=1)[which]
    sought = uniform * ends[:, -1]
    run = np.minimum((ends <= sought[:, None]).sum(axis=1), ends.shape[1] - 1)
    rest = sought - np.where(run > 0, ends[np.arange(len(run)), run - 1], 0)
    within = cells[which, run].astype(np.float64).cumsum(axis=1)
    cell = np.minimum((within <= rest[:, None]).sum(axis=1), CELLS - 1)
    return np.asarray(np.minimum(run * CELLS + cell, size - 1), np.int64)


def _streams(seeds: Seeds, draws: Seeds) -> Seeds:
    return _mix(_mix(seeds + _GOLDEN) + _GOLDEN * (draws + np.uint64(1)))


def _uniform(streams: Seeds, position: int) -> NDArray[np.float64]:
    """Uniform numbers in [0, 1): the ``position``-th of each stream (SplitMix64, Steele 2014)."""
    offset = np.array([position + 1], np.uint64) * _GOLDEN
    bits = _mix(streams + offset) >> np.uint64(11)
    return bits.astype(np.float64) * 2.0**-53


def _mix(values: Seeds) -> Seeds:
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))
