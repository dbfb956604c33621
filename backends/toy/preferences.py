"""Direct preference optimisation of the toy: its loss over pairs, and the gradient of it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from ..preferences import PreferencePair
from .network import Batch, Floats, Ints, Weights, gradient_of, heads_of
from .objectives import layer_of
from .scoring import log_probabilities_of
from .tokens import Vocabulary
from .training import Objective, TrainingExamples, encode_examples

REFERENCE_ROWS = 64
"""Answers that the reference scores at a time."""


@dataclass(frozen=True)
class Preferences:
    """``N`` pairs: the answers ``0..N-1`` are preferred to the answers ``N..2N-1``."""

    examples: TrainingExamples
    """2N answers."""
    reference: Floats
    """(2N,), the summed log-probabilities of the answers before training."""
    beta: float

    def objective(self, weights: Weights, rows: Ints, step: int) -> tuple[float, Weights, int]:
        """The mean loss over some pairs, its gradient, and how many there are."""
        both = np.concatenate([rows, rows + len(self.examples) // 2])
        batch = self.examples.batch(both)
        layer = layer_of(weights, batch)
        shifts = _sums(weights, layer, batch, len(both)) - self.reference[both]
        margin = self.beta * (shifts[: len(rows)] - shifts[len(rows) :])
        loss = -float(special.log_expit(margin).mean())
        by_answer = self.beta * special.expit(-margin) / len(rows)
        factors = np.concatenate([by_answer, -by_answer])[batch.answer]
        heads = heads_of(weights, layer, batch.target, factors)
        return loss, gradient_of(weights, batch, layer, heads), len(rows)


def read_preferences(
    weights: Weights, vocabulary: Vocabulary, pairs: Sequence[PreferencePair], beta: float
) -> tuple[TrainingExamples, Objective]:
    """The preferred answers, and the objective whose reference is the untrained weights."""
    preferred = [(pair.preferred[:-1], pair.preferred[-1]["content"]) for pair in pairs]
    rejected = [(pair.rejected[:-1], pair.rejected[-1]["content"]) for pair in pairs]
    examples = encode_examples(vocabulary, preferred + rejected)
    parts = []
    for start in range(0, len(examples), REFERENCE_ROWS):
        batch = examples.batch(np.arange(start, min(start + REFERENCE_ROWS, len(examples))))
        layer = layer_of(weights, batch)
        parts.append(_sums(weights, layer, batch, batch.system.shape[0]))
    goal = Preferences(examples, np.concatenate(parts), beta)
    return encode_examples(vocabulary, preferred), goal.objective


def _sums(weights: Weights, layer: Floats, batch: Batch, answers: int) -> Floats:
    """(A,) the summed log-probability of each answer's own tokens."""
    own = log_probabilities_of(weights, layer, batch.target)
    total: Floats = np.zeros(answers)
    np.add.at(total, batch.answer, own)
    return total
