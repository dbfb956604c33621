"""The toy's exact log-probabilities, of next tokens and of whole continuations."""

from collections.abc import Iterator, Sequence

import numpy as np

from ..continuations import ContinuationRequest, LogProbability
from ..samples import Token
from .network import (
    BLOCK,
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


def continuation_log_probabilities(
    weights: Weights, vocabulary: Vocabulary, requests: Sequence[ContinuationRequest]
) -> list[list[LogProbability]]:
    """The log-probability of each continuation of each request, all computed together."""
    scored = [list(_scored_tokens(vocabulary, request)) for request in requests]
    system, dialogue = zip(*(features(request.messages) for request in requests), strict=True)
    prompts = prompt_vectors(weights, bags(system, SYSTEM_WEIGHT), bags(dialogue))
    prompt = np.repeat(np.arange(len(requests)), np.array([len(each) for each in scored]))
    answers = [tokens for each in scored for tokens, _ in each]
    logs = iter(_log_probabilities_of(weights, prompts[prompt], answers))
    return [
        [
            _scored(vocabulary, tokens[given:], next(logs)[given:], request.each_token)
            for tokens, given in each
        ]
        for request, each in zip(requests, scored, strict=True)
    ]


def _scored(
    vocabulary: Vocabulary, tokens: Sequence[int], logs: Floats, each_token: bool
) -> LogProbability:
    return LogProbability(
        nats=float(logs.sum()),
        tokens=len(tokens),
        each=_each(vocabulary, tokens, logs) if each_token else (),
    )


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
    weights: Weights, prompts: Floats, answers: Sequence[Sequence[int]]
) -> list[Floats]:
    """For each answer to the prompt in its row: the log-probability of each of its tokens."""
    lengths = np.array([len(tokens) for tokens in answers], np.int64)
    rows = [row for tokens in answers for row in _contexts(tokens)]
    last, previous, position, target = np.array(rows, np.int64).reshape(-1, 4).T
    answer = np.repeat(np.arange(len(answers)), lengths)
    layer = hidden(weights, prompts[answer], last, previous, position)
    return np.split(log_probabilities_of(weights, layer, target), np.cumsum(lengths)[:-1])


def log_probabilities_of(weights: Weights, layer: Floats, target: Ints) -> Floats:
    """(T,) what :func:`log_probabilities` has in the columns ``target``, and no other column."""
    chance = number_probability(weights, layer).astype(np.float64)
    is_number = target >= weights.groups[1].start
    logs: Floats = np.log(np.where(is_number, chance, 1 - chance) + TINY)
    for group, members in zip(weights.groups, (~is_number, is_number), strict=True):
        rows = np.flatnonzero(members)
        for part in blocks(len(rows)):
            block = rows[part]
            scores, total = softmax(weights, layer[block], group)
            own = scores[np.arange(len(block)), target[block] - group.start]
            logs[block] += (np.log(own + TINY) - np.log(total[:, 0])).astype(np.float64)
    return logs


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
    logs = np.empty((len(layer), len(weights.bias)))
    for group, share in zip(weights.groups, (1 - chance, chance), strict=True):
        log_share = np.log(share + TINY)
        for rows in blocks(len(layer)):
            scores, total = softmax(weights, layer[rows], group)
            scores += TINY
            np.log(scores, out=scores)
            scores -= np.log(total)
            np.add(scores, log_share[rows], out=logs[rows, group])
    return logs


def most_probable(weights: Weights, layer: Floats) -> Ints:
    """(T,) the token with the highest of :func:`log_probabilities`, the first of equal ones."""
    chance = number_probability(weights, layer).astype(np.float64)
    best = np.empty((len(weights.groups), len(layer)), np.int64)
    logs = np.empty(best.shape)
    pairs = zip(weights.groups, (1 - chance, chance), strict=True)
    for place, (group, share) in enumerate(pairs):
        for rows in blocks(len(layer)):
            scores, total = softmax(weights, layer[rows], group)
            first = scores.argmax(axis=1)
            best[place, rows] = group.start + first
            own = scores[np.arange(len(scores)), first]
            logs[place, rows] = np.log(share[rows] + TINY) + np.log(own) - np.log(total[:, 0])
    of_all: Ints = np.take_along_axis(best, logs.argmax(axis=0)[None], axis=0)[0]
    return of_all


def blocks(rows: int) -> Iterator[slice]:
    """Some rows at a time: larger arrays of scores would not fit in the processor's cache."""
    return (slice(start, min(start + BLOCK, rows)) for start in range(0, rows, BLOCK))
