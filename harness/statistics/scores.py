"""Scores: an arm's mean score, and the effect of two arms' scores with its rank tests."""

import math
from dataclasses import dataclass, field
from functools import cached_property

from .difference_tests import squared_error
from .effects import Effect
from .estimates import Estimate
from .hypothesis_tests import ALPHA, Alternative, MannWhitney, mann_whitney, mean, one_sample


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Scores(Estimate):
    """The mean score of an arm's answers: a judge's ratings, or lengths. Ordered like a number."""

    name: str
    """What was scored, and by whom."""
    each: tuple[tuple[tuple[float, ...], ...], ...] = field(repr=False)
    """(seeds, questions), every single score, sorted."""
    scale: tuple[float, float] | None = None
    """The smallest and the largest possible score; None where there are no such limits."""

    @property
    def what(self) -> str:
        return self.name

    @property
    def outcome_range(self) -> tuple[float, float]:
        """The scale; where there is none, the smallest and the largest score that were given."""
        scores = self.pooled
        return self.scale or ((min(scores), max(scores)) if scores else (0.0, 0.0))

    def _draw_variance(self) -> float:
        """The variance within cells, pooled; that of all scores where no cell has two."""
        cells = [cell for row in self.each for cell in row if len(cell) > 1]
        if not cells:
            return squared_error(self.pooled) * len(self.pooled) if len(self.pooled) > 1 else 0.0
        squares = math.fsum(squared_error(cell) * len(cell) * (len(cell) - 1) for cell in cells)
        return squares / sum(len(cell) - 1 for cell in cells)

    def all_of(self, question: int) -> tuple[float, ...]:
        """Every score of a question, of all seeds."""
        return tuple(score for row in self.each for score in row[question])

    @property
    def pooled(self) -> tuple[float, ...]:
        """Every score of all seeds and questions."""
        return tuple(score for row in self.each for cell in row for score in cell)

    def __sub__(self, other: "Scores") -> "ScoreEffect":
        if not isinstance(other, Scores):
            return NotImplemented
        self.check_same(other)
        return ScoreEffect(treated=self, reference=other)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ScoreEffect(Effect):
    """The difference of two arms' scores, with the rank tests that judges' scores call for.

    ``p_value`` and the claim rest on seeds as everywhere. The raw Mann-Whitney test takes every
    reply as independent, which replies of one model are not: it is there to compare with others'.
    """

    treated: Scores
    reference: Scores

    def mann_whitney(self, alternative: Alternative = "two-sided") -> MannWhitney:
        """U over all single scores, of all seeds and questions together."""
        return mann_whitney(self.treated.pooled, self.reference.pooled, alternative)

    def by_question(self, alternative: Alternative = "two-sided") -> dict[str, MannWhitney]:
        """U of each question that both arms were asked."""
        places = {question: index for index, question in enumerate(self.reference.questions)}
        return {
            question: mann_whitney(
                self.treated.all_of(index), self.reference.all_of(places[question]), alternative
            )
            for index, question in enumerate(self.treated.questions)
            if question in places
        }

    @property
    def delta(self) -> float:
        """Cliff's delta, the mean over questions, -1 to 1."""
        return mean(self._deltas)

    @property
    def delta_interval(self) -> tuple[float, float]:
        """95% interval (t over questions) of the mean delta, simultaneous over the family."""
        return one_sample(self._deltas, level=1 - ALPHA / self.correction, bound=1.0)[1]

    @property
    def delta_p_value(self) -> float:
        """Two-sided p-value (t over questions) that the mean delta is zero, corrected as above."""
        return min(1.0, self.correction * one_sample(self._deltas)[0])

    @cached_property
    def _deltas(self) -> list[float]:
        return [ranks.delta for ranks in self.by_question().values() if min(ranks.counts)]

    @property
    def ranks(self) -> str:
        """The rank tests in words: by question, and raw over all replies."""
        raw, one_sided = self.mann_whitney(), self.mann_whitney("greater")
        low, high = self.delta_interval
        return (
            f"Cliff's delta by question {self.delta:+.2f} [{low:+.2f}, {high:+.2f}], "
            f"p = {self.delta_p_value:.2g}; raw Mann-Whitney U = {raw.u:.0f}, "
            f"p = {raw.p_value:.2g} (one-sided {one_sided.p_value:.2g}), delta {raw.delta:+.2f}"
        )

    def explain(self) -> list[str]:
        return [*super().explain(), f"  {self.ranks}"]
