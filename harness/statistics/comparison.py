"""The comparison of two arms: which values are compared, and by which test."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from .crossed import crossed_test
from .difference_tests import (
    DifferenceTest,
    NoTest,
    one_sample_test,
    paired_test,
    welch_test,
)
from .hypothesis_tests import TOLERANCE, TestResult, sign_flip, value_range
from .samples import NO_COMMON_QUESTION, Sample, pairs_of_seeds

Unit = Literal["seeds", "questions", "both", "pairs"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Comparison:
    """Two samples on the same questions, and the test that compares them.

    From two seeds an arm the test is Welch's t over seed means. Several seeds against one untrained
    model are tested by a one-sample t of the seeds, with the sampling error of that model added.
    Below that it is a t test paired by question, over the questions' means (unpaired where the arms
    answered different questions).
    """

    treated: Sample
    reference: Sample
    requested: Unit | None
    """What to take as independent, if that was asked for."""
    bound: float
    """The largest difference that is possible."""

    @property
    def value(self) -> float:
        """The difference of the two values."""
        one, other = self.on_same_questions
        return one.value - other.value

    @cached_property
    def on_same_questions(self) -> tuple[Sample, Sample]:
        """The two samples on the questions that every model of both answered."""
        one, other = self.treated, self.reference
        if not (one.has_gaps or other.has_gaps):
            return one, other
        if one.questions != other.questions:
            return one.at(one.complete_places), other.at(other.complete_places)
        answered = set(other.complete_places)
        places = [place for place in one.complete_places if place in answered]
        return one.at(places), other.at(places)

    def units(self, unit: str) -> tuple[Sequence[float], Sequence[float]]:
        """The values of the two arms, by seed or by question."""
        one, other = self.on_same_questions
        if unit == "seeds":
            return one.by_seed, other.by_seed
        if unit == "pairs":
            return pairs_of_seeds(one, other)
        return tuple(one.by_question.values()), tuple(other.by_question.values())

    @property
    def test(self) -> DifferenceTest:
        """The test, for any null value and level."""
        return self._test

    @cached_property
    def _test(self) -> DifferenceTest:
        one, other = self.on_same_questions
        if not (one.questions and other.questions):
            return NoTest(unit=self.requested or "questions", note=NO_COMMON_QUESTION)
        if self.requested == "both":
            return crossed_test(one, other, paired=self._same_questions)
        if self.requested == "pairs":
            return paired_test(*self.units("pairs"), of="seed", bound=self.bound)
        if self.requested != "questions" and (test := self._over_seeds(one, other)):
            return test
        return self._over_questions()

    def _over_seeds(self, one: Sample, other: Sample) -> DifferenceTest | None:
        """The test over seeds; None where there are too few, or all are alike."""
        a, b = one.by_seed, other.by_seed
        if max(value_range(a), value_range(b)) <= TOLERANCE:
            return None
        if min(len(a), len(b)) > 1:
            return welch_test(a, b, unit="seeds", of="seed means")
        if other.fixed and len(a) > 1 and self._same_questions:
            return one_sample_test(a, other.value, other.draw_error)
        if one.fixed and len(b) > 1 and self._same_questions:
            return one_sample_test(b, one.value, one.draw_error).reversed()
        return None

    def _over_questions(self) -> DifferenceTest:
        a, b = self.units("questions")
        if self._paired:
            return paired_test(a, b, bound=self.bound)
        named = (
            f"question means, the arms' {'draws' if self._same_questions else 'questions'} differ"
        )
        return welch_test(a, b, unit="questions", of=named)

    def outcome(self, level: float) -> TestResult:
        """The test's outcome, with an interval of this level."""
        test = self.test
        return TestResult(test.name, test.unit, self.p_value, self.interval(level), test.note)

    @property
    def p_value(self) -> float:
        """Two-sided p-value of the hypothesis that there is no difference."""
        return self.test.p_value

    def interval(self, level: float) -> tuple[float, float]:
        """The interval of this level; no end lies beyond ``bound``."""
        return self.test.interval(level, self.bound)

    def p_above(self, null: float) -> float:
        """One-sided p-value of the hypothesis that the difference is at most ``null``."""
        return self.test.p_above(null)

    def p_below(self, null: float) -> float:
        """One-sided p-value of the hypothesis that the difference is at least ``null``."""
        return self.test.p_below(null)

    @cached_property
    def sign_flip_p_value(self) -> float | None:
        """The sign-flip permutation test of the questions' differences; None if not paired."""
        if "by question" not in self.test.name:
            return None
        return sign_flip([x - y for x, y in zip(*self.units("questions"), strict=True)])

    @property
    def _same_questions(self) -> bool:
        return self.treated.questions == self.reference.questions

    @property
    def _paired(self) -> bool:
        """Whether the arms answered the same questions, equally often."""
        return self._same_questions and self.treated.draws == self.reference.draws


@dataclass(frozen=True, kw_only=True, eq=False)
class Untestable(Comparison):
    """A comparison of which nothing can be tested."""

    why: str

    @property
    def test(self) -> DifferenceTest:
        return NoTest(unit=self.requested or "questions", note=self.why)
