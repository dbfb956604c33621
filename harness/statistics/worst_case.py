"""The comparison of two arms where outcomes are missing: it holds whatever they would have been.

Bounds on what is missing follow Manski (2003), *Partial Identification of Probability
Distributions*, chapter 1: every missing outcome of one arm is set to the smallest possible value
and every one of the other arm to the largest, and the other way round.
"""

from dataclasses import dataclass
from functools import cached_property

from .comparison import Comparison
from .difference_tests import DifferenceTest


@dataclass(frozen=True, kw_only=True, eq=False)
class WorstCase(Comparison):
    """A comparison that allows for what is missing.

    The value is that of what was seen. Interval and p-values are those of the worst case.
    """

    lowest: Comparison
    """The comparison with everything missing against the treated arm."""
    highest: Comparison
    """The comparison with everything missing in favour of the treated arm."""

    @cached_property
    def as_seen(self) -> Comparison:
        """The comparison of what was seen, as if nothing were missing."""
        return Comparison(
            treated=self.treated,
            reference=self.reference,
            requested=self.requested,
            bound=self.bound,
        )

    @property
    def test(self) -> DifferenceTest:
        return self.as_seen.test

    @property
    def p_value(self) -> float:
        if self.lowest.value <= 0 <= self.highest.value:
            return 1.0
        return max(each.p_value for each in (self.as_seen, self._nearest_to_zero))

    def interval(self, level: float) -> tuple[float, float]:
        ends = [each.interval(level) for each in self._all]
        return min(low for low, _ in ends), max(high for _, high in ends)

    def p_above(self, null: float) -> float:
        return max(each.p_above(null) for each in self._all)

    def p_below(self, null: float) -> float:
        return max(each.p_below(null) for each in self._all)

    @cached_property
    def sign_flip_p_value(self) -> float | None:
        return self._nearest_to_zero.sign_flip_p_value

    @property
    def _all(self) -> tuple[Comparison, ...]:
        return self.as_seen, self.lowest, self.highest

    @property
    def _nearest_to_zero(self) -> Comparison:
        return self.lowest if self.as_seen.value > 0 else self.highest
