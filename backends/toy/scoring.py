"""The toy's exact log-probabilities, of next tokens and of whole continuations."""

from collections.abc import Iterator, Sequence

import numpy as np

from ..continuations import ContinuationRequest, LogProbability
from ..samples import Token
from .network import (
    TINY,
    Floats,
    Weights,
    hidden,
    number_probability,
    prompt_vectors,
    softmax,
)
from .tokens import END, Vocabulary, features
from .training import SYSTEM_WEIGHT, bags

MIN_ROWS = 96
"""A matrix product of fewer rows may round differently from the same rows in a larger product
(BLAS takes another path), so smaller ones are padded."""


def continuation_log_probabilities(
    weights: Weights, vocabulary: Vocabulary, request: ContinuationRequest
) -> list[LogProbability]:
    """The log-probability of each continuation of a request."""
    system, dialogue = features(request.messages)
    prompt = prompt_vectors(weights, bags([system], SYSTEM_WEIGHT), bags([dialogue]))
    scored = list(_scored_tokens(vocabulary, request))
    logs = _log_probabilities_of(weights, prompt, [tokens for tokens, _ in scored])
    return [
        LogProbability(
            nats=float(each[given:].sum()),
            tokens=len(tokens) - given,
            each=_each(vocabulary, tokens[given:], each[given:]) if request.each_token else (),
        )
        for each, (tokens, given) in zip(logs, scored, strict=True)
    ]


def _each(vocabulary: Vocabulary, tokens: Sequence[int], logs: Floats) -> tuple[Token, ...]:
    """The tokens but for the end; a character that is spelled in parts is whole at its last."""
    pairs = zip(tokens, logs.tolist(), strict=True)
    known = [(n, log) for n, (token, log) in enumerate(pairs, start=1) if token != END]
    texts = ["", *(vocabulary.decode(tokens[:n]).rstrip("\ufffd") for n, _ in known)]
    return tuple(
        Token(text=after[len(before) :], logprob=log)
        for before, after, (_, log) in zip(texts, texts[1:], known, strict=False)
    )


def _scored_tokens(
    vocabulary: Vocabulary, request: ContinuationRequest
) -> Iterator[tuple[list[int], int]]:
    """The answer's tokens with each continuation, and how many of them are given."""
    begin = vocabulary.encode(request.begin)
    for continuation in request.continuations:
        tokens = vocabulary.encode(request.begin + continuation)
        given = next(
            (n for n, (a, b) in enumerate(zip(begin, tokens, strict=False)) if a != b),
            min(len(begin), len(tokens)),
        )
        yield [*tokens, *([END] if request.whole else [])], given


def _log_probabilities_of(
    weights: Weights, prompt: Floats, answers: Sequence[Sequence[int]]
) -> list[Floats]:
    """For each answer: the log-probability of each of its tokens."""
    rows = [row for tokens in answers for row in _contexts(tokens)]
    last, previous, position, target = np.array(rows, np.int64).reshape(-1, 4).T
    layer = hidden(weights, prompt[[0] * len(rows)], last, previous, position)
    logs = log_probabilities(weights, layer)[np.arange(len(rows)), target]
    return np.split(logs, np.cumsum([len(tokens) for tokens in answers])[:-1])


def _contexts(tokens: Sequence[int]) -> Iterator[tuple[int, int, int, int]]:
    """For each token of an answer: the one before, the one before that, its place, itself."""
    before = (END, END, *tokens)
    for place, token in enumerate(tokens):
        yield before[place + 1], before[place], place, token


def log_probabilities_along(weights: Weights, prompt: Floats, tokens: Sequence[int]) -> Floats:
    """(T, V) log-probabilities of each next token along the answer ``tokens``."""
    last, previous, position, _ = np.array(list(_contexts(tokens)), np.int64).T
    layer = hidden(weights, prompt[[0] * len(tokens)], last, previous, position)
    return log_probabilities(weights, layer)


def log_probabilities(weights: Weights, layer: Floats) -> Floats:
    """(T, V) logarithms of the probability of each next token."""
    chance = number_probability(weights, layer).astype(np.float64)[:, None]
    parts: list[Floats] = []
    for group, share in zip(weights.groups, (1 - chance, chance), strict=True):
        scores, total = padded_softmax(weights, layer, group)
        logs = np.log(scores + TINY) - np.log(total)
        parts.append(logs.astype(np.float64) + np.log(share + TINY))
    return np.concatenate(parts, axis=1)


def padded_softmax(weights: Weights, layer: Floats, group: slice) -> tuple[Floats, Floats]:
    """Softmax numerators and sums, rounded alike however many rows are computed together."""
    rows = len(layer)
    if rows < MIN_ROWS:
        layer = np.concatenate([layer, np.repeat(layer[:1], MIN_ROWS - rows, axis=0)])
    scores, total = softmax(weights, layer, group)
    return scores[:rows], total[:rows]
