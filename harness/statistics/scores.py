"""Scores: an arm's mean score, and the effect of two arms' scores with its rank tests."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from .difference_tests import DifferenceTest, NoTest, paired_test, welch_test
from .effects import Effect
from .estimates import Estimate
from .evidence import PValue
from .hypothesis_tests import ALPHA, mean, variance
from .rank_tests import (
    Alternative,
    MannWhitney,
    RankedScores,
    mann_whitney,
    question_deltas,
    seed_ranks,
)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Scores(Estimate):
    """The mean score of an arm's answers: a judge's ratings, or lengths. Ordered like a number.

    Args:
        arm: The name of the arm.
        questions: The questions that were asked.
        table: (seeds, questions), each a mean over draws; None where there was no answer.
        draws: Answers to each question of each model.
        valid: The share of answers that are valid, as the measure says.
        missing: Draws without an answer (failed or refused); no part of the value.
        unrated: Answers that a judge or a function could not rate; no part of the value. Default:
            0.
        trained: Whether the arm's models were fine-tuned, one a seed.
        shows_trait: Whether this is what shows the trait of the arm's experiment. Default: True.
        lowers: Whether less of this shows the trait. Default: False.
        family: Traits that are tried together: p-values and intervals are corrected for as many.
            Default: 1.
        looks: How often the results may be looked at before all seeds are in; corrected for
            likewise. Default: 1.
        margin: The difference below which arms count as alike, as the experiment says. Default:
            None.
        listener: Receives the comparisons that are made with the estimate and its effects. Default:
            None.
        coverage: What became of every draw, where that is known by seed and question. Default:
            None.
        absence: That no arm of the experiment, the teacher included, ever gives this outcome, and
            what they give; empty if one does. A null about such an outcome shows nothing. Default:
            empty.
        copied_models: Models whose draws are copies: the same answer to a question again and again,
            although the temperature is above 0. Such draws say nothing about how much the value
            varies. Default: 0.
        models: What names the arm's models, one a seed; empty where that is not known. Default:
            none.
        name: What was scored, and by whom.
        each: (seeds, questions), every single score, sorted.
        scale: The smallest and the largest possible score; None where there are no such limits.
            Default: None.

    Raises:
        SpecError: From comparisons with what they cannot be compared with.

    Examples:
        >>> rated.scores().interval
    """

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
    def bounds(self) -> tuple[float, float]:
        return self.scale or super().bounds

    @property
    def outcome_range(self) -> tuple[float, float]:
        """The scale; where there is none, the smallest and the largest score that were given."""
        scores = self.pooled
        return self.scale or ((min(scores), max(scores)) if scores else (0.0, 0.0))

    def _draw_variance(self) -> float:
        """The variance within cells, pooled; that of all scores where no cell has two."""
        cells = [cell for row in self.each for cell in row if len(cell) > 1]
        if not cells:
            return variance(self.pooled) if len(self.pooled) > 1 else 0.0
        squares = math.fsum(variance(cell) * (len(cell) - 1) for cell in cells)
        return squares / sum(len(cell) - 1 for cell in cells)

    def all_of(self, question: int) -> tuple[float, ...]:
        """Every score of a question, of all seeds.

        Args:
            question: The question's place among ``questions``, from 0.
        """
        return tuple(score for row in self.each for score in row[question])

    @property
    def pooled(self) -> tuple[float, ...]:
        """Every score of all seeds and questions."""
        return tuple(score for row in self.each for cell in row for score in cell)

    def _less(self, other: object) -> Effect | None:
        return self - other if isinstance(other, Scores) and self.what == other.what else None

    def __sub__(self, other: "Scores") -> "ScoreEffect":
        if not isinstance(other, Scores):
            return NotImplemented
        self.check_same(other)
        return ScoreEffect(treated=self, reference=other)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ScoreEffect(Effect):
    """The difference of two arms' scores, with the rank statistics that judges' scores call for.

    ``p_value`` and the claim rest on seeds as everywhere, and so do the p-value and the interval
    of Cliff's delta. Mann-Whitney's test treats all answers as independent, which answers of one
    model are not: it is description, to compare with what others report.

    Args:
        treated: The scores of the arm with the intervention.
        reference: The scores of the arm that it is compared with.
        requested_unit: What to take as independent, if :meth:`over` was called. Default: None.
        adjusted: The outcome in place of the test's own, where it was corrected together with
            others'. Default: None.
        among: Effects that it was corrected together with, itself among them. Default: 1.
        exploratory: Whether the correction bounds the share of false findings only, not the chance
            of any. Default: False.

    Raises:
        SpecError: From its methods: a margin or a unit that there cannot be here.

    Examples:
        >>> effect = rated.scores() - other_rated.scores()
        >>> effect.p_value, effect.delta
    """

    treated: Scores
    reference: Scores

    def mann_whitney(self, alternative: Alternative = "two-sided") -> MannWhitney:
        """U over all single scores; description only, since it treats answers as independent.

        Args:
            alternative: "two-sided", "greater" or "less". Default: "two-sided".
        """
        return mann_whitney(self.treated.pooled, self.reference.pooled, alternative)

    def by_question(self, alternative: Alternative = "two-sided") -> dict[str, MannWhitney]:
        """U of each question that both arms were asked; description only, as above.

        Args:
            alternative: "two-sided", "greater" or "less". Default: "two-sided".
        """
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
        """95% interval of Cliff's delta (see ``rank_test``), simultaneous over the family."""
        return self.rank_test.interval(1 - ALPHA / self.correction, 1.0)

    @property
    def delta_p_value(self) -> float:
        """Two-sided p-value that Cliff's delta is zero (see ``rank_test``), corrected as above."""
        p_value = min(1.0, self.correction * self.rank_test.p_value)
        return PValue(
            p_value,
            self.evidence_listener,
            quantity=self,
            is_conclusive=lambda: self.is_conclusive,
        )

    @cached_property
    def rank_test(self) -> DifferenceTest:
        """The rank test: Welch's t over the seeds' mean ranks.

        Between two single models, or where questions were asked for as the unit, it is a t test
        of the questions' deltas, which is about these models alone. Several models against one
        have none.
        """
        if self.requested_unit == "questions" or max(self.seeds) < 2:
            return paired_test(self._deltas, [0.0] * len(self._deltas), bound=1.0)
        if min(self.seeds) < 2:
            return NoTest(unit="seeds", note="a rank test over seeds needs two an arm")
        a, b = seed_ranks(*self._shared)
        return welch_test(a, b, unit="seeds", of="seeds' mean ranks")

    @property
    def _shared(self) -> tuple[RankedScores, RankedScores]:
        """Both arms' scores of the questions that both were asked."""
        common = set(self.treated.questions).intersection(self.reference.questions)
        shared = [question for question in self.treated.questions if question in common]
        a, b = (_at(arm, shared) for arm in (self.treated, self.reference))
        return a, b

    @cached_property
    def _deltas(self) -> list[float]:
        return question_deltas(*self._shared)

    @property
    def ranks(self) -> str:
        """The rank statistics in words; the only p-value among them is that of ``rank_test``."""
        raw, (low, high) = self.mann_whitney(), self.delta_interval
        tested = f" [{low:+.2f}, {high:+.2f}], p = {self.delta_p_value:.2g} ({self.rank_test.name})"
        return (
            f"Cliff's delta {self.delta:+.2f}{tested if self.rank_test.name != 'none' else ''}; "
            f"as description, treating all answers as independent: "
            f"Mann-Whitney U = {raw.u:.0f}, delta {raw.delta:+.2f}"
        )

    def explain(self) -> list[str]:
        return [*super().explain(), f"  {self.ranks}"]


def _at(arm: Scores, questions: Sequence[str]) -> RankedScores:
    """The scores of some of an arm's questions."""
    place_of = {question: place for place, question in enumerate(arm.questions)}
    places = [place_of[question] for question in questions]
    return [[row[place] for place in places] for row in arm.each]
