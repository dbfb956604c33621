"""Tests of a difference: each gives p-values against any null value, and intervals of any level.

All t tests are one computation: a difference, its standard error and degrees of freedom. They
differ in where the three come from. No value here is ever NaN.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from .degrees_of_freedom import conservative, satterthwaite
from .hypothesis_tests import TOLERANCE, UNBOUNDED, mean, value_range

MANY = 1_000
"""The size of a sample that is large beside any number of seeds."""


@dataclass(frozen=True, kw_only=True)
class DifferenceTest(ABC):
    """A test of the difference of two arms."""

    name: str
    """The test's name, as a report shows it."""
    unit: str
    """What the test takes as independent: ``seeds``, ``questions``, ``both``, or ``pairs``."""
    note: str = ""
    """What is unusual about this test; empty if nothing is."""

    @abstractmethod
    def p_above(self, null: float) -> float:
        """One-sided p-value of the hypothesis that the difference is at most ``null``."""

    @abstractmethod
    def p_below(self, null: float) -> float:
        """One-sided p-value of the hypothesis that the difference is at least ``null``."""

    @abstractmethod
    def interval(self, level: float, bound: float) -> tuple[float, float]:
        """Two-sided interval of this level; no end lies beyond ``bound``."""

    @property
    def p_value(self) -> float:
        """Two-sided p-value of the hypothesis that there is no difference."""
        return min(1.0, 2 * min(self.p_above(0.0), self.p_below(0.0)))


@dataclass(frozen=True, kw_only=True)
class TTest(DifferenceTest):
    """A t test."""

    difference: float
    error: float
    """Standard error of the difference, above 0."""
    degrees: float
    """Degrees of freedom."""

    def reversed(self) -> "TTest":
        """The same test with the two arms exchanged."""
        return replace(self, difference=-self.difference)

    def p_above(self, null: float) -> float:
        from scipy.special import stdtr

        return float(stdtr(self.degrees, (null - self.difference) / self.error))

    def p_below(self, null: float) -> float:
        from scipy.special import stdtr

        return float(stdtr(self.degrees, (self.difference - null) / self.error))

    def interval(self, level: float, bound: float) -> tuple[float, float]:
        from scipy.special import stdtrit

        half = float(stdtrit(self.degrees, (1 + level) / 2)) * self.error
        return max(-bound, self.difference - half), min(bound, self.difference + half)


@dataclass(frozen=True, kw_only=True)
class SignFlipTest(DifferenceTest):
    """The exact sign-flip test where every question differs by the same amount.

    A t test has no spread to use then. If the arms were exchangeable, the sign of each question's
    difference would be random: all of them agree, in either direction, in 2 of 2^n cases. That is
    for no difference at all. Few questions, or few draws of each, may agree by chance although
    others would not: the mean of questions of which a share q differs by this amount, and the rest
    by as much as can be in the other direction, is compatible with what was seen to q^n.
    """

    difference: float
    questions: int
    bound: float
    """The largest difference that is possible."""

    def p_above(self, null: float) -> float:
        return self._p_value(self.difference, null)

    def p_below(self, null: float) -> float:
        return self._p_value(-self.difference, -null)

    def _p_value(self, difference: float, null: float) -> float:
        """Of the hypothesis that the difference is at most ``null``."""
        if difference <= null + TOLERANCE:
            return 1.0
        if null <= -self.bound:
            return 0.0
        share = (null + self.bound) / (difference + self.bound)
        flips = 2.0**-self.questions if null <= 0 < difference - TOLERANCE else 1.0
        return min(flips, share**self.questions)

    def interval(self, level: float, bound: float) -> tuple[float, float]:
        share = ((1 - level) / 2) ** (1 / self.questions) if bound < UNBOUNDED else 0.0
        low = share * (self.difference + bound) - bound
        high = bound - share * (bound - self.difference)
        if 2.0 ** (1 - self.questions) >= 1 - level or abs(self.difference) <= TOLERANCE:
            return low, high
        return (max(0.0, low), high) if self.difference > 0 else (low, min(0.0, high))


@dataclass(frozen=True, kw_only=True)
class NoTest(DifferenceTest):
    """No test is possible: nothing is known about the difference."""

    name: str = "none"

    def p_above(self, null: float) -> float:
        return 1.0

    def p_below(self, null: float) -> float:
        return 1.0

    def interval(self, level: float, bound: float) -> tuple[float, float]:
        return -bound, bound


def welch_test(a: Sequence[float], b: Sequence[float], *, unit: str, of: str) -> DifferenceTest:
    """Welch's t test of two independent samples (Welch 1947); ``of`` names what they consist of.

    For unequal counts, or two values a sample, it has fewer degrees of freedom than Welch's own
    (see :mod:`.degrees_of_freedom`), and its name says so.
    """
    if min(len(a), len(b)) < 2:
        return NoTest(unit=unit, note="one question an arm says nothing of other questions")
    if max(value_range(a), value_range(b)) <= TOLERANCE:
        return NoTest(unit=unit, note="no spread to test a difference against")
    parts = [(squared_error(values), len(values) - 1) for values in (a, b)]
    degrees = satterthwaite(parts)
    used = conservative(degrees, (len(a), len(b)))
    cautious = f", conservative at {len(a)} v {len(b)}" if used < degrees else ""
    return TTest(
        name=f"Welch's t over {of}{cautious}",
        unit=unit,
        difference=mean(a) - mean(b),
        error=math.sqrt(sum(part for part, _ in parts)),
        degrees=used,
    )


def one_sample_test(values: Sequence[float], fixed: float, error: float) -> TTest:
    """The t test of seed means against the value of one fixed model.

    ``error`` is the squared standard error of that value, from its finite draws: so many that their
    own degrees of freedom do not matter; 0 where nothing is drawn. Then few seeds have fewer
    degrees of freedom than Satterthwaite's (see :mod:`.degrees_of_freedom`): by simulation 3 seeds
    err in 8% otherwise.
    """
    parts = [(squared_error(values), len(values) - 1), (error, math.inf)]
    added = ", the single model's sampling error added" if error else ""
    return TTest(
        name=f"one-sample t over seed means{added}",
        unit="seeds",
        difference=mean(values) - fixed,
        error=math.sqrt(sum(part for part, _ in parts)),
        degrees=conservative(satterthwaite(parts), (len(values), MANY)),
    )


def paired_test(
    a: Sequence[float],
    b: Sequence[float],
    *,
    of: Literal["question", "seed"] = "question",
    bound: float = UNBOUNDED,
) -> DifferenceTest:
    """The t test of the differences of questions, or of seeds whose students share data.

    ``bound`` is the largest difference that is possible.
    """
    differences = [x - y for x, y in zip(a, b, strict=True)]
    unit = "questions" if of == "question" else "pairs"
    if len(differences) < 2:
        return NoTest(unit=unit, note=f"one {of} says nothing of other {of}s")
    if value_range(differences) <= TOLERANCE:
        return SignFlipTest(
            name=f"sign-flip by {of}",
            unit=unit,
            note=f"no spread: every {of} differs by the same amount",
            difference=mean(differences),
            questions=len(differences),
            bound=bound,
        )
    return TTest(
        name=f"t paired by {of}",
        unit=unit,
        difference=mean(differences),
        error=math.sqrt(squared_error(differences)),
        degrees=len(differences) - 1,
    )


def squared_error(values: Sequence[float]) -> float:
    """Squared standard error of the mean of two values or more."""
    center = mean(values)
    squares = math.fsum((value - center) ** 2 for value in values)
    return squares / (len(values) - 1) / len(values)
