"""Weighted sums of rates that are there on every scale on which drift may be the same for all.

Drift that adds to all rates cancels in a grid's diagonal on the scale of rates only; drift in
proportion to each rate, on that of their logarithms; a loss of all other answers in proportion, on
that of the others' logarithms; drift in log-odds lies between these. A diagonal that one scale
takes off is no transfer (Loftus 1978, 'On interpretation of interactions': removable
interactions). So it must be there on every scale, in one direction: an intersection-union test,
whose p-value is the largest of all, and whose level holds for each kind of drift (Berger 1982,
'Multiparameter hypothesis testing and acceptance sampling').
"""

from dataclasses import dataclass, field, replace
from functools import cached_property

from .combinations import Combination, ModelGroup, Term
from .contrasts import Contrast
from .difference_tests import DifferenceTest
from .hypothesis_tests import ALPHA
from .scales import LINKS, Link, linear_sample
from .weighted import terms_of

EVERY_SCALE = "the largest p-value of four scales"
"""What the name of the test says; the fourth scale is that of rates."""
NOT_ON_EVERY_SCALE = (
    "it is not there on every scale: drift of all traits, in proportion to how popular they are, "
    "would look the same"
)


@dataclass(frozen=True, eq=False)
class ScaledCombination(Combination):
    """A weighted sum of rates on another scale, linear around each rate (the delta method)."""

    link: Link = field(kw_only=True)

    @property
    def terms(self) -> tuple[Term, ...]:
        return self._scaled

    @cached_property
    def _scaled(self) -> tuple[Term, ...]:
        return tuple(
            replace(term, sample=linear_sample(term.sample, self.link)) for term in self._terms
        )

    def error_of(self, group: ModelGroup) -> float:
        """At least what finite draws make: seeds that all lack a word show no spread."""
        draws = sum(term.weight**2 * term.sample.draw_error for term in group.terms)
        return max(super().error_of(group), draws)


@dataclass(frozen=True, eq=False)
class OnEveryScale(Combination):
    """A weighted sum of rates whose p-values hold on every scale; of other numbers, on their own.

    Its value and interval are in rates. The interval leaves 0 out only where all scales do.
    """

    @cached_property
    def scaled(self) -> tuple[ScaledCombination, ...]:
        """The same on each further scale; none for what is no rate."""
        if any(term.outcomes != (0.0, 1.0) for term in self.given):
            return ()
        return tuple(
            ScaledCombination(self.given, self.requested, link=each) for each in LINKS.values()
        )

    @property
    def test(self) -> DifferenceTest:
        if not self.scaled:
            return self._test
        return replace(self._test, name=f"{self._test.name}, {EVERY_SCALE}")

    @property
    def p_value(self) -> float:
        if any((each.value > 0) != (self.value > 0) for each in self.scaled):
            return 1.0
        return max([self.p_value_of_rates, *(each.p_value for each in self.scaled)])

    @property
    def p_value_of_rates(self) -> float:
        """The p-value on the scale of rates alone."""
        return super().p_value

    def interval(self, level: float) -> tuple[float, float]:
        low, high = super().interval(level)
        if self.p_value < 1 - level:
            return low, high
        return min(low, 0.0), max(high, 0.0)

    def p_above(self, null: float) -> float:
        others = self.scaled if null >= 0 else ()
        return max([super().p_above(null), *(each.p_above(0.0) for each in others)])

    def p_below(self, null: float) -> float:
        others = self.scaled if null <= 0 else ()
        return max([super().p_below(null), *(each.p_below(0.0) for each in others)])


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class OwnTraitContrast(Contrast):
    """A grid's diagonal over seeds or questions: of rates, on every scale."""

    def _combination(self) -> OnEveryScale:
        return OnEveryScale(terms_of(self.weighted), self.requested_unit)

    def _obstacle(self) -> str:
        rates = min(1.0, self.correction * self._combination().p_value_of_rates)
        missed = rates < ALPHA <= self.corrected_p_value
        return super()._obstacle() or (NOT_ON_EVERY_SCALE if missed else "")
