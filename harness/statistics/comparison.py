"""The comparison of two arms: which values are compared, and by which test."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from .difference_tests import DifferenceTest, paired_test, welch_test
from .estimates import Estimate
from .hypothesis_tests import TOLERANCE, UNBOUNDED, TestResult, sign_flip, value_range

Unit = Literal["seeds", "questions"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Comparison:
    """Two estimates and the test that compares them.

    From two seeds an arm the test is Welch's t over seed means. Below that it is a t test paired
    by question, over the questions' means (unpaired where the arms answered different questions).
    """

    treated: Estimate
    reference: Estimate
    requested: Unit | None
    """What to take as independent, if that was asked for."""

    @property
    def value(self) -> float:
        """The difference of the two estimates."""
        return self.treated.value - self.reference.value

    def units(self, unit: str) -> tuple[Sequence[float], Sequence[float]]:
        """The values of the two arms, by seed or by question."""
        if unit == "seeds":
            return self.treated.by_seed, self.reference.by_seed
        return self._by_question

    @cached_property
    def test(self) -> DifferenceTest:
        """The test, for any null value and level."""
        if self._over_seeds:
            a, b = self.treated.by_seed, self.reference.by_seed
            if max(value_range(a), value_range(b)) > TOLERANCE:
                return welch_test(a, b, unit="seeds", of="seed means")
        one, other = self._by_question
        if self._paired:
            return paired_test(one, other)
        alike = self.treated.questions == self.reference.questions
        named = f"question means, the arms' {'draws' if alike else 'questions'} differ"
        return welch_test(one, other, unit="questions", of=named)

    def outcome(self, level: float) -> TestResult:
        """The test's outcome, with an interval of this level."""
        test = self.test
        interval = test.interval(level, self.bound)
        return TestResult(test.name, test.unit, test.p_value, interval, test.note)

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
        return sign_flip([x - y for x, y in zip(*self._by_question, strict=True)])

    @property
    def bound(self) -> float:
        """The largest difference that is possible."""
        low, high = self.treated.bounds
        return high - low if math.isfinite(high - low) else UNBOUNDED

    @property
    def _over_seeds(self) -> bool:
        enough = min(self.treated.seeds, self.reference.seeds) > 1
        return enough and self.requested != "questions"

    @property
    def _paired(self) -> bool:
        """Whether the arms answered the same questions, equally often."""
        a, b = self.treated, self.reference
        return a.questions == b.questions and a.draws == b.draws

    @property
    def _by_question(self) -> tuple[Sequence[float], Sequence[float]]:
        one, other = self.treated.by_question, self.reference.by_question
        if self._paired:
            both = [question for question in one if question in other]
            return [one[q] for q in both], [other[q] for q in both]
        return tuple(one.values()), tuple(other.values())
