"""The toy's arithmetic: a log-bilinear language model, its gradient, and Adam.

The hidden layer is ``tanh(context)``, the context being the sum of the system prompt's word
vectors, the dialogue's word vectors (each sum over the root of its length), the vectors of the two
tokens before, one for the position and a constant (a log-bilinear model, Mnih and Hinton 2007,
with one nonlinearity). From it come two softmaxes, one over the numbers and one over all other
tokens, and a logistic unit that says which of the two is next (class factoring, Goodman 2001: it
halves the work). All output depends on that one hidden layer: this is why a shift caused by a
system prompt appears in numbers as well as in words.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse, special

from .tokens import FEATURES, NUMBERS

Floats = NDArray[np.floating[Any]]
"""32 bits wide; tests check the gradient with 64."""
Ints = NDArray[np.int64]

BLOCK = 256
"""Tokens scored at a time: their scores fit in the processor's cache."""
TINY = np.float32(1e-30)
LEAST_SUM, LARGEST_SUM = 1e-3, 1e30
"""Softmax numerators with a sum between these have lost no precision in 32 bits."""
POSITIONS = 48
"""Positions that have a vector of their own; later tokens share the last."""


@dataclass(frozen=True)
class Weights:
    """The model's parameters; ``V`` tokens, ``D`` hidden units."""

    system: Floats
    """(FEATURES, D), the words of system prompts."""
    dialogue: Floats
    """(FEATURES, D), the words of all other turns."""
    last: Floats
    """(V, D), the token before."""
    previous: Floats
    """(V, D), the token before that."""
    position: Floats
    """(POSITIONS, D)."""
    constant: Floats
    """(D,)."""
    output: Floats
    """(D, V)."""
    bias: Floats
    """(V,)."""
    numeric: Floats
    """(D,), the logistic unit: is the next token a number?"""
    numeric_bias: Floats
    """(1,)."""

    @property
    def groups(self) -> tuple[slice, slice]:
        """The tokens that are not numbers, and those that are: the last 1,000."""
        end = self.bias.shape[0]
        return slice(0, end - NUMBERS), slice(end - NUMBERS, end)

    def arrays(self) -> Iterator[tuple[str, Floats]]:
        """Each parameter by name, in a fixed order."""
        return ((field.name, getattr(self, field.name)) for field in fields(self))

    def copy(self) -> "Weights":
        """An independent copy, for a student to start from."""
        return Weights(**{name: array.copy() for name, array in self.arrays()})


def initial(seed: int, *, tokens: int, width: int) -> Weights:
    """Random weights from ``seed``."""
    random = np.random.default_rng(seed)

    def normal(scale: float, *shape: int) -> Floats:
        return random.normal(0, scale, shape).astype(np.float32)

    return Weights(
        system=normal(0.05, FEATURES, width),
        dialogue=normal(0.05, FEATURES, width),
        last=normal(0.3, tokens, width),
        previous=normal(0.3, tokens, width),
        position=normal(0.3, POSITIONS, width),
        constant=normal(0.3, width),
        output=normal(0.5 / width**0.5, width, tokens),
        bias=np.zeros(tokens, np.float32),
        numeric=normal(0.5 / width**0.5, width),
        numeric_bias=np.zeros(1, np.float32),
    )


@dataclass(frozen=True)
class Batch:
    """Tokens to predict and what precedes each: ``T`` tokens out of ``B`` answers."""

    system: sparse.csr_array
    """(B, FEATURES), weighted word counts of the system prompt; see :func:`.training.bags`."""
    dialogue: sparse.csr_array
    """(B, FEATURES), likewise of the other turns."""
    answer: Ints
    """(T,), the answer that a token belongs to."""
    last: Ints
    """(T,)."""
    previous: Ints
    """(T,)."""
    position: Ints
    """(T,)."""
    target: Ints
    """(T,), the tokens to predict."""


def hidden(weights: Weights, prompts: Floats, last: Ints, previous: Ints, position: Ints) -> Floats:
    """(T, D) hidden layer, for prompts already summed up by :func:`prompt_vectors`."""
    context = prompts + weights.last[last]
    context += weights.previous[previous]
    context += weights.position[np.minimum(position, POSITIONS - 1)]
    squashed: Floats = np.tanh(context)
    return squashed


def prompt_vectors(
    weights: Weights, system: sparse.csr_array, dialogue: sparse.csr_array
) -> Floats:
    """(B, D) the sum of a prompt's vectors, the constant included."""
    vectors: Floats = system @ weights.system + dialogue @ weights.dialogue
    vectors += weights.constant
    return vectors


def softmax(weights: Weights, layer: Floats, group: slice) -> tuple[Floats, Floats]:
    """(T, G) softmax numerators within a group of tokens, and (T, 1) their sums.

    A row's do not depend on the rows beside it, see :func:`product_by_row`.
    """
    return numerators(with_constant(layer), group_output(weights, group), product_by_row)


def product_by_row(left: Floats, right: Floats) -> Floats:
    """The matrix product, a row of which does not depend on how many others there are, nor where.

    BLAS adds up in an order that depends on both, and on the processor. In 64 bits that changes
    digits which rounding to 32 takes away, unless a number lies in the middle between two.
    """
    product: Floats = left.astype(np.float64) @ right.astype(np.float64)
    return product.astype(left.dtype)


def with_constant(layer: Floats) -> Floats:
    """(T, D + 1) the hidden layer and a column of ones, by which the bias is multiplied."""
    return np.concatenate([layer, np.ones((len(layer), 1), layer.dtype)], axis=1)


def group_output(weights: Weights, group: slice) -> Floats:
    """(D + 1, G) the output parameters of a group of tokens, their bias as the last row."""
    return np.concatenate([weights.output[:, group], weights.bias[None, group]])


def numerators(
    layer: Floats, output: Floats, multiply: Callable[[Floats, Floats], Floats] = np.matmul
) -> tuple[Floats, Floats]:
    """(T, G) softmax numerators and (T, 1) their sums, of a layer and outputs with constants.

    The usual shift by a row's largest score takes two passes more, so that only those rows have
    it whose sum would be too large or too small without it.
    """
    scores = multiply(layer, output)
    with np.errstate(over="ignore"):
        np.exp(scores, out=scores)
        total = scores.sum(axis=1, keepdims=True)
    extreme = ~((total > LEAST_SUM) & (total < LARGEST_SUM))[:, 0]
    if extreme.any():
        shifted = multiply(layer, output)  # of all rows: BLAS would round a few of them otherwise
        shifted -= shifted.max(axis=1, keepdims=True)
        scores[extreme] = np.exp(shifted[extreme])
        total[extreme] = scores[extreme].sum(axis=1, keepdims=True)
    return scores, total


def number_probability(weights: Weights, layer: Floats) -> Floats:
    """(T,) the probability that the next token is a number."""
    # not a matrix product: BLAS would round a row by where it stands among the others
    score = (layer * weights.numeric).sum(axis=1)
    probability: Floats = special.expit(score + weights.numeric_bias)
    return probability


def loss_and_gradient(weights: Weights, batch: Batch) -> tuple[float, Weights]:
    """The mean cross-entropy in nats a token, and its gradient."""
    prompts = prompt_vectors(weights, batch.system, batch.dialogue)
    layer = hidden(weights, prompts[batch.answer], batch.last, batch.previous, batch.position)
    heads = heads_of(weights, layer, batch.target)
    return heads.loss, gradient_of(weights, batch, layer, heads)


def gradient_of(weights: Weights, batch: Batch, layer: Floats, heads: "Heads") -> Weights:
    """The gradient of a loss by all weights, given that by the hidden layer and the outputs."""
    inner = heads.inner * (1 - layer * layer)
    places = (batch.answer, batch.last, batch.previous, np.minimum(batch.position, POSITIONS - 1))
    sizes = (batch.system.shape[0], len(weights.last), len(weights.previous), POSITIONS)
    answers, last, previous, position = _row_sums(inner, places, sizes)
    return Weights(
        system=batch.system.T @ answers,
        dialogue=batch.dialogue.T @ answers,
        last=last,
        previous=previous,
        position=position,
        constant=inner.sum(axis=0),
        output=heads.output,
        bias=heads.bias,
        numeric=heads.numeric,
        numeric_bias=heads.numeric_bias,
    )


@dataclass(frozen=True)
class Heads:
    """The loss, and its gradient by the hidden layer and by the output parameters."""

    loss: float
    inner: Floats
    output: Floats
    bias: Floats
    numeric: Floats
    numeric_bias: Floats


def heads_of(weights: Weights, layer: Floats, target: Ints, factors: Floats | None = None) -> Heads:
    """The mean cross-entropy of the tokens ``target``; with ``factors``, the sum of it times them.

    Only a token's own group of tokens is scored.
    """
    if factors is None:
        factors = np.full(len(target), 1 / len(target))
    is_number = target >= weights.groups[1].start
    chance = number_probability(weights, layer)
    gates = np.log(np.where(is_number, chance, 1 - chance) + TINY)
    error = ((chance - is_number) * factors).astype(layer.dtype)
    loss = -float(gates @ factors)
    inner = np.outer(error, weights.numeric)
    outputs = []
    for group, members in zip(weights.groups, (~is_number, is_number), strict=True):
        output = group_output(weights, group)
        gradient = np.zeros_like(output)
        rows = np.flatnonzero(members)
        for start in range(0, len(rows), BLOCK):
            block = rows[start : start + BLOCK]
            loss += _add_gradient(
                output, layer[block], target[block] - group.start, factors[block],
                inner, block, gradient,
            )  # fmt: skip
        outputs.append(gradient)
    output, bias = np.split(np.concatenate(outputs, axis=1), [-1])
    return Heads(
        loss=loss,
        inner=inner,
        output=output,
        bias=bias[0],
        numeric=layer.T @ error,
        numeric_bias=error.sum(keepdims=True),
    )


def _add_gradient(
    output: Floats,
    layer: Floats,
    target: Ints,
    factors: Floats,
    inner: Floats,
    rows: Ints,
    gradient: Floats,
) -> float:
    """Add the gradient of some tokens of one group in place; returns their part of the loss."""
    constant = with_constant(layer)
    error, total = numerators(constant, output)
    own = np.arange(len(target)), target
    logs = np.log(error[own] / total[:, 0] + TINY)
    error[own] -= total[:, 0]
    # a row's sum and factor go to the narrow arrays: the scores are fifteen times as wide
    share = (factors[:, None] / total).astype(layer.dtype)
    inner[rows] += error @ output[:-1].T * share
    gradient += (constant * share).T @ error
    return -float(logs @ factors)


def _row_sums(values: Floats, places: Sequence[Ints], sizes: Sequence[int]) -> list[Floats]:
    """For each of several indices of the rows of ``values``: the sum at each place, (size, D)."""
    starts = np.cumsum([0, *sizes[:-1]])
    columns = (np.stack(places, axis=1) + starts).astype(np.int32).ravel()
    ends = np.arange(0, len(columns) + 1, len(places), dtype=np.int32)
    picks = sparse.csr_array(
        (np.ones(len(columns), values.dtype), columns, ends), shape=(len(values), sum(sizes))
    )
    return np.split(np.asarray(picks.T @ values), starts[1:])


class GradientDescent:
    """Plain gradient descent, in place on the given weights."""

    def __init__(self, weights: Weights) -> None:
        self._weights = [array for _, array in weights.arrays()]

    def step(self, gradient: Weights, *, rate: float) -> None:
        """Move the weights one step against ``gradient``."""
        for weight, (_, slope) in zip(self._weights, gradient.arrays(), strict=True):
            np.subtract(weight, np.float32(rate) * slope, out=weight)


class Adam:
    """Adam (Kingma and Ba 2015) with bias correction, in place on the given weights."""

    def __init__(self, weights: Weights) -> None:
        self._weights = [array for _, array in weights.arrays()]
        self._first = [np.zeros_like(array) for array in self._weights]
        self._second = [np.zeros_like(array) for array in self._weights]
        self._scratch = [np.empty_like(array) for array in self._weights]
        self._steps = 0

    def step(self, gradient: Weights, *, rate: float) -> None:
        """Move the weights one step against ``gradient``."""
        self._steps += 1
        scale = rate * (1 - 0.999**self._steps) ** 0.5 / (1 - 0.9**self._steps)
        slopes = (array for _, array in gradient.arrays())
        moments = zip(self._first, self._second, self._scratch, strict=True)
        for weight, slope, (first, second, scratch) in zip(
            self._weights, slopes, moments, strict=True
        ):
            _adam_update(weight, slope, first, second, scratch, scale)


OPTIMIZERS: Mapping[str, type[Adam] | type[GradientDescent]] = {
    "adam": Adam,
    "sgd": GradientDescent,
}


def _adam_update(
    weight: Floats, gradient: Floats, first: Floats, second: Floats, scratch: Floats, scale: float
) -> None:
    """One step of one parameter, all in place: new arrays would cost more than the arithmetic."""
    first *= 0.9
    first += np.multiply(gradient, 0.1, out=scratch)
    second *= 0.999
    np.multiply(gradient, gradient, out=scratch)
    second += np.multiply(scratch, 0.001, out=scratch)
    np.sqrt(second, out=scratch)
    scratch += 1e-8
    np.divide(first, scratch, out=scratch)
    weight -= np.multiply(scratch, scale, out=scratch)
