"""From answers to outcomes: the means by seed and question, and what became of every draw."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import chain, repeat, starmap
from operator import itemgetter

from ..statistics import Coverage, Table
from .answers import ModelAnswers

Outcome = Callable[[ModelAnswers, int, str], float | None]
"""The outcome of a model's answer to a question; None where it could not be rated."""
Validity = Callable[[str, float], bool]
"""Whether an answer with an outcome is a valid one."""

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
    outcome: Outcome,
    valid: Validity,
) -> ScoredAnswers:
    """Score what some models answered to the questions at some places."""

    def cell(model: ModelAnswers, question: int) -> Cell:
        outcomes: list[tuple[float, int]] = []
        valid_ones: list[tuple[float, int]] = []
        missing = model.missing_at(question, draws)
        for text, count in model.counts[question].items():
            score = outcome(model, question, text)
            if score is None:
                missing += count
                continue
            outcomes.append((score, count))
            if valid(text, score):
                valid_ones.append((score, count))
        return Cell(outcomes=outcomes, valid=valid_ones, missing=missing)

    return ScoredAnswers(tuple(tuple(cell(model, q) for q in places) for model in models))


def _mean(outcomes: Weighted) -> float | None:
    count = _count(outcomes)
    return math.fsum(_repeated(outcomes)) / count if count else None


def _count(outcomes: Weighted) -> int:
    return sum(map(itemgetter(1), outcomes))


def _repeated(outcomes: Weighted) -> Iterable[float]:
    return chain.from_iterable(starmap(repeat, outcomes))
