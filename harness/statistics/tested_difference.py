"""The difference of two arms in numbers: value, p-value and interval, corrected for being many."""

from dataclasses import dataclass, replace
from functools import cached_property

from .compare import compare, compare_valid
from .comparison import Comparison, Unit
from .contrasts import Combinable
from .estimates import Estimate
from .evidence import EvidenceListener
from .hypothesis_tests import ALPHA, TestResult
from .weighted import Weighted


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class TestedDifference(Combinable):
    """The difference of two arms, and the outcome of its test.

    Where several traits are tried together p-values are multiplied by their number and intervals
    are as much wider (Bonferroni: it holds whichever of them were run).
    """

    __test__ = False  # not a test of pytest's

    treated: Estimate
    reference: Estimate
    requested_unit: Unit | None = None
    """What to take as independent, if :meth:`over` was called."""
    adjusted: TestResult | None = None
    """The outcome in place of the test's own, where it was corrected together with others'."""
    among: int = 1
    """Effects that it was corrected together with, itself among them."""
    exploratory: bool = False
    """Whether the correction bounds the share of false findings only, not the chance of any."""

    @property
    def value(self) -> float:
        """The difference; of rates, -1 to 1."""
        return self.comparison.value

    @cached_property
    def comparison(self) -> Comparison:
        """The values that are compared, and the test that compares them."""
        return compare(self.treated, self.reference, self.requested_unit)

    @cached_property
    def comparison_of_valid(self) -> Comparison | None:
        """The same among valid answers alone; None if no answer is known to be invalid."""
        return compare_valid(self.treated, self.reference, self.requested_unit)

    @property
    def family(self) -> int:
        """Traits that are tried together."""
        return max(self.treated.family, self.reference.family, self.among)

    @property
    def looks(self) -> int:
        """How often the results may be looked at before all seeds are in."""
        return max(self.treated.looks, self.reference.looks)

    @property
    def correction(self) -> int:
        """What p-values are multiplied by: the family, times the looks (Bonferroni)."""
        return self.family * self.looks

    @property
    def raw_p_value(self) -> float:
        """Two-sided, corrected for nothing."""
        return self._own.p_value

    @property
    def evidence_listener(self) -> EvidenceListener | None:
        return self.treated.listener or self.reference.listener

    @property
    def corrected_p_value(self) -> float:
        """Two-sided, corrected for the family and the looks, as a plain number."""
        if self.adjusted is not None:
            return self.adjusted.p_value
        return min(1.0, self.correction * self.raw_p_value)

    @property
    def interval(self) -> tuple[float, float]:
        """95% interval of the difference, simultaneous over the family and the looks."""
        return (self.adjusted or self._own).interval

    @property
    def test(self) -> str:
        """The test by name."""
        if self.adjusted is not None:
            return self.adjusted.test
        why = f" ({self.looks} looks)" if self.looks > 1 else ""
        corrected = f", Bonferroni x {self.correction}{why}" if self.correction > 1 else ""
        return self._own.test + corrected

    @property
    def unit(self) -> str:
        """What the test takes as independent: ``seeds`` or ``questions``."""
        return (self.adjusted or self._own).unit

    @property
    def n(self) -> tuple[int, int]:
        """How many units the two arms have."""
        a, b = self.comparison.units(self.unit)
        return len(a), len(b)

    @property
    def seeds(self) -> tuple[int, int]:
        """Models in the two arms."""
        return self.treated.seeds, self.reference.seeds

    @property
    def sign_flip_p_value(self) -> float | None:
        """The sign-flip permutation test of the questions' differences: a check of the t test.

        None where the test is not paired by question.
        """
        return self.comparison.sign_flip_p_value

    @cached_property
    def _own(self) -> TestResult:
        """The test's own outcome, at the corrected level."""
        return self.comparison.outcome(1 - ALPHA / self.correction)

    def outcome(self, family: int, p_value: float, how: str) -> TestResult:
        """Its own test's outcome with a p-value that was corrected together with others'.

        The interval is simultaneous over a family of that size.

        Args:
            family: Comparisons that are corrected together.
            p_value: The corrected one, 0 to 1.
            how: The name of the correction.
        """
        own = self.comparison.outcome(1 - ALPHA / (family * self.looks))
        return replace(own, test=f"{own.test}, {how}", p_value=p_value)

    @property
    def factor(self) -> float:
        """What p-values are multiplied by, as the correction of this one shows."""
        if self.adjusted is None or not self.raw_p_value:
            return self.correction
        return max(1.0, self.corrected_p_value / self.raw_p_value)

    @property
    def weighted(self) -> tuple[Weighted, ...]:
        return (1.0, self.treated), (-1.0, self.reference)

    @property
    def title(self) -> str:
        return self.arms

    @property
    def arms(self) -> str:
        """The two arms and what is compared, in words."""
        return f"{self.treated.arm} - {self.reference.arm} {self.treated.what}"
