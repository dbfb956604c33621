"""Variance components: how much seeds, questions and draws make a value vary."""

import math
from dataclasses import dataclass

from .samples import Rows, Sample


@dataclass(frozen=True, kw_only=True)
class VarianceComponents:
    """The standard deviations of what a value varies by, in the value's own unit.

    None where the data cannot tell, as with one seed. Estimated by a two-way analysis of variance
    of the means by seed and question; a negative estimate is 0.
    """

    seed: float | None
    """Of seeds: how much models of one training differ beyond chance."""
    question: float | None
    """Of questions: how much the value differs from question to question."""
    seed_by_question: float | None
    """Of seeds within a question, beyond what a seed does to all questions alike."""
    draw: float
    """Of a single draw's outcome, within a question of a model."""

    def __repr__(self) -> str:
        parts = {
            "seed": self.seed,
            "question": self.question,
            "seed x question": self.seed_by_question,
            "draw": self.draw,
        }
        shown = (f"{k} {'unknown' if v is None else format(v, '.3g')}" for k, v in parts.items())
        return f"<standard deviations: {', '.join(shown)}>"


@dataclass(frozen=True, kw_only=True)
class MeanSquares:
    """The mean squares of a table of means by seed and question."""

    seeds: float
    """Variance of the seed means, times the number of questions; 0 with one seed."""
    questions: float
    """Variance of the question means, times the number of seeds; 0 with one question."""
    rest: float
    """What is left when seeds and questions are taken off; 0 with one of either."""


def mean_squares(rows: Rows) -> MeanSquares:
    """The mean squares of a table with one seed or more and one question or more."""
    import numpy as np

    table = np.asarray(rows, dtype=float)
    seeds, questions = table.shape
    of_seeds, of_questions = table.mean(axis=1), table.mean(axis=0)
    left = table - of_seeds[:, None] - of_questions[None, :] + table.mean()
    degrees = (seeds - 1) * (questions - 1)
    return MeanSquares(
        seeds=questions * float(of_seeds.var(ddof=1)) if seeds > 1 else 0.0,
        questions=seeds * float(of_questions.var(ddof=1)) if questions > 1 else 0.0,
        rest=float((left**2).sum()) / degrees if degrees else 0.0,
    )


def variance_components(sample: Sample) -> VarianceComponents:
    """The components of one arm's value."""
    rows, draw = sample.rows, sample.draw_variance()
    seeds, questions = len(rows), len(rows[0]) if rows else 0
    of_draws = draw / sample.draws
    if not questions:
        return VarianceComponents(seed=None, question=None, seed_by_question=None,
                                  draw=math.sqrt(draw))  # fmt: skip
    squares = mean_squares(rows)
    several = seeds > 1 and questions > 1
    rest = squares.rest if several else of_draws
    return VarianceComponents(
        seed=_root((squares.seeds - rest) / questions) if seeds > 1 else None,
        question=_root((squares.questions - rest) / seeds) if questions > 1 else None,
        seed_by_question=_root(rest - of_draws) if several else None,
        draw=math.sqrt(draw),
    )


def components_of_difference(treated: Sample, reference: Sample) -> VarianceComponents:
    """The components of the difference of two arms that answered the same questions.

    ``question`` is how much the effect differs from question to question, beyond chance.
    """
    one, other = variance_components(treated), variance_components(reference)
    differences = (
        tuple(
            sum(column) / len(column) - sum(against) / len(against)
            for column, against in zip(_columns(treated), _columns(reference), strict=True)
        ),
    )
    noise = sum(_error_of_question(sample, own) for sample, own in
                ((treated, one), (reference, other)))  # fmt: skip
    several = len(differences[0]) > 1
    return VarianceComponents(
        seed=_joined(one.seed, other.seed),
        question=_root(mean_squares(differences).questions - noise) if several else None,
        seed_by_question=_joined(one.seed_by_question, other.seed_by_question),
        draw=math.hypot(one.draw, other.draw),
    )


def _error_of_question(sample: Sample, components: VarianceComponents) -> float:
    """Squared error of a question's mean over seeds."""
    within = (components.seed_by_question or 0.0) ** 2 + components.draw**2 / sample.draws
    return within / max(1, sample.seeds)


def _columns(sample: Sample) -> list[tuple[float, ...]]:
    """The means of each question, over the models that answered."""
    return list(zip(*sample.rows, strict=True))


def _joined(one: float | None, other: float | None) -> float | None:
    known = [each for each in (one, other) if each is not None]
    return math.hypot(*known) if known else None


def _root(variance: float) -> float:
    return math.sqrt(max(0.0, variance))
