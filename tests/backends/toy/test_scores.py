"""The toy's scores: exact at every size, and those that greedy answers and losses rest on."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import special

from limen.backends.toy.network import (
    Floats,
    Weights,
    gradient_of,
    heads_of,
    hidden,
    initial,
    softmax,
)
from limen.backends.toy.scoring import log_probabilities, log_probabilities_of, most_probable
from limen.backends.toy.training import bags, token_examples

TOKENS, WIDTH, ROWS = 1_300, 16, 300
SIZES = (0.01, 1.0, 30.0, 1_000.0)
"""How large the output parameters are: the largest scores are beyond 32 bits' exponential."""


def model(size: float, shift: float = 0.0) -> tuple[Weights, Floats]:
    """Random weights with outputs of some size and level, and a hidden layer."""
    weights = initial(1, tokens=TOKENS, width=WIDTH)
    scaled = replace(
        weights,
        output=weights.output * np.float32(size),
        bias=weights.bias + np.float32(shift),
        numeric=weights.numeric * np.float32(5),
    )
    layer = np.tanh(np.random.default_rng(2).normal(size=(ROWS, WIDTH))).astype(np.float32)
    return scaled, layer


@pytest.mark.parametrize("shift", [-500.0, 0.0, 500.0])
@pytest.mark.parametrize("size", SIZES)
def test_shares_are_those_of_a_softmax(size: float, shift: float) -> None:
    """Scores of any size and level give the shares that 64 bits give."""
    weights, layer = model(size, shift)
    for group in weights.groups:
        numerators, total = softmax(weights, layer, group)
        scores = layer.astype(np.float64) @ weights.output[:, group] + weights.bias[group]
        np.testing.assert_allclose(
            numerators / total, special.softmax(scores, axis=1), atol=1e-4 * max(1.0, size / 30)
        )


def test_a_row_with_extreme_scores_leaves_the_others_as_they_are() -> None:
    """A row whose exponentials overflow changes no bit of the rows beside it."""
    weights, layer = model(1.0)
    group = weights.groups[1]
    wild = layer.copy()
    wild[7] *= 1e4
    calm, total = softmax(weights, layer, group)
    beside, beside_total = softmax(weights, wild, group)
    others = np.arange(ROWS) != 7
    assert np.isfinite(beside).all()
    np.testing.assert_array_equal(calm[others], beside[others])
    np.testing.assert_array_equal(total[others], beside_total[others])


@pytest.mark.parametrize("size", SIZES)
def test_greedy_takes_the_most_probable_token(size: float) -> None:
    """Greedy answers have the token with the highest log-probability, of both groups."""
    weights, layer = model(size)
    logs = log_probabilities(weights, layer)
    greedy = most_probable(weights, layer)
    best = logs.max(axis=1)
    np.testing.assert_allclose(logs[np.arange(ROWS), greedy], best, rtol=1e-4, atol=1e-4)
    assert {token >= weights.groups[1].start for token in greedy.tolist()} == {False, True}


@pytest.mark.parametrize("size", SIZES[:3])
def test_the_loss_is_that_of_the_log_probabilities(size: float) -> None:
    """The mean loss in nats a token is minus the mean log-probability of the targets."""
    weights, layer = model(size)
    target = np.random.default_rng(3).integers(0, TOKENS, ROWS)
    loss = heads_of(weights, layer, target).loss
    assert loss == pytest.approx(-log_probabilities_of(weights, layer, target).mean(), rel=1e-4)


def test_row_sums_go_to_the_tokens_before() -> None:
    """The gradient of a table's row is the sum over the places where its token stood before."""
    weights = initial(1, tokens=TOKENS, width=WIDTH)
    empty = bags([[], []])
    examples = token_examples(empty, empty, [[5, 9, 5, 7], [9, 5]])
    batch = examples.batch(np.array([1, 0]))
    prompts = np.zeros((len(batch.target), WIDTH), np.float32)
    layer = hidden(weights, prompts, batch.last, batch.previous, batch.position)
    heads = heads_of(weights, layer, batch.target)
    gradient = gradient_of(weights, batch, layer, heads)
    inner = heads.inner * (1 - layer * layer)
    for table, places in ((gradient.last, batch.last), (gradient.previous, batch.previous)):
        expected = np.zeros_like(table)
        np.add.at(expected, places, inner)
        np.testing.assert_allclose(table, expected, atol=1e-6)
