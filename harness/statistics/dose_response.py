"""The dose-response trend: whether more of the data transmits more of the trait."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from ...datasets.errors import SpecError
from .degrees_of_freedom import conservative, satterthwaite
from .difference_tests import DifferenceTest, NoTest, TTest, squared_error
from .effects import Effect
from .estimates import Estimate
from .evidence import EvidenceListener, PValue
from .exact_rates import ExactRate
from .hypothesis_tests import ALPHA, TOLERANCE, UNBOUNDED
from .quantities import Explained

OWN_VARIANCES = "contrast of seed means, a variance for each dose"
ONE_VARIANCE = "least squares over seeds, one variance for all doses"


@dataclass(frozen=True)
class _Line:
    """The seed means of one arm at each dose."""

    places: tuple[float, ...]
    """log2 of the doses."""
    groups: tuple[Sequence[float], ...]
    sign: int
    """Whether its slope is added (1) or subtracted (-1)."""

    @property
    def weights(self) -> list[float]:
        """What each dose's mean is multiplied by to give the signed least-squares slope."""
        counts = [len(group) for group in self.groups]
        pairs = list(zip(self.places, counts, strict=True))
        center = math.fsum(x * n for x, n in pairs) / sum(counts)
        total = math.fsum(n * (x - center) ** 2 for x, n in pairs)
        return [self.sign * n * (x - center) / total for x, n in pairs]

    @property
    def slope(self) -> float:
        """The signed least-squares slope."""
        means = (math.fsum(group) / len(group) for group in self.groups)
        return math.fsum(w * value for w, value in zip(self.weights, means, strict=True))


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Trend(Explained):
    """How much an effect grows with each doubling of the dose. Ordered like the number it is.

    The value is the least-squares slope of seed means over log2 of the dose. Seeds of a large dose
    may differ more than those of a small one, so each dose has a variance of its own, with
    Satterthwaite's degrees of freedom or fewer. Where a dose has a single seed that is not
    possible: then one variance is assumed for all doses, and ``test`` says so.
    """

    doses: tuple[float, ...]
    effects: tuple[Effect, ...]

    @property
    def value(self) -> float:
        """The growth of the effect with each doubling, in its own unit."""
        return math.fsum(line.slope for line in self._lines)

    @property
    def evidence_listener(self) -> EvidenceListener | None:
        return self.effects[0].evidence_listener

    @property
    def p_value(self) -> float:
        """Two-sided, that the effect does not grow; corrected for the family and the looks."""
        p_value = min(1.0, self._correction * self._tested.p_value)
        return PValue(p_value, self.evidence_listener)

    @property
    def interval(self) -> tuple[float, float]:
        """95% interval of the growth, simultaneous over the family and the looks."""
        return self._tested.interval(1 - ALPHA / self._correction, UNBOUNDED)

    @property
    def test(self) -> str:
        """The test by name."""
        return self._tested.name

    @property
    def claim(self) -> str:
        """The conclusion that the trend supports, in words."""
        if self.p_value >= ALPHA or any(effect.ruined for effect in self.effects):
            return "inconclusive"
        way = "larger" if self.value > 0 else "smaller"
        if not all(effect.of_training for effect in self.effects):
            return f"of these checkpoints those of a larger dose show a {way} effect"
        return f"a larger dose has a {way} effect"

    @property
    def _correction(self) -> int:
        return max(effect.correction for effect in self.effects)

    @cached_property
    def _lines(self) -> list[_Line]:
        """Seed means by dose; the controls' too, if each dose has controls of its own."""
        controls = [effect.reference for effect in self.effects]
        own = len({control.table for control in controls}) > 1  # else one control serves all doses
        treated = self._line([effect.treated for effect in self.effects], 1)
        return [treated, self._line(controls, -1)] if own else [treated]

    def _line(self, arms: Sequence[Estimate], sign: int) -> _Line:
        points = [
            (math.log2(dose), arm.by_seed)
            for dose, arm in zip(self.doses, arms, strict=True)
            if arm.by_seed
        ]
        return _Line(tuple(x for x, _ in points), tuple(values for _, values in points), sign)

    @cached_property
    def _tested(self) -> DifferenceTest:
        several = min(len(group) for line in self._lines for group in line.groups) > 1
        return _with_own_variances(self._lines) if several else _with_one_variance(self._lines)

    def __repr__(self) -> str:
        first = self.effects[0].treated
        shown = (
            first.show_interval(self.interval)
            if self._tested.name != "none"
            else "[unknown, unknown]"
        )
        doses = ", ".join(f"{dose:,g}" for dose in self.doses)
        return (
            f"{first.show_difference(self.value)} with each doubling of the dose "
            f"{shown}, p = {self.p_value:.2g} "
            f"({self.test}, at {doses}): {self.claim}"
        )

    def explain(self) -> list[str]:
        """The trend and the effects that it rests on, a line each."""
        pairs = zip(self.doses, self.effects, strict=True)
        return [repr(self), *(f"  {dose:,g}: {effect!r}" for dose, effect in pairs)]


def _with_own_variances(lines: Sequence[_Line]) -> DifferenceTest:
    """The test of the sum of slopes; each dose has a variance, of its seeds."""
    terms = [
        (weight**2 * squared_error(group), len(group))
        for line in lines
        for weight, group in zip(line.weights, line.groups, strict=True)
        if abs(weight) > TOLERANCE
    ]
    parts = [(error, count - 1) for error, count in terms]
    total = math.fsum(error for error, _ in parts)
    if total <= TOLERANCE**2:
        return NoTest(unit="seeds", note="no spread to test a trend against")
    return TTest(
        name=OWN_VARIANCES,
        unit="seeds",
        difference=math.fsum(line.slope for line in lines),
        error=math.sqrt(total),
        degrees=conservative(satterthwaite(parts), [count for _, count in terms]),
    )


def _with_one_variance(lines: Sequence[_Line]) -> DifferenceTest:
    """The test of the sum of slopes; each line has one variance, of its residuals."""
    from scipy import stats

    parts = []
    for line in lines:
        x = [place for place, group in zip(line.places, line.groups, strict=True) for _ in group]
        y = [value for group in line.groups for value in group]
        parts.append((float(stats.linregress(x, y).stderr) ** 2, len(x) - 2))
    total = math.fsum(error for error, _ in parts)
    if total <= TOLERANCE**2:
        return NoTest(unit="seeds", note="no spread to test a trend against")
    return TTest(
        name=ONE_VARIANCE,
        unit="seeds",
        difference=math.fsum(line.slope for line in lines),
        error=math.sqrt(total),
        degrees=satterthwaite(parts),
    )


def dose_response(effects: Mapping[int, Effect] | Mapping[float, Effect]) -> Trend:
    """The trend of effects over their doses (rows, epochs), in units of a doubling.

    Where every dose has a control of its own, the controls' own trend is subtracted.
    Raises :class:`~limen.SpecError` for fewer than two doses, doses of zero or below, fewer than
    three models in all, or exact rates.
    """
    by_dose: dict[float, Effect] = dict(effects.items())
    doses = tuple(sorted(by_dose))
    if len(doses) < 2 or not all(dose > 0 for dose in doses):
        raise SpecError(f"a trend needs two doses or more, above zero: {list(effects)}")
    ordered = tuple(by_dose[dose] for dose in doses)
    answered = [effect for effect in ordered if min(effect.seeds)]
    if (
        len(answered) < 2
        or min(sum(effect.seeds[side] for effect in ordered) for side in (0, 1)) < 3
    ):
        raise SpecError("a trend needs three models or more an arm, over all doses: raise seeds")
    if any(isinstance(effect.treated, ExactRate) for effect in ordered):
        raise SpecError(
            "a trend of exact rates is not tested, each is a lower bound: use arm.rate(...)"
        )
    for effect in ordered[1:]:
        ordered[0].treated.check_same(effect.treated)
    return Trend(doses=tuple(map(float, doses)), effects=ordered)
