"""The effect: the difference of two arms, with its test and the claim that it supports.

The unit matters more than the test (measured: pooling all answers "finds" a difference between
two students of the same data three times out of four). Training is claimed about only from
independent seeds; below that, questions are the unit and the claim is about the checkpoints alone.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal, Self

from ...datasets import validation as checks
from ...datasets.errors import SpecError
from .claims import Statement
from .comparison import Comparison, Unit
from .equivalence import Equivalence
from .estimates import Estimate
from .evidence import Evidence, EvidenceListener, PValue
from .hypothesis_tests import ALPHA, TestResult
from .quantities import Explained

FEWEST_VALID = 0.5
"""The share of valid answers below which a trained arm is ruined, and nothing is claimed of it."""

Verdict = Literal["higher", "lower", "equivalent", "inconclusive"]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Effect(Explained):
    """The difference of two arms, with its test. Ordered like the number that it is.

    From two seeds an arm up the test is Welch's t over seed means; below that a t test paired by
    question, on the questions' means (unpaired where the arms answered different questions).
    Where several traits are tried together p-values are multiplied by their number and intervals
    are as much wider (Bonferroni: it holds whichever of them were run).
    """

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
        return Comparison(
            treated=self.treated, reference=self.reference, requested=self.requested_unit
        )

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
    def evidence_listener(self) -> EvidenceListener | None:
        return self.treated.listener or self.reference.listener

    @property
    def raw_p_value(self) -> float:
        """Two-sided, corrected for nothing."""
        return self._own.p_value

    @property
    def p_value(self) -> float:
        """Two-sided, corrected for the family and the looks."""
        if self.adjusted is not None:
            return PValue(self.adjusted.p_value, self.evidence_listener)
        return PValue(min(1.0, self.correction * self.raw_p_value), self.evidence_listener)

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

    @property
    def note(self) -> str:
        """What is unusual about the test or the answers; empty if nothing is."""
        return "; ".join(filter(None, (self._own.note, *self._test_notes(), *self._answer_notes())))

    def _test_notes(self) -> Iterator[str]:
        p_value = self.sign_flip_p_value
        if p_value is not None and (p_value < ALPHA) != (self.raw_p_value < ALPHA):
            yield f"the sign-flip permutation test disagrees (p = {p_value:.2g})"

    def _answer_notes(self) -> Iterator[str]:
        for estimate in (self.treated, self.reference):
            if estimate.trained and estimate.valid < FEWEST_VALID:
                yield f"{estimate.arm}: only {estimate.valid:.0%} of the answers are valid"
            if estimate.missing:
                yield f"{estimate.arm}: {estimate.missing:,} draws without an answer"
            if estimate.seeds < len(estimate.table):
                silent = len(estimate.table) - estimate.seeds
                yield f"{estimate.arm}: {silent} of {len(estimate.table)} models answered nothing"

    @cached_property
    def _own(self) -> TestResult:
        """The test's own outcome, at the corrected level."""
        return self.comparison.outcome(1 - ALPHA / self.correction)

    def outcome(self, family: int, p_value: float, how: str) -> TestResult:
        """Its own test's outcome with a p-value that was corrected together with others'.

        The interval is simultaneous over a family of that size.
        """
        own = self.comparison.outcome(1 - ALPHA / (family * self.looks))
        return replace(own, test=f"{own.test}, {how}", p_value=p_value)

    def over(self, unit: Unit) -> Self:
        """The same effect, tested over ``seeds`` or over ``questions``.

        Over questions it is about these models alone, however many seeds there are. Raises
        :class:`~limen.SpecError` for seeds where an arm has fewer than two.
        """
        if unit not in ("seeds", "questions"):
            raise SpecError(f"over={unit!r} must be 'seeds' or 'questions'")
        if unit == "seeds" and min(self.seeds) < 2:
            raise SpecError(
                f"a test over seeds needs two an arm, and there are {self.seeds[0]} and "
                f"{self.seeds[1]}: raise seeds"
            )
        return replace(self, requested_unit=unit, adjusted=None)

    @property
    def verdict(self) -> Verdict:
        """What was found; ``equivalent`` only by a test against the experiment's margin.

        What is not significant is ``inconclusive``, and so is what ruined models answer.
        """
        if self.ruined:
            return "inconclusive"
        if self.p_value < ALPHA:
            return "higher" if self.value > 0 else "lower"
        if self._margin is not None and self.within(self._margin):
            return "equivalent"
        return "inconclusive"

    @property
    def ruined(self) -> bool:
        """Whether the models of a trained arm mostly give no valid answers."""
        both = (self.treated, self.reference)
        return any(one.trained and one.valid < FEWEST_VALID for one in both)

    @property
    def claim(self) -> str:
        """What the difference supports, in words."""
        verdict = self.verdict
        if verdict == "inconclusive":
            return "inconclusive"
        if verdict == "equivalent":
            return self._statement.equivalence(self._margin or 0.0)
        explored = "to be confirmed: " if self.exploratory else ""
        small = self._margin is not None and self.within()
        less = f", by less than {self._statement.within(self._margin or 0.0)}" if small else ""
        return explored + self._statement.difference(self.value) + less

    @property
    def of_training(self) -> bool:
        """Whether the effect is about the training, and not about these models alone."""
        return self._statement.of_training

    @property
    def _statement(self) -> Statement:
        return Statement(
            treated=self.treated,
            reference=self.reference,
            unit=self.unit,
            requested=self.requested_unit is not None,
        )

    @property
    def _margin(self) -> float | None:
        return self.treated.margin or self.reference.margin

    def within(self, margin: float | None = None) -> Equivalence:
        """Whether the arms were shown to differ by less than ``margin`` (in the value's own unit).

        The experiment's ``margin`` unless given. The only way to claim a null: an effect that is
        not significant is inconclusive. A test without any spread shows nothing.
        """
        margin = self._margin if margin is None else margin
        if margin is None:
            raise SpecError(
                "within() needs a margin: within(0.03), or Experiment(..., margin=0.03)"
            )
        checks.margin(margin)
        interval = self.comparison.outcome(1 - 2 * ALPHA / self.correction).interval
        p_value = max(self.comparison.p_above(-margin), self.comparison.p_below(margin))
        equivalence = Equivalence(
            margin=margin,
            p_value=min(1.0, self.correction * p_value),
            interval=interval,
            says=(
                f"{self._arms} within {self._statement.within(margin)}: "
                f"90% interval {self.treated.show_interval(interval)} over {self.unit}"
            ),
        )
        if equivalence and self.evidence_listener:
            self.evidence_listener(Evidence(statement=equivalence.says, supported=True))
        return equivalence

    @property
    def _arms(self) -> str:
        return f"{self.treated.arm} - {self.reference.arm} {self.treated.what}"

    def __repr__(self) -> str:
        return (
            f"{self._arms} {self.treated.show_difference(self.value)} "
            f"{self.treated.show_interval(self.interval)}, p = {self.p_value:.2g} "
            f"({self.test}, {self.seeds[0]} v {self.seeds[1]}): {self.claim}"
        )

    def explain(self) -> list[str]:
        lines = [repr(self), f"  {self.treated!r}", f"  {self.reference!r}"]
        return [*lines, f"  note: {self.note}"] if self.note else lines


def difference(treated: Estimate, reference: Estimate) -> Effect:
    """The effect of two estimates of one kind."""
    effect: Effect = treated - reference  # type: ignore[operator]
    return effect
