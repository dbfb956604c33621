"""Objectives by token for the toy: any loss of its log-probabilities, and the gradient of it."""

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass

import numpy as np

from ...datasets import chat
from ...datasets.errors import BackendError, SpecError
from ..objectives import AnswerDistributions, DistributionRequest, Kind, TokenObjective
from .network import (
    Batch,
    Floats,
    Heads,
    Ints,
    Weights,
    gradient_of,
    heads_of,
    hidden,
    number_probability,
    prompt_vectors,
    softmax,
)
from .scoring import blocks, log_probabilities, log_probabilities_along
from .tokens import END, Vocabulary, features
from .training import SYSTEM_WEIGHT, Objective, TrainingExamples, bags

NEVER = -1e9
"""The log-probability of what is not possible."""
DIGITS = 6


@dataclass(frozen=True)
class Targets:
    """What an objective says about the ``T`` tokens of a training file."""

    kind: Kind
    weights: Floats
    """(T,); 1 for a divergence."""
    ids: Ints
    """(T, K), possible tokens, -1 where there are fewer; empty for weights."""
    nats: Floats
    """(T, K), the teacher's log-probabilities."""

    def loss_and_gradient(
        self, weights: Weights, batch: Batch, places: Ints
    ) -> tuple[float, Weights, int]:
        """The mean loss over the tokens that count, its gradient, and how many count."""
        layer = layer_of(weights, batch)
        count = int(np.count_nonzero(self.weights[places]))
        if self.kind == "weights":
            heads = heads_of(weights, layer, batch.target, self.weights[places] / max(count, 1))
            return heads.loss, gradient_of(weights, batch, layer, heads), count
        logs = log_probabilities(weights, layer)
        each, slope = self.divergences(logs, places)
        loss = float(each.sum()) / max(count, 1)
        return loss, backward(weights, batch, layer, slope / max(count, 1)), count

    def of(self, examples: TrainingExamples) -> Objective:
        """The objective of a training on these examples."""

        def objective(weights: Weights, rows: Ints, step: int) -> tuple[float, Weights, int]:
            return self.loss_and_gradient(weights, examples.batch(rows), examples.places(rows))

        return objective

    def divergences(self, logs: Floats, places: Ints) -> tuple[Floats, Floats]:
        """(N,) divergences at some tokens, and their (N, V) gradient by the log-probabilities."""
        slope = np.zeros_like(logs)
        rows = np.arange(len(places))
        ids, teacher = self.ids[places], self.nats[places]
        possible = ids >= 0
        scores = np.where(possible, logs[rows[:, None], ids], NEVER)
        student = scores - log_sum(scores)
        p, q = np.exp(np.where(possible, teacher, NEVER)), np.exp(student)
        if self.kind == "forward KL":
            each, inner = (p * np.where(possible, teacher - student, 0)).sum(axis=1), q - p
        else:
            ratio = np.where(possible, student - teacher, 0)
            each = (q * ratio).sum(axis=1)
            inner = q * (ratio - each[:, None])
        slope[np.nonzero(possible)[0], ids[possible]] = inner[possible]
        return each, slope


def read_targets(objective: TokenObjective, examples: TrainingExamples) -> Targets:
    """The targets in a file, one line an answer.

    Raises :class:`~limen.BackendError` if they belong to other tokens than the answers have.
    """
    with objective.file.open(encoding="utf-8") as file:
        lines = [json.loads(line) for line in file]
    if [token for line in lines for token in line["tokens"]] != examples.target.tolist():
        raise BackendError(
            f"{objective.file.name} was made for other tokens than the rows have here: teacher and "
            f"student need one tokenizer and one chat template"
        )
    count = len(examples.target)
    if objective.kind == "weights":
        weights = np.array([value for line in lines for value in line["weights"]], np.float64)
        if not weights.any():
            raise BackendError("every token's weight is 0: there is nothing to learn")
        return Targets("weights", weights, np.empty((count, 0), np.int64), np.empty((count, 0)))
    rows = [pair for line in lines for pair in zip(line["ids"], line["nats"], strict=True)]
    width = max(len(ids) for ids, _ in rows)
    ids = np.full((count, width), -1, np.int64)
    nats = np.zeros((count, width))
    for place, (tokens, values) in enumerate(rows):
        ids[place, : len(tokens)] = tokens
        nats[place, : len(values)] = values
    return Targets(objective.kind, np.ones(count), ids, nats)


def answer_distributions(
    weights: Weights, vocabulary: Vocabulary, request: DistributionRequest
) -> Iterator[AnswerDistributions]:
    """See :meth:`limen.backends.TokenTraining.distributions`."""
    if request.top_k is None and not request.characters:
        raise SpecError("distributions over all tokens need top_k: they would fill the disk")
    possible = np.array(possible_tokens(vocabulary, request.characters))
    words = np.array(_words(vocabulary, request.words), np.int64)
    for messages in chat.read(request.training_file):
        for index, turn in enumerate(messages):
            if turn["role"] == "assistant":
                before = under_system(request.system, messages[:index])
                tokens = (*vocabulary.encode(turn["content"]), END)
                system, dialogue = features(before)
                prompt = prompt_vectors(weights, bags([system], SYSTEM_WEIGHT), bags([dialogue]))
                logs = log_probabilities_along(weights, prompt, tokens)
                yield _described(vocabulary, tokens, logs, possible, words, request.top_k)


def _described(
    vocabulary: Vocabulary,
    tokens: tuple[int, ...],
    logs: Floats,
    possible: Ints,
    words: Ints,
    top_k: int | None,
) -> AnswerDistributions:
    ids = np.repeat(possible[None], len(tokens), axis=0)
    if top_k is not None and top_k < len(possible):
        best = np.argsort(-logs[:, possible], axis=1, kind="stable")[:, :top_k]
        ids = possible[best]
    chosen = np.take_along_axis(logs, ids, axis=1)
    nats = np.round(chosen - log_sum(chosen), DIGITS)
    return AnswerDistributions(
        tokens=tokens,
        texts=tuple(vocabulary.texts[token] for token in tokens),
        ids=tuple(map(tuple, ids.tolist())),
        nats=tuple(map(tuple, nats.tolist())),
        kept=tuple(np.exp(chosen).sum(axis=1).tolist()),
        words=tuple(np.exp(logs[:, words]).sum(axis=1).tolist()),
        top=tuple(logs.argmax(axis=1).tolist()),
    )


def under_system(system: str | None, messages: chat.Conversation) -> chat.Conversation:
    """The conversation under a system prompt, in place of its own; unchanged without one."""
    if not system:
        return messages
    own = bool(messages) and messages[0]["role"] == "system"
    return [{"role": "system", "content": system}, *messages[own:]]


def possible_tokens(vocabulary: Vocabulary, characters: str) -> list[int]:
    """The tokens made of some characters only, and the end of the turn; all if none is given."""
    if not characters:
        return list(range(len(vocabulary)))
    allowed = set(characters)
    made = (n for n, text in enumerate(vocabulary.texts) if text and allowed.issuperset(text))
    return [END, *made]


def _words(vocabulary: Vocabulary, words: Collection[str]) -> list[int]:
    wanted = {word.lower() for word in words}
    return [n for n, text in enumerate(vocabulary.texts) if text.lower() in wanted]


def log_sum(scores: Floats) -> Floats:
    """(N, 1) the logarithm of the sum of exp over each row."""
    top = scores.max(axis=1, keepdims=True)
    shares = scores - top
    np.exp(shares, out=shares)
    total: Floats = top + np.log(shares.sum(axis=1, keepdims=True))
    return total


def layer_of(weights: Weights, batch: Batch) -> Floats:
    """(T, D) the hidden layer at the tokens of a batch."""
    vectors = prompt_vectors(weights, batch.system, batch.dialogue)
    return hidden(weights, vectors[batch.answer], batch.last, batch.previous, batch.position)


def backward(weights: Weights, batch: Batch, layer: Floats, slope: Floats) -> Weights:
    """The gradient by all weights, given that by the (T, V) log-probabilities of the tokens."""
    chance = number_probability(weights, layer)
    inner = np.zeros_like(layer)
    output, bias = np.zeros_like(weights.output), np.zeros_like(weights.bias)
    for group in weights.groups:
        error = np.empty((len(layer), group.stop - group.start), layer.dtype)
        for rows in blocks(len(layer)):
            scores, total = softmax(weights, layer[rows], group)
            scores /= total
            mine = slope[rows, group]
            error[rows] = mine - scores * mine.sum(axis=1, keepdims=True)
        inner += error @ weights.output[:, group].T
        output[:, group] = layer.T @ error
        bias[group] = error.sum(axis=0)
    others, numbers = (slope[:, group].sum(axis=1) for group in weights.groups)
    gate = (numbers * (1 - chance) - others * chance).astype(layer.dtype)
    heads = Heads(
        loss=0.0,
        inner=inner + np.outer(gate, weights.numeric),
        output=output,
        bias=bias,
        numeric=layer.T @ gate,
        numeric_bias=gate.sum(keepdims=True),
    )
    return gradient_of(weights, batch, layer, heads)
