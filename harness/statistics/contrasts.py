"""Contrasts: claims on effects, such as the difference of two effects."""

from abc import abstractmethod
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

from ...datasets import validation as checks
from ...datasets.errors import SpecError
from .claims import FEWEST_SEEDS
from .combinations import (
    Combination,
    CombinationUnit,
    Combined,
    EffectsLine,
    Term,
)
from .estimates import Estimate
from .evidence import EvidenceListener
from .hypothesis_tests import ALPHA
from .margin_tests import Equivalence, MarginResult, MarginTests, MinimumEffect, shown_for
from .quantities import Concluded, Explained, lies_beyond
from .shares import Share
from .weighted import Weighted, check_units, obstacle_of, terms_of

ContrastVerdict = Literal["higher", "lower", "inconclusive"]

LARGER = (
    "the first effect is larger than the second",
    "the first effect is smaller than the second",
)
ABOVE = ("this combination of effects is above zero", "this combination of effects is below zero")


class Combinable(Concluded):
    """What can be added, subtracted and multiplied by a number: effects, and their contrasts."""

    @property
    @abstractmethod
    def weighted(self) -> tuple[Weighted, ...]:
        """The estimates that it is a weighted sum of."""

    @property
    @abstractmethod
    def title(self) -> str:
        """What it is, in words."""

    @property
    @abstractmethod
    def correction(self) -> int:
        """What p-values are multiplied by: the family, times the looks (Bonferroni)."""

    def __sub__(self, other: "Combinable") -> "Contrast":
        if not isinstance(other, Combinable):
            return NotImplemented
        return _joined(self, other, -1.0)

    def __add__(self, other: "Combinable") -> "Contrast":
        if not isinstance(other, Combinable):
            return NotImplemented
        return _joined(self, other, 1.0)

    def __mul__(self, factor: float) -> "Contrast":
        if not checks.is_number(factor):
            return NotImplemented
        return Contrast(
            name=f"{factor:g} x ({self.title})",
            parts=tuple((factor * weight, estimate) for weight, estimate in self.weighted),
            factor=self.correction,
            says=ABOVE,
        )

    __rmul__ = __mul__

    def __truediv__(self, divisor: float) -> "Contrast":
        if not checks.is_number(divisor) or divisor == 0:
            return NotImplemented
        return self * (1 / divisor)

    def __neg__(self) -> "Contrast":
        return self * -1.0

    def share_of(self, whole: "Combinable") -> Share:
        """What share of another effect this one is, with Fieller's interval.

        ``masked.share_of(full) < 0.5`` says that masking removes at least half of the effect.

        Args:
            whole: The effect that counts as 1, such as student - control.

        Raises:
            SpecError: No effect, or one in another unit.
        """
        if not isinstance(whole, Combinable):
            raise SpecError(f"share_of({whole!r}) needs an effect, such as student - control")
        check_units([*self.weighted, *whole.weighted])
        return Share(part=self, whole=whole)

    def _less(self, other: object) -> "Explained | None":
        if isinstance(other, Combinable):
            return self - other
        return None


class SignedClaim(Combinable):
    """A weighted sum of effects whose claim is that it lies above zero, or below."""

    @property
    @abstractmethod
    def raw_p_value(self) -> float:
        """Two-sided, corrected for nothing."""

    @property
    @abstractmethod
    def statements(self) -> tuple[str, str]:
        """The claims where it is above zero, and below."""

    @property
    @abstractmethod
    def of_training(self) -> bool:
        """Whether it is about the trainings, and not about these models alone."""

    @abstractmethod
    def _obstacle(self) -> str:
        """What is in the way of a claim, whatever the p-value; empty if nothing specific is."""

    @property
    def estimates(self) -> tuple[Estimate, ...]:
        """The estimates behind it."""
        return tuple(estimate for _, estimate in self.weighted)

    @property
    def evidence_listener(self) -> EvidenceListener | None:
        return next(filter(None, (each.listener for each in self.estimates)), None)

    @property
    def corrected_p_value(self) -> float:
        return min(1.0, self.correction * self.raw_p_value)

    @cached_property
    def why_inconclusive(self) -> str:
        """What is in the way of a claim, whatever the p-value; empty if nothing specific is."""
        return self._obstacle()

    @property
    def verdict(self) -> ContrastVerdict:
        """What was found; everything that the data cannot carry is ``inconclusive``."""
        self._note(self.is_conclusive, f"the verdict is {self._verdict!r}", outcome=None)
        return self._verdict

    @cached_property
    def _verdict(self) -> ContrastVerdict:
        if self.why_inconclusive or self.corrected_p_value >= ALPHA:
            return "inconclusive"
        return "higher" if self.value > 0 else "lower"

    @property
    def is_conclusive(self) -> bool:
        return self._verdict != "inconclusive"

    @property
    def stated_claim(self) -> str:
        if not self.is_conclusive:
            return ": ".join(filter(None, ("inconclusive", self.why_inconclusive)))
        said = self.statements[0 if self._verdict == "higher" else 1]
        return said if self.of_training else f"of these checkpoints: {said}"

    def _reason_of_valid(self, value: float, p_value: float) -> str:
        """That a significant result depends on invalid answers; empty if valid ones have it too.

        ``value`` and ``p_value`` (corrected for nothing) are those among valid answers alone.
        """
        same = (value > 0) == (self.value > 0)
        if self.corrected_p_value >= ALPHA or (same and self.correction * p_value < ALPHA):
            return ""
        return "it depends on invalid answers: it is not found among valid answers alone"


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Contrast(SignedClaim):
    """A weighted sum of effects, with its test. Ordered like the number that it is.

    From two seeds an arm the test is a t over the seed means of all arms, each with its own
    variance (Welch-Satterthwaite); an arm that is part of several effects counts once. Interval and
    p-value hold whatever answers that were never seen would have been; a claim has to hold among
    all answers and among valid ones.

    Args:
        name: What it is, in words.
        parts: Each estimate with its weight.
        factor: What p-values are multiplied by.
        says: The claims where it is above zero, and below.
        requested_unit: What to take as independent, if :meth:`over` was called. Default: None.
        line: Of a trend over effects that are one unit each: their places and terms. Default: none.

    Raises:
        SpecError: From its methods: a unit that there cannot be here.

    Examples:
        >>> difference = effect - other_effect
        >>> supported = difference > 0.02
    """

    name: str
    parts: tuple[Weighted, ...]
    factor: int
    """What p-values are multiplied by."""
    says: tuple[str, str]
    """The claims where it is above zero, and below."""
    requested_unit: CombinationUnit | None = None
    """What to take as independent, if :meth:`over` was called."""
    line: tuple[tuple[float, tuple[Weighted, ...]], ...] = ()
    """Of a trend over effects that are one unit each: their places and terms."""

    @property
    def title(self) -> str:
        return self.name

    @property
    def weighted(self) -> tuple[Weighted, ...]:
        return self.parts

    @property
    def correction(self) -> int:
        return self.factor

    @property
    def value(self) -> float:
        """The weighted sum."""
        return self.combined.value

    @cached_property
    def combined(self) -> Combined:
        """The sum and its test, among all answers."""
        return self._combined(valid=False)

    @cached_property
    def combined_of_valid(self) -> Combined | None:
        """The same among valid answers alone; None if no answer is known to be invalid."""
        known = (each.coverage for each in self.estimates if each.coverage)
        if not any(coverage.invalid_total for coverage in known):
            return None
        return self._combined(valid=True)

    def _combined(self, *, valid: bool) -> Combined:
        made: Combined
        if self.line:
            parts = tuple(Combination(terms_of(weighted)) for _, weighted in self.line)
            made = EffectsLine(tuple(place for place, _ in self.line), parts)
        else:
            made = self._combination()
        return made.map(Term.among_valid) if valid else made

    def _combination(self) -> Combination:
        return Combination(terms_of(self.weighted), self.requested_unit)

    @property
    def raw_p_value(self) -> float:
        """Two-sided, corrected for nothing."""
        return self.combined.p_value

    @property
    def interval(self) -> tuple[float, float]:
        """95% interval, simultaneous over the family and the looks."""
        return self.combined.interval(self._level)

    @property
    def _level(self) -> float:
        return 1 - ALPHA / self.correction

    @property
    def test(self) -> str:
        """The test by name."""
        corrected = f", Bonferroni x {self.correction}" if self.correction > 1 else ""
        return self.combined.test.name + corrected

    @property
    def unit(self) -> str:
        """What the test takes as independent: ``seeds``, ``pairs``, ``questions``, ``effects``."""
        return self.combined.test.unit

    def over(self, unit: CombinationUnit) -> "Contrast":
        """The same, tested over ``seeds``, over ``pairs`` of seeds, or over ``questions``.

        ``pairs`` are for designs in which students of the same seed share their data: the seeds of
        the same number are one unit. Over questions it is about these models alone.
        Raises :class:`~limen.SpecError` for another unit, and for pairs without equal seeds.

        Args:
            unit: What is independent: "seeds", "pairs" or "questions".
        """
        checks.one_of("over", unit, ("seeds", "pairs", "questions"))
        changed = replace(self, requested_unit=unit, line=())
        if unit == "pairs" and changed.combined.test.name == "none":
            raise SpecError(f"over='pairs': {changed.combined.test.note}")
        return changed

    @property
    def statements(self) -> tuple[str, str]:
        return self.says

    def _obstacle(self) -> str:
        if obstacle := obstacle_of(self.estimates, self.requested_unit):
            return obstacle
        valid = self.combined_of_valid
        return "" if valid is None else self._reason_of_valid(valid.value, valid.p_value)

    @property
    def of_training(self) -> bool:
        trained = [each.seeds for each in self.estimates if each.trained]
        return self.unit != "questions" and bool(trained) and min(trained) >= FEWEST_SEEDS

    def is_beyond(self, op: str, threshold: float) -> bool:
        valid = self.combined_of_valid
        intervals = [self.interval, *([valid.interval(self._level)] if valid else [])]
        beyond = all(lies_beyond(each, op, threshold) for each in intervals)
        return beyond and not obstacle_of(self.estimates, self.requested_unit)

    def within(self, margin: float) -> Equivalence:
        """Whether it was shown to be smaller than ``margin``, in both directions (TOST).

        Args:
            margin: Above 0, in the unit of the value: 0.03 is three points of a rate.

        Raises:
            SpecError: No margin, or a word that no arm ever gives.
        """
        self._check_given()
        return self._noted_test(self._margin_tests.within(margin))

    def at_least(self, value: float) -> MinimumEffect:
        """Whether it was shown to be larger than ``value`` (one-sided, corrected).

        Args:
            value: In the unit of the value.

        Raises:
            SpecError: A value that there cannot be.
        """
        return self._noted_test(self._margin_tests.at_least(value))

    def at_most(self, value: float) -> MinimumEffect:
        """Whether it was shown to be smaller than ``value`` (one-sided, corrected).

        Args:
            value: In the unit of the value.

        Raises:
            SpecError: As ``within()``.
        """
        self._check_given()
        return self._noted_test(self._margin_tests.at_most(value))

    def _check_given(self) -> None:
        """Raise :class:`~limen.SpecError` for a null about what no arm ever gives."""
        absences = [each.absence for each in self.estimates]
        if all(absences):
            raise SpecError(absences[0])

    @property
    def _margin_tests(self) -> MarginTests:
        valid = self.combined_of_valid
        return MarginTests(
            what=self.title,
            estimate=self.estimates[0],
            comparisons=(self.combined, valid) if valid else (self.combined,),
            correction=self.correction,
            obstacle=obstacle_of(self.estimates, self.requested_unit),
        )

    def _noted_test(self, result: MarginResult) -> MarginResult:
        shown = shown_for(self.is_conclusive, result)
        self._note(bool(result), result.says, outcome=bool(result), test=shown)
        return result

    def __repr__(self) -> str:
        first = self.estimates[0]
        return (
            f"{self.title}: {first.show_difference(self.value)} "
            f"{first.show_interval(self.interval)} over {self.unit}, "
            f"p = {self.corrected_p_value:.2g} ({self.test}): {self.stated_claim}"
        )

    def explain(self) -> list[str]:
        """The contrast and the estimates that it rests on, a line each."""
        shown = dict.fromkeys(f"  {estimate!r}" for estimate in self.estimates)
        return [repr(self), *shown]


def _joined(one: Combinable, other: Combinable, sign: float) -> Contrast:
    weighted = (*one.weighted, *((sign * weight, each) for weight, each in other.weighted))
    check_units(weighted)
    return Contrast(
        name=f"({one.title}) {'-' if sign < 0 else '+'} ({other.title})",
        parts=weighted,
        factor=max(one.correction, other.correction),
        says=LARGER if sign < 0 else ABOVE,
    )
