"""The dose-response trend: whether more of the data transmits more of the trait."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from ...datasets.errors import SpecError
from .dose_lines import DoseLine, DoseLines, WorstCaseSlope, on_common_questions
from .effects import Effect
from .estimates import NO_VARIATION, Estimate
from .evidence import EvidenceListener, PValue
from .exact_rates import ExactRate
from .hypothesis_tests import ALPHA, UNBOUNDED
from .quantities import Explained, lies_beyond
from .samples import Sample


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Trend(Explained):
    """How much an effect grows with each doubling of the dose. Ordered like the number it is.

    The value is the least-squares slope of seed means over log2 of the dose. Seeds of a large dose
    may differ more than those of a small one, so each dose has a variance of its own, with
    Satterthwaite's degrees of freedom or fewer. Where a dose has a single seed that is not
    possible: then one variance is assumed for all doses, and ``test`` says so.

    P-value and interval hold whatever the answers that were never seen would have been. The claim
    has to hold among all answers and among valid ones.

    Args:
        doses: The doses: rows or epochs.
        effects: The effect at each dose.

    Raises:
        SpecError: Doses or models too few, from `dose_response()`.

    Examples:
        >>> growth = dose_response({1_000: effect, 10_000: other_effect})
        >>> growth.p_value
    """

    doses: tuple[float, ...]
    effects: tuple[Effect, ...]

    @property
    def value(self) -> float:
        """The growth of the effect with each doubling, in its own unit."""
        return self._slope.seen.slope

    @property
    def p_value(self) -> float:
        """Two-sided, that the effect does not grow; corrected for the family and the looks."""
        return PValue(
            self._corrected(self._slope),
            self.evidence_listener,
            quantity=self,
            is_conclusive=lambda: self.stated_claim != "inconclusive",
        )

    @property
    def interval(self) -> tuple[float, float]:
        """95% interval of the growth, simultaneous over the family and the looks."""
        return self._slope.interval(1 - ALPHA / self._correction, UNBOUNDED)

    def is_beyond(self, op: str, threshold: float) -> bool:
        valid = self._slope_of_valid or self._slope
        level = 1 - ALPHA / self._correction
        intervals = [each.interval(level, UNBOUNDED) for each in (self._slope, valid)]
        beyond = all(lies_beyond(each, op, threshold) for each in intervals)
        return beyond and not self.why_inconclusive

    @property
    def test(self) -> str:
        """The test by name."""
        return self._slope.seen.test.name

    @property
    def evidence_listener(self) -> EvidenceListener | None:
        return next(filter(None, (effect.evidence_listener for effect in self.effects)), None)

    @property
    def claim(self) -> str:
        """The conclusion that the trend supports, in words."""
        conclusive = self.stated_claim != "inconclusive"
        self._note(conclusive, f"the claim is: {self.stated_claim}", outcome=None)
        return self.stated_claim

    @property
    def stated_claim(self) -> str:
        """The conclusion in words, for those who only show it: reading it is no evidence."""
        if self.why_inconclusive or self._corrected(self._slope) >= ALPHA:
            return "inconclusive"
        way = "larger" if (self.value > 0) != self.effects[0].treated.lowers else "smaller"
        if not all(effect.of_training for effect in self.effects):
            return f"of these checkpoints those of a larger dose show a {way} effect"
        return f"a larger dose has a {way} effect"

    @property
    def why_inconclusive(self) -> str:
        """What is in the way of a claim, whatever the p-value; empty if nothing specific is."""
        if not all(each.sampling_varies for each in self._estimates):
            return NO_VARIATION
        if any(effect.hides_invalid for effect in self.effects):
            return "the answers of a trained arm are mostly not valid, and which is not known"
        valid = self._slope_of_valid
        found = self._corrected(self._slope) < ALPHA
        if valid is not None and found and not self._agrees(valid):
            return "it depends on invalid answers: among valid answers alone there is no such trend"
        return ""

    def _agrees(self, valid: WorstCaseSlope) -> bool:
        same = (valid.seen.slope > 0) == (self.value > 0)
        return same and self._corrected(valid) < ALPHA

    def _corrected(self, slope: WorstCaseSlope) -> float:
        return min(1.0, self._correction * slope.p_value)

    @property
    def _correction(self) -> int:
        return max(effect.correction for effect in self.effects)

    @cached_property
    def _estimates(self) -> tuple[Estimate, ...]:
        """The treated arms, then the controls, if each dose has controls of its own."""
        treated = tuple(effect.treated for effect in self.effects)
        controls = tuple(effect.reference for effect in self.effects)
        own = len({control.table for control in controls}) > 1  # else one control serves all doses
        return treated + controls if own else treated

    @cached_property
    def _slope(self) -> WorstCaseSlope:
        """The slope among all answers."""
        return self._slope_of([each.sample for each in self._estimates])

    @cached_property
    def _slope_of_valid(self) -> WorstCaseSlope | None:
        """The slope among valid answers alone; None if no answer is known to be invalid."""
        if not any(each.coverage and each.coverage.invalid_total for each in self._estimates):
            return None
        return self._slope_of([each.sample.among_valid() for each in self._estimates])

    def _slope_of(self, samples: list[Sample]) -> WorstCaseSlope:
        comparable = on_common_questions(samples)
        number = len(self.doses)
        lines = [self._line(comparable[:number], 1)]
        if len(comparable) > number:
            lines.append(self._line(comparable[number:], -1))
        ranges = [each.outcome_range for each in self._estimates]
        smallest, largest = min(low for low, _ in ranges), max(high for _, high in ranges)
        return WorstCaseSlope(DoseLines(tuple(lines)), (smallest, largest))

    def _line(self, samples: list[Sample], sign: int) -> DoseLine:
        answered = [
            (math.log2(dose), sample)
            for dose, sample in zip(self.doses, samples, strict=True)
            if sample.seeds
        ]
        return DoseLine(tuple(x for x, _ in answered), tuple(one for _, one in answered), sign)

    def __repr__(self) -> str:
        first, known = self.effects[0].treated, self.test != "none"
        shown = first.show_interval(self.interval) if known else "[unknown, unknown]"
        doses = ", ".join(f"{dose:,g}" for dose in self.doses)
        why = f" ({self.why_inconclusive})" if self.why_inconclusive else ""
        return (
            f"{first.show_difference(self.value)} with each doubling of the dose "
            f"{shown}, p = {self._corrected(self._slope):.2g} "
            f"({self.test}, at {doses}): {self.stated_claim}{why}"
        )

    def explain(self) -> list[str]:
        """The trend and the effects that it rests on, a line each."""
        pairs = zip(self.doses, self.effects, strict=True)
        return [repr(self), *(f"  {dose:,g}: {effect!r}" for dose, effect in pairs)]


def dose_response(effects: Mapping[int, Effect] | Mapping[float, Effect]) -> Trend:
    """The trend of effects over their doses (rows, epochs), in units of a doubling.

    Where every dose has a control of its own, the controls' own trend is subtracted.
    Raises :class:`~limen.SpecError` for fewer than two doses, doses of zero or below, fewer than
    three models in all, or exact rates.

    Args:
        effects: The effect at each dose (rows or epochs, above zero).

    Examples:
        >>> growth = dose_response({1_000: effect, 10_000: other_effect})
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
