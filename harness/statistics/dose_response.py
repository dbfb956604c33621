"""The dose-response trend: whether more of the data transmits more of the trait."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from ...datasets.errors import SpecError
from .effects import Effect
from .estimates import Estimate
from .exact_rates import ExactRate
from .hypothesis_tests import ALPHA, Line, line, slope_test
from .quantities import Explained


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Trend(Explained):
    """How much an effect grows with each doubling of the dose. Ordered like the number it is."""

    doses: tuple[float, ...]
    effects: tuple[Effect, ...]

    @property
    def value(self) -> float:
        """The growth of the effect with each doubling, in its own unit."""
        treated, reference = self._lines
        return treated.slope - (reference.slope if reference else 0.0)

    @property
    def p_value(self) -> float:
        """Two-sided, that the effect does not grow: Welch's t between the two arms' slopes."""
        return self._tested[0]

    @property
    def interval(self) -> tuple[float, float]:
        """95% interval of the growth."""
        return self._tested[1]

    @property
    def claim(self) -> str:
        """What the trend supports, in words."""
        if self.p_value >= ALPHA or any(effect.ruined for effect in self.effects):
            return "inconclusive"
        way = "larger" if self.value > 0 else "smaller"
        if not all(effect.of_training for effect in self.effects):
            return f"of these checkpoints those of a larger dose show a {way} effect"
        return f"a larger dose has a {way} effect"

    @property
    def _tested(self) -> tuple[float, tuple[float, float]]:
        correction = max(effect.correction for effect in self.effects)
        p_value, interval = slope_test(*self._lines, level=1 - ALPHA / correction)
        return min(1.0, correction * p_value), interval

    @property
    def _lines(self) -> tuple[Line, Line | None]:
        """Seed means over the doses' logarithms; controls have a line if each dose has its own."""
        treated = self._line([effect.treated for effect in self.effects])
        controls = [effect.reference for effect in self.effects]
        own = len({control.table for control in controls}) > 1  # else one control serves all doses
        return treated, self._line(controls) if own else None

    def _line(self, arms: list[Estimate]) -> Line:
        points = [
            (math.log2(dose), value)
            for dose, arm in zip(self.doses, arms, strict=True)
            for value in arm.by_seed
        ]
        return line([x for x, _ in points], [y for _, y in points])

    def __repr__(self) -> str:
        show, interval = self.effects[0].treated.show_difference, self.interval
        shown = self.effects[0].treated.show_interval(interval)
        doses = ", ".join(f"{dose:,g}" for dose in self.doses)
        return (
            f"{show(self.value)} with each doubling of the dose {shown}, p = {self.p_value:.2g} "
            f"(slopes over seed means at {doses}): {self.claim}"
        )

    def explain(self) -> list[str]:
        """The trend and the effects that it rests on, a line each."""
        return [repr(self), *(f"  {dose:,g}: {effect!r}" for dose, effect in self._pairs)]

    @property
    def _pairs(self) -> list[tuple[float, Effect]]:
        return list(zip(self.doses, self.effects, strict=True))


def dose_response(effects: Mapping[int, Effect] | Mapping[float, Effect]) -> Trend:
    """The trend of effects over their doses (rows, epochs), a doubling the unit.

    Where every dose has a control of its own, what the dose does to the controls is taken off.
    Raises :class:`~limen.SpecError` for fewer than two doses, doses of zero or below, fewer than
    three models in all, or exact rates.
    """
    given: dict[float, Effect] = dict(effects.items())
    doses = tuple(sorted(given))
    if len(doses) < 2 or not all(dose > 0 for dose in doses):
        raise SpecError(f"a trend needs two doses or more, above zero: {list(effects)}")
    ordered = tuple(given[dose] for dose in doses)
    answered = [effect for effect in ordered if min(effect.seeds)]
    if (
        len(answered) < 2
        or min(sum(effect.seeds[side] for effect in ordered) for side in (0, 1)) < 3
    ):
        raise SpecError("a trend needs three models or more an arm, over all doses: raise seeds")
    if any(isinstance(effect.treated, ExactRate) for effect in ordered):
        raise SpecError(
            "a trend of exact rates, which may lack something, is not tested: take arm.rate(...)"
        )
    for effect in ordered[1:]:
        ordered[0].treated.check_same(effect.treated)
    return Trend(doses=tuple(map(float, doses)), effects=ordered)
