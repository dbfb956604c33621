"""From answers to outcomes: the means by seed and question, and what became of every draw."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, repeat, starmap
from operator import itemgetter

from ..statistics import Coverage, Table
from .answers import ModelAnswers

Outcomes = Mapping[str, float | None]
"""The outcome of each answer, by its text; None where it could not be rated."""
OutcomesAt = Callable[[ModelAnswers, int], Outcomes]
"""The outcomes of a model's answers to a question, and possibly of other answers."""

Weighted = Sequence[tuple[float, int]]
"""Outcomes, each with how often it was seen."""


@dataclass(frozen=True)
class Cell:
    """What one model answered to one question."""

    outcomes: Weighted
    valid: Weighted
    """The outcomes of valid answers alone."""
    missing: int
    """Draws whose outcome was never seen: without an answer, or not rated."""

    @property
    def each(self) -> tuple[float, ...]:
        """Every single outcome, sorted."""
        return tuple(sorted(_repeated(self.outcomes)))


@dataclass(frozen=True)
class ScoredAnswers:
    """The outcomes of an arm's answers, (seeds, questions)."""

    cells: tuple[tuple[Cell, ...], ...]

    @property
    def table(self) -> Table:
        """The means over draws; None where no draw has an outcome."""
        return tuple(tuple(_mean(cell.outcomes) for cell in row) for row in self.cells)

    @property
    def coverage(self) -> Coverage:
        """What became of every draw."""
        return Coverage(
            answered=tuple(tuple(_count(cell.outcomes) for cell in row) for row in self.cells),
            missing=tuple(tuple(cell.missing for cell in row) for row in self.cells),
            valid=tuple(tuple(_count(cell.valid) for cell in row) for row in self.cells),
            valid_means=tuple(tuple(_mean(cell.valid) for cell in row) for row in self.cells),
        )

    @property
    def total(self) -> int:
        """How many draws have an outcome."""
        return sum(_count(cell.outcomes) for row in self.cells for cell in row)


def score_answers(
    models: Sequence[ModelAnswers],
    places: range,
    *,
    draws: int,
    outcomes: OutcomesAt,
    valid: Mapping[str, bool],
    hits_are_valid: bool = False,
) -> ScoredAnswers:
    """Score what some models answered to the questions at some places.

    Args:
        models: The models, one a seed.
        places: The questions.
        draws: Answers sampled for each question.
        outcomes: The outcomes of a model's answers to a question.
        valid: Whether an answer is a valid one, by its text.
        hits_are_valid: Whether an answer with the outcome 1 is valid in any case.
    """

    def cell(model: ModelAnswers, question: int) -> Cell:
        counts = model.counts[question]
        scores = outcomes(model, question)
        rated = [
            (text, score, count)
            for text, count in counts.items()
            if (score := scores[text]) is not None
        ]
        unrated = counts.total() - sum(count for _, _, count in rated)
        return Cell(
            outcomes=[(score, count) for _, score, count in rated],
            valid=[
                (score, count)
                for text, score, count in rated
                if valid[text] or (hits_are_valid and score == 1)
            ],
            missing=model.missing_at(question, draws) + unrated,
        )

    return ScoredAnswers(tuple(tuple(cell(model, q) for q in places) for model in models))


def _mean(outcomes: Weighted) -> float | None:
    count = _count(outcomes)
    return math.fsum(_repeated(outcomes)) / count if count else None


def _count(outcomes: Weighted) -> int:
    return sum(map(itemgetter(1), outcomes))


def _repeated(outcomes: Weighted) -> Iterable[float]:
    return chain.from_iterable(starmap(repeat, outcomes))
