"""The share that one effect is of another: a ratio of two effects, with Fieller's interval.

A share of ``r`` or more is the linear contrast ``part - r * whole >= 0``, of which there is an
exact kind of test. The interval has all shares that this test does not reject (Fieller 1954, 'Some
problems in interval estimation'). It is unbounded where the whole is not shown to differ from
zero.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from ...datasets import validation as checks
from ...datasets.errors import SpecError
from .combinations import Combination, Combined, Term
from .estimates import Estimate
from .evidence import EvidenceListener
from .hypothesis_tests import ALPHA, TOLERANCE, UNBOUNDED
from .margin_tests import MinimumEffect
from .quantities import Concluded, lies_beyond
from .weighted import Weighted, WeightedSum, obstacle_of, terms_of

FARTHEST = 1e6
"""The largest share that an interval ends at; beyond it there is no end."""
PRECISION = 1e-6
"""Of an interval's ends."""

Chance = Callable[[float], float]
"""The p-value of a share, by the share."""


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Share(Concluded):
    """The share that one effect is of another. Ordered like the number that it is: 0.5 is half.

    Args:
        part: The effect that is a share.
        whole: The effect that it is a share of.

    Raises:
        SpecError: Effects on different scales, when it is made.

    Examples:
        >>> share = effect.share_of(other_effect)
        >>> share < 0.5
    """

    part: WeightedSum
    whole: WeightedSum

    @property
    def value(self) -> float:
        """The ratio of the two effects."""
        whole = self.whole.value
        return self.part.value / whole if abs(whole) > TOLERANCE else UNBOUNDED

    @property
    def title(self) -> str:
        """What it is, in words."""
        return f"the share ({self.part.title}) of ({self.whole.title})"

    @property
    def correction(self) -> int:
        """What p-values are multiplied by."""
        return max(self.part.correction, self.whole.correction)

    @property
    def estimates(self) -> tuple[Estimate, ...]:
        """The estimates behind it."""
        both = (*self.part.weighted, *self.whole.weighted)
        return tuple(estimate for _, estimate in both)

    @property
    def evidence_listener(self) -> EvidenceListener | None:
        return next(filter(None, (each.listener for each in self.estimates)), None)

    @property
    def interval(self) -> tuple[float, float]:
        """Fieller's 95% interval, in the worst case of missing answers."""
        return self._interval_of(self._level, valid=False)

    @property
    def _level(self) -> float:
        """The share of two-sided tests of a true share that reject it, by the correction."""
        return ALPHA / self.correction

    @property
    def corrected_p_value(self) -> float:
        """Two-sided, that the share is 1: that both effects are the same."""
        return min(1.0, self.correction * self._contrast(1.0, valid=False).p_value)

    @property
    def test(self) -> str:
        """The test by name."""
        return f"Fieller: {self._contrast(1.0, valid=False).test.name}"

    @property
    def unit(self) -> str:
        """What the test takes as independent."""
        return self._contrast(1.0, valid=False).test.unit

    @property
    def why_inconclusive(self) -> str:
        """What is in the way of a claim; empty if nothing specific is."""
        if obstacle := obstacle_of(self.estimates, None):
            return obstacle
        if self._whole(valid=False).p_value >= self._level:
            return "the whole effect is not shown to differ from zero, so it has no shares"
        return ""

    @property
    def stated_claim(self) -> str:
        if self.why_inconclusive:
            return f"inconclusive: {self.why_inconclusive}"
        if not self.is_conclusive:
            return "inconclusive"
        return f"the effect is {'a part' if self.value < 1 else 'more than the whole'} of the other"

    @property
    def is_conclusive(self) -> bool:
        return self.is_beyond("<", 1.0) or self.is_beyond(">", 1.0)

    def is_beyond(self, op: str, threshold: float) -> bool:
        intervals = (self._interval_of(self._level, valid=valid) for valid in self._ways)
        beyond = all(lies_beyond(each, op, threshold) for each in intervals)
        return beyond and not self.why_inconclusive

    def at_most(self, share: float) -> MinimumEffect:
        """Whether the share was shown to be smaller than ``share`` (one-sided, corrected).

        Args:
            share: A share; 1 is the whole.

        Raises:
            SpecError: No number.
        """
        return self._one_sided(share, "at most")

    def at_least(self, share: float) -> MinimumEffect:
        """Whether the share was shown to be larger than ``share`` (one-sided, corrected).

        Args:
            share: A share; 1 is the whole.

        Raises:
            SpecError: No number.
        """
        return self._one_sided(share, "at least")

    def _one_sided(self, share: float, direction: Literal["at least", "at most"]) -> MinimumEffect:
        """Two tests, both of which must hold: that the whole has its sign, and the contrast's."""
        if not checks.is_number(share) or abs(share) > FARTHEST:
            raise SpecError(f"share={share!r} must be a number such as 0.5")
        p_values = [self._p_beyond(share, direction, valid) for valid in self._ways]
        p_value = min(1.0, self.correction * max(p_values))
        low, high = self._interval_of(2 * self._level, valid=False)
        interval = (-UNBOUNDED, high) if direction == "at most" else (low, UNBOUNDED)
        result = MinimumEffect(
            bound=share,
            direction=direction,
            p_value=p_value,
            interval=interval,
            says=f"{self.title} {direction} {share:g}",
            obstacle=obstacle_of(self.estimates, None),
        )
        self._note(bool(result), result.says, outcome=bool(result))
        return result

    def _p_beyond(self, share: float, direction: str, valid: bool) -> float:
        contrast, whole = self._contrast(share, valid=valid), self._whole(valid=valid)
        positive = self.whole.value > 0
        sign = whole.p_above(0.0) if positive else whole.p_below(0.0)
        smaller = (direction == "at most") == positive
        return max(sign, contrast.p_below(0.0) if smaller else contrast.p_above(0.0))

    def _contrast(self, share: float, *, valid: bool) -> Combined:
        """``part - share * whole``, with its test."""
        whole = ((-share * weight, estimate) for weight, estimate in self.whole.weighted)
        return _combination((*self.part.weighted, *whole), valid=valid)

    def _whole(self, *, valid: bool) -> Combined:
        return _combination(self.whole.weighted, valid=valid)

    @cached_property
    def _ways(self) -> tuple[bool, ...]:
        """Whether to look among valid answers alone: no, and yes if any answer is invalid."""
        known = (each.coverage for each in self.estimates if each.coverage)
        return (False, True) if any(coverage.invalid_total for coverage in known) else (False,)

    def _interval_of(self, level: float, *, valid: bool) -> tuple[float, float]:
        """All shares with a two-sided p-value of ``level`` or more."""
        whole = self._whole(valid=valid)
        if whole.p_value >= level:
            return -UNBOUNDED, UNBOUNDED

        def chance(share: float) -> float:
            return self._contrast(share, valid=valid).p_value

        center = self._contrast(0.0, valid=valid).value / whole.value
        return _end(chance, center, -1.0, level), _end(chance, center, 1.0, level)

    def __repr__(self) -> str:
        low, high = (_shown(end) for end in self.interval)
        return (
            f"{self.title}: {_shown(self.value)} [{low}, {high}] over {self.unit}, "
            f"p = {self.corrected_p_value:.2g} that it is 1 ({self.test}): {self.stated_claim}"
        )

    def explain(self) -> list[str]:
        """The share and the two effects that it is made of."""
        return [repr(self), *(f"  {line}" for side in (self.part, self.whole)
                              for line in side.explain())]  # fmt: skip


def _combination(weighted: tuple[Weighted, ...], *, valid: bool) -> Combination:
    made = Combination(terms_of([(w, e) for w, e in weighted if abs(w) > TOLERANCE]))
    return made.map(Term.among_valid) if valid else made


def _end(chance: Chance, center: float, way: float, level: float) -> float:
    """Where the test begins to reject shares, going from the center one way."""
    from scipy.optimize import brentq

    inner, step = center, 0.1
    while chance(center + way * step) >= level:
        inner, step = center + way * step, 2 * step
        if step > FARTHEST:
            return way * UNBOUNDED
    outer = center + way * step
    return float(brentq(lambda share: chance(share) - level, inner, outer, xtol=PRECISION))


def _shown(value: float) -> str:
    return "unknown" if abs(value) >= UNBOUNDED else f"{value:.0%}"
