"""The effect: the difference of two arms, with its test and the claim that it supports.

The unit matters more than the test (measured: pooling all answers "finds" a difference between
two students of the same data three times out of four). Training is claimed about only from
independent seeds; below that, questions are the unit and the claim is about the checkpoints alone.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

from ...datasets import validation as checks
from ...datasets.errors import SpecError
from .claims import ONE_MODEL, Statement, hides_invalid
from .comparison import Comparison, Unit
from .conclusions import ComparisonResult, Conclusion, Verdict, conclude
from .estimates import NO_VARIATION, Estimate
from .hypothesis_tests import ALPHA
from .margin_tests import Equivalence, MarginResult, MarginTests, MinimumEffect, shown_for
from .notes import notes_of
from .quantities import lies_beyond
from .scales import ScaledEffect, log_odds_effect, ratio_effect
from .tested_difference import TestedDifference
from .variance_components import VarianceComponents, components_of_difference


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Effect(TestedDifference):
    """The difference of two arms, with its test. Ordered like the number that it is.

    From two seeds an arm up the test is Welch's t over seed means; below that a t test paired by
    question, on the questions' means (unpaired where the arms answered different questions).
    Several seeds against one untrained model are tested by a one-sample t of the seeds.

    Args:
        treated: The estimate of the arm with the intervention.
        reference: The estimate of the arm that it is compared with.
        requested_unit: What to take as independent, if :meth:`over` was called. Default: None.
        adjusted: The outcome in place of the test's own, where it was corrected together with
            others'. Default: None.
        among: Effects that it was corrected together with, itself among them. Default: 1.
        exploratory: Whether the correction bounds the share of false findings only, not the chance
            of any. Default: False.

    Raises:
        SpecError: From its methods: a margin or a unit that there cannot be here.

    Examples:
        >>> effect = student.rate("owl") - control.rate("owl")
        >>> effect.at_least(0.02), effect.p_value, effect.claim
    """

    @property
    def note(self) -> str:
        """What is unusual about the test or the answers; empty if nothing is."""
        return "; ".join(notes_of(self.treated, self.reference, self.comparison))

    def over(self, unit: Unit) -> Self:
        """The same effect, tested over ``seeds``, ``pairs`` of seeds, ``questions``, or ``both``.

        Over questions it is about these models alone, however many seeds there are. Over both,
        seeds and questions are random (Miller 2024): it is about other trainings and other
        questions. Over pairs, the seeds of one number are one unit (a paired t test): for students
        that share data or order with those of the same seed in the other arm. It holds its level
        in any case, and finds more where the two vary together. Raises :class:`~limen.SpecError`
        for a test over seeds where an arm that is no single untrained model has fewer than two,
        and over pairs where the arms have unequally many.

        Args:
            unit: What is independent: "seeds", "pairs", "questions" or "both".
        """
        checks.one_of("over", unit, ("seeds", "pairs", "questions", "both"))
        if unit == "pairs" and self.seeds[0] != self.seeds[1]:
            raise SpecError(
                f"over='pairs' needs equally many seeds, not {self.seeds[0]} and {self.seeds[1]}"
            )
        if unit != "questions" and not self._has_seeds:
            raise SpecError(
                f"a test over {unit} needs two an arm, and there are {self.seeds[0]} and "
                f"{self.seeds[1]}: raise seeds"
            )
        return replace(self, requested_unit=unit, adjusted=None)

    @property
    def _has_seeds(self) -> bool:
        """Whether seeds can be the unit: two an arm, or two against one untrained model."""
        fixed = self.treated.sample.fixed or self.reference.sample.fixed
        return min(self.seeds) > 1 or (fixed and max(self.seeds) > 1)

    @property
    def verdict(self) -> Verdict:
        """What was found; ``equivalent`` only by a test against the experiment's margin.

        A verdict holds among all answers and among valid ones, whatever missing answers would have
        been. Everything else is ``inconclusive``, and so is one model an arm.
        """
        self._note(self.is_conclusive, f"the verdict is {self._verdict!r}", outcome=None)
        return self._verdict

    @property
    def _verdict(self) -> Verdict:
        return "inconclusive" if self._statement.obstacle else self._conclusion.verdict

    @property
    def is_conclusive(self) -> bool:
        return self._verdict != "inconclusive"

    @cached_property
    def _conclusion(self) -> Conclusion:
        valid = self.comparison_of_valid
        return conclude(
            self._result(self.comparison, self.corrected_p_value),
            self._result(valid, min(1.0, self.factor * valid.p_value)) if valid else None,
            self.treated,
            self.reference,
        )

    def _result(self, comparison: Comparison, p_value: float) -> ComparisonResult:
        return ComparisonResult(
            comparison=comparison,
            p_value=p_value,
            factor=self.factor,
            correction=self.correction,
            margin=self._margin,
        )

    @property
    def hides_invalid(self) -> bool:
        """Whether an arm's answers are mostly not valid, and which is not known."""
        return any(hides_invalid(each) for each in (self.treated, self.reference))

    @property
    def why_inconclusive(self) -> str:
        """What is in the way of a verdict, or what it depends on; empty if nothing specific is."""
        return self._statement.obstacle or self._conclusion.reason

    @property
    def stated_claim(self) -> str:
        statement, found = self._statement, self._conclusion
        if statement.obstacle == ONE_MODEL and found.verdict in ("higher", "lower"):
            return statement.difference(self.value)
        if self._verdict == "inconclusive":
            why = self.why_inconclusive
            return f"inconclusive: {why}" if why else "inconclusive"
        if self._verdict == "equivalent":
            return statement.equivalence(self._margin or 0.0)
        explored = "to be confirmed: " if self.exploratory else ""
        small = self._margin is not None and self._margin_tests.within(self._margin)
        less = f", by less than {statement.within(self._margin or 0.0)}" if small else ""
        return explored + statement.difference(self.value) + less

    def is_beyond(self, op: str, threshold: float) -> bool:
        valid = self.comparison_of_valid
        others = [valid.interval(1 - ALPHA / self.correction)] if valid else []
        beyond = [lies_beyond(each, op, threshold) for each in (self.interval, *others)]
        return all(beyond) and not self._statement.obstacle

    @property
    def log_odds(self) -> ScaledEffect:
        """The difference in log-odds, with its interval: to compare effects at other base rates.

        Raises :class:`~limen.SpecError` for scores, as does :attr:`ratio`.
        """
        self._check_rates()
        return self._on_scale(log_odds_effect)

    @property
    def ratio(self) -> ScaledEffect:
        """How many times larger the treated arm's rate is, with its interval."""
        self._check_rates()
        return self._on_scale(ratio_effect)

    def _on_scale(self, scaled: Callable[[str, Comparison, int], ScaledEffect]) -> ScaledEffect:
        valid = self.comparison_of_valid
        return replace(
            scaled(self.arms, self.comparison, self.correction),
            among_valid=scaled(self.arms, valid, self.correction) if valid else None,
            obstacle=self._statement.obstacle,
            listener=self.evidence_listener,
        )

    def _check_rates(self) -> None:
        if not self.treated.is_rate:
            raise SpecError(f"{self.treated.what} is no rate, so it has no log-odds and no ratio")

    @property
    def components(self) -> VarianceComponents:
        """The standard deviations of the difference: of seeds, of questions, and of draws."""
        return components_of_difference(*self.comparison.on_same_questions)

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
        """The experiment's margin; None if it is for a measure with larger values than these."""
        margin = self.treated.margin or self.reference.margin
        return None if margin is None or margin >= self.comparison.bound else margin

    def within(self, margin: float | None = None) -> Equivalence:
        """Whether the arms were shown to differ by less than ``margin`` (in the value's own unit).

        The experiment's ``margin`` unless given. The only way to claim a null: an effect that is
        not significant is inconclusive. A test without any spread shows nothing. Raises
        :class:`~limen.SpecError` for a word, or a constant score, that no arm ever gives
        differently, the teacher included.

        Args:
            margin: Above 0, in the value's own unit: 0.03 is three points of a rate. Default:
                None, the experiment's.
        """
        self._check_given()
        margin = self._margin if margin is None else margin
        if margin is None:
            raise SpecError(
                "within() needs a margin: within(0.03), or Experiment(..., margin=0.03)"
            )
        return self._noted_test(self._margin_tests.within(margin))

    def at_least(self, value: float) -> MinimumEffect:
        """Whether the difference was shown to be larger than ``value`` (in the value's own unit).

        A one-sided test, corrected like all others. Raises :class:`~limen.SpecError` for a value
        that no difference can have.

        Args:
            value: In the value's own unit: 0.03 is three points of a rate.
        """
        return self._noted_test(self._margin_tests.at_least(value))

    def at_most(self, value: float) -> MinimumEffect:
        """Whether the difference was shown to be smaller than ``value``; as :meth:`at_least`.

        Raises :class:`~limen.SpecError` as :meth:`within` does.

        Args:
            value: In the value's own unit: 0.03 is three points of a rate.
        """
        self._check_given()
        return self._noted_test(self._margin_tests.at_most(value))

    def _check_given(self) -> None:
        """Raise :class:`~limen.SpecError` for a null about what no arm ever gives."""
        if self._statement.absence:
            raise SpecError(self._statement.absence)

    def _noted_test(self, result: MarginResult) -> MarginResult:
        shown = shown_for(self.is_conclusive, result)
        self._note(bool(result), result.says, outcome=bool(result), test=shown)
        return result

    @property
    def _margin_tests(self) -> MarginTests:
        valid = self.comparison_of_valid
        return MarginTests(
            what=self.arms,
            estimate=self.treated,
            comparisons=(self.comparison, valid) if valid else (self.comparison,),
            correction=self.correction,
            obstacle=self._statement.obstacle,
        )

    @property
    def _interval_shown(self) -> str:
        if not (self.treated.sampling_varies and self.reference.sampling_varies):
            return f"({NO_VARIATION})"
        return f"{self.treated.show_interval(self.interval)} over {self.unit}"

    def __repr__(self) -> str:
        return (
            f"{self.arms} {self.treated.show_difference(self.value)} "
            f"{self._interval_shown}, p = {self.corrected_p_value:.2g} "
            f"({self.test}, {self.seeds[0]} v {self.seeds[1]}): {self.stated_claim}"
        )

    def explain(self) -> list[str]:
        lines = [repr(self), f"  {self.treated!r}", f"  {self.reference!r}"]
        if (valid := self.comparison_of_valid) is not None and self.why_inconclusive:
            shown = self.treated.show_interval(valid.interval(1 - ALPHA / self.correction))
            value = self.treated.show_difference(valid.value)
            lines.append(f"  among valid answers alone: {value} {shown} over {valid.test.unit}")
        return [*lines, f"  note: {self.note}"] if self.note else lines


def difference(treated: Estimate, reference: Estimate) -> Effect:
    """The effect of two estimates of one kind."""
    effect: Effect = treated - reference  # type: ignore[operator]
    return effect
