"""Tests against a margin: equivalence, and effects of at least or at most a given size."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeVar

from ...datasets import validation as checks
from ...datasets.errors import SpecError
from .difference_tests import DifferenceTest
from .estimates import Estimate
from .hypothesis_tests import ALPHA


@dataclass(frozen=True, kw_only=True)
class Equivalence:
    """Whether two arms were shown to differ by less than a margin (two one-sided tests, TOST).

    True only if the 90% interval of their difference lies within the margin (Schuirmann 1987).

    Args:
        margin: The difference below which arms count as alike, in the measure's unit.
        p_value: The larger one of both tests.
        interval: 90% interval of the difference (wider where several traits are tried together).
        says: The claim in words.
        obstacle: Why nothing may be concluded, whatever the p-value; empty if nothing is in the
            way. Default: empty.

    Raises:
        SpecError: From `effect.within()`: no margin, or one of zero or below.

    Examples:
        >>> effect = student.rate("owl") - control.rate("owl")
        >>> effect.within(0.03).p_value
    """

    margin: float
    p_value: float
    interval: tuple[float, float]
    """90% interval of the difference (wider where several traits are tried together)."""
    says: str = field(repr=False)
    obstacle: str = field(default="", repr=False)
    """Why nothing may be concluded, whatever the p-value; empty if nothing is in the way."""

    def __bool__(self) -> bool:
        return self.p_value < ALPHA and not self.obstacle

    def __repr__(self) -> str:
        return _shown(self, self.says, self.p_value, self.obstacle)


@dataclass(frozen=True, kw_only=True)
class MinimumEffect:
    """Whether an effect was shown to be larger than a bound, or smaller (a one-sided test).

    True only if the one-sided 95% interval of the difference lies beyond the bound.
    """

    bound: float
    direction: Literal["at least", "at most"]
    p_value: float
    interval: tuple[float, float]
    """One-sided 95% interval (wider where several traits are tried together). Its other end is the
    largest, or the smallest, difference that is possible."""
    says: str = field(repr=False)
    obstacle: str = field(default="", repr=False)
    """Why nothing may be concluded, whatever the p-value; empty if nothing is in the way."""

    def __bool__(self) -> bool:
        return self.p_value < ALPHA and not self.obstacle

    def __repr__(self) -> str:
        return _shown(self, self.says, self.p_value, self.obstacle)


class Tested(Protocol):
    """A number with its test: the comparison of two arms, or a combination of several."""

    @property
    def bound(self) -> float:
        """The largest value that is possible."""
        ...

    @property
    def test(self) -> DifferenceTest:
        """The test of what was seen."""
        ...

    def interval(self, level: float) -> tuple[float, float]:
        """The interval of this level."""
        ...

    def p_above(self, null: float) -> float:
        """One-sided p-value of the hypothesis that the value is at most ``null``."""
        ...

    def p_below(self, null: float) -> float:
        """One-sided p-value of the hypothesis that the value is at least ``null``."""
        ...


MarginResult = TypeVar("MarginResult", Equivalence, MinimumEffect)


@dataclass(frozen=True, kw_only=True)
class MarginTests:
    """The tests of a difference against a margin; each has to hold in every comparison."""

    what: str
    """The two arms and what is compared, in words."""
    estimate: Estimate
    """One of the two estimates, which knows how a difference is shown."""
    comparisons: Sequence[Tested]
    """Among all answers first, then among valid answers alone."""
    correction: int
    """What p-values are multiplied by."""
    obstacle: str
    """Why nothing may be concluded; empty if nothing is in the way."""

    def within(self, margin: float) -> Equivalence:
        """Whether the difference was shown to be smaller than a margin, in both directions."""
        checks.margin(margin, value_range=(0, self._largest))
        interval = self.comparisons[0].interval(self._one_sided)
        shown = self.estimate.show_difference(margin).replace("+", "±")
        return Equivalence(
            margin=margin,
            p_value=self._corrected([within_p_value(each, margin) for each in self.comparisons]),
            interval=interval,
            says=(
                f"{self.what} within {shown}: 90% interval "
                f"{self.estimate.show_interval(interval)} over {self._unit}"
            ),
            obstacle=self.obstacle,
        )

    def at_least(self, value: float) -> MinimumEffect:
        """Whether the difference was shown to be larger than a value."""
        self._check("at_least", value)
        low = min(each.interval(self._one_sided)[0] for each in self.comparisons)
        p_values = [each.p_above(value) for each in self.comparisons]
        end = f"from {self.estimate.show_difference(low)} up"
        return self._one_sided_test(value, "at least", p_values, (low, self._largest), end)

    def at_most(self, value: float) -> MinimumEffect:
        """Whether the difference was shown to be smaller than a value."""
        self._check("at_most", value)
        high = max(each.interval(self._one_sided)[1] for each in self.comparisons)
        p_values = [each.p_below(value) for each in self.comparisons]
        end = f"up to {self.estimate.show_difference(high)}"
        return self._one_sided_test(value, "at most", p_values, (-self._largest, high), end)

    def _one_sided_test(
        self,
        bound: float,
        direction: Literal["at least", "at most"],
        p_values: Sequence[float],
        interval: tuple[float, float],
        end: str,
    ) -> MinimumEffect:
        """The result of a test in one direction; ``end`` says where its interval ends."""
        return MinimumEffect(
            bound=bound,
            direction=direction,
            p_value=self._corrected(p_values),
            interval=interval,
            says=(
                f"{self.what} {direction} {self.estimate.show_difference(bound)}: one-sided 95% "
                f"interval {end} over {self._unit}"
            ),
            obstacle=self.obstacle,
        )

    def _corrected(self, p_values: Sequence[float]) -> float:
        return min(1.0, self.correction * max(p_values))

    @property
    def _one_sided(self) -> float:
        """The level of a two-sided interval of which each end is a one-sided 95% bound."""
        return 1 - 2 * ALPHA / self.correction

    @property
    def _unit(self) -> str:
        return self.comparisons[0].test.unit

    @property
    def _largest(self) -> float:
        """The largest difference that is possible."""
        return self.comparisons[0].bound

    def _check(self, name: str, value: float) -> None:
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if number and math.isfinite(value) and abs(value) < self._largest:
            return
        hint = ": 2 points are 0.02" if self._largest == 1 else ""
        raise SpecError(
            f"{name}({value!r}) must be a number between {-self._largest:g} and "
            f"{self._largest:g}{hint}"
        )


def shown_for(is_conclusive: bool, result: MarginResult) -> MarginResult | None:
    """The test that a claim is shown with; None, the effect itself, if that says more.

    An effect without a verdict would say "inconclusive", and one with a verdict that arms differ,
    where they were shown to differ by less than a margin.
    """
    is_alike = isinstance(result, Equivalence) and bool(result)
    return result if is_alike or not is_conclusive else None


def within_p_value(comparison: Tested, margin: float) -> float:
    """The p-value of a difference of ``margin`` or more, in either direction (TOST)."""
    return max(comparison.p_above(-margin), comparison.p_below(margin))


def _shown(holds: object, says: str, p_value: float, obstacle: str) -> str:
    why = f" ({obstacle})" if obstacle else ""
    return f"<{'' if holds else 'not shown to be '}{says}, p = {p_value:.2g}{why}>"
