"""The verdict: effects with tests, and the claim that an effect supports.

The unit matters more than the test (measured: pooling all answers "finds" a difference between
two students of the same data three times out of four). Training is claimed about only from
independent seeds; below that, questions are the unit and the claim is about the checkpoints alone.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal, Self

from ...datasets import validation as checks
from ...datasets.errors import SpecError
from .contrasts import TOLERANCE, Alternative
from .estimates import Estimate, Explained, Quantity, Rate, Scores
from .hypothesis_tests import (
    ALPHA,
    UNBOUNDED,
    TestResult,
    mean,
    one_sample,
    paired,
    sign_flip,
    tost,
    value_range,
    welch,
)
from .rank_tests import MannWhitney, mann_whitney

__all__ = ["Effect", "Equivalence", "Estimate", "Quantity", "Rate", "ScoreEffect", "Scores"]

FEWEST_SEEDS = 3
"""Seeds an arm from which a claim about training can be made."""
FEWEST_VALID = 0.5
"""The share of valid answers below which a trained arm is ruined, and nothing is claimed of it."""

Unit = Literal["seeds", "questions"]
Verdict = Literal["higher", "lower", "equivalent", "inconclusive"]


@dataclass(frozen=True, kw_only=True)
class Equivalence:
    """Whether two arms were shown to differ by less than a margin (two one-sided tests, TOST).

    True only if the 90% interval of their difference lies within the margin (Schuirmann 1987).
    """

    margin: float
    p_value: float
    interval: tuple[float, float]
    """90% interval of the difference (wider where several traits are tried together)."""
    says: str = field(repr=False)

    def __bool__(self) -> bool:
        return self.p_value < ALPHA

    def __repr__(self) -> str:
        return f"<{'' if self else 'not shown to be '}{self.says}, p = {self.p_value:.2g}>"


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
    asked: Unit | None = None
    """What to take as independent, where that was said."""
    adjusted: TestResult | None = None
    """The outcome in place of the test's own, where it was corrected together with others'."""
    among: int = 1
    """Effects that it was corrected together with, itself among them."""
    exploratory: bool = False
    """Whether the correction bounds the share of false findings only, not the chance of any."""

    @property
    def value(self) -> float:
        """The difference; of rates, -1 to 1."""
        return self.treated.value - self.reference.value

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
        return self._outcome.p_value

    @property
    def p_value(self) -> float:
        """Two-sided, corrected for the family and the looks."""
        if self.adjusted is not None:
            return self.adjusted.p_value
        return min(1.0, self.correction * self.raw_p_value)

    @property
    def interval(self) -> tuple[float, float]:
        """95% interval of the difference, simultaneous over the family and the looks."""
        return (self.adjusted or self._outcome).interval

    @property
    def test(self) -> str:
        """The test by name."""
        if self.adjusted is not None:
            return self.adjusted.test
        why = f" ({self.looks} looks)" if self.looks > 1 else ""
        corrected = f", Bonferroni x {self.correction}{why}" if self.correction > 1 else ""
        return self._outcome.test + corrected

    @property
    def unit(self) -> str:
        """What the test takes as independent: ``seeds`` or ``questions``."""
        return (self.adjusted or self._outcome).unit

    @property
    def n(self) -> tuple[int, int]:
        """How many units the two arms have."""
        a, b = self._units
        return len(a), len(b)

    @property
    def sign_flip_p_value(self) -> float | None:
        """The sign-flip permutation test of the questions' differences: a check of the t test.

        None where the test is not paired by question.
        """
        if "by question" not in self._outcome.test:
            return None
        return sign_flip([x - y for x, y in zip(*self._by_question, strict=True)])

    @property
    def note(self) -> str:
        """What is out of the ordinary with the test or the answers; empty if nothing is."""
        return "; ".join(filter(None, (self._outcome.note, *self._check(), *self._answers())))

    def _check(self) -> Iterator[str]:
        p_value = self.sign_flip_p_value
        if p_value is not None and (p_value < ALPHA) != (self.raw_p_value < ALPHA):
            yield f"the sign-flip permutation test disagrees (p = {p_value:.2g})"

    def _answers(self) -> Iterator[str]:
        """What is amiss with the answers that the effect rests on."""
        for estimate in (self.treated, self.reference):
            if estimate.trained and estimate.valid < FEWEST_VALID:
                yield f"{estimate.arm}: only {estimate.valid:.0%} of the answers are valid"
            if estimate.missing:
                yield f"{estimate.arm}: {estimate.missing:,} draws without an answer"
            if estimate.seeds < len(estimate.table):
                silent = len(estimate.table) - estimate.seeds
                yield f"{estimate.arm}: {silent} of {len(estimate.table)} models answered nothing"

    @property
    def seeds(self) -> tuple[int, int]:
        """Models in the two arms."""
        return self.treated.seeds, self.reference.seeds

    def outcome(self, family: int, p_value: float, how: str) -> TestResult:
        """Its own test's outcome, corrected together with others': a p-value that was found so.

        The interval is simultaneous over a family of that size.
        """
        own = self._tested(1 - ALPHA / (family * self.looks))
        return replace(own, test=f"{own.test}, {how}", p_value=p_value)

    def over(self, unit: Unit) -> Self:
        """The same effect, tested over ``seeds`` or over ``questions``.

        Over questions it tells of these models alone, however many seeds there are. Raises
        :class:`~limen.SpecError` for seeds where an arm has fewer than two.
        """
        if unit not in ("seeds", "questions"):
            raise SpecError(f"over={unit!r} must be 'seeds' or 'questions'")
        if unit == "seeds" and min(self.seeds) < 2:
            raise SpecError(
                f"a test over seeds needs two an arm, and there are {self.seeds[0]} and "
                f"{self.seeds[1]}: raise seeds"
            )
        return replace(self, asked=unit, adjusted=None)

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
            about = "these trainings" if self.of_training else "these models"
            return f"{about} differ by less than {self._bound}"
        explored = "to be confirmed: " if self.exploratory else ""
        small = self._margin is not None and self.within()
        less = f", by less than {self._bound}" if small else ""
        return explored + self._difference_claimed() + less

    @property
    def _bound(self) -> str:
        """The margin in words."""
        return self.treated.show_difference(self._margin or 0).replace("+", "±")

    @property
    def of_training(self) -> bool:
        """Whether it can tell of the training, and not of some models alone."""
        enough = self.unit == "seeds" and min(self.seeds) >= FEWEST_SEEDS
        return self._of_two_trainings and enough

    @property
    def _of_two_trainings(self) -> bool:
        """Whether two arms that were trained answered the same questions."""
        a, b = self.treated, self.reference
        return a.trained and b.trained and a.arm != b.arm and a.questions == b.questions

    @property
    def _margin(self) -> float | None:
        return self.treated.margin or self.reference.margin

    def _difference_claimed(self) -> str:
        if self.treated.arm == self.reference.arm:
            return f"{self.treated.arm} answers these questions differently"
        if not self._of_two_trainings:
            return "these models answer differently"
        if not self.of_training:
            two = "two " if max(self.seeds) == 1 or self.asked is None else ""
            return f"only these {two}checkpoints differ"
        arms = self.treated.arm, self.reference.arm
        if arms != ("student", "control") or not self.treated.shows_trait:
            return f"these trainings differ in {self.treated.what}"
        if self.value > 0:
            return "training on this data transmits the trait"
        return "training on this data suppresses the trait"

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
        low, high = self._tested(1 - 2 * ALPHA / self.correction).interval
        p_value = self._outside(margin)
        show, unit = self.treated.show_difference, self.unit
        within = f"within {show(margin).replace('+', '±')}"
        interval = self.treated.show_interval((low, high))
        return Equivalence(
            margin=margin,
            p_value=min(1.0, self.correction * p_value),
            interval=(low, high),
            says=(
                f"{self.treated.arm} - {self.reference.arm} {self.treated.what} {within}: "
                f"90% interval {interval} over {unit}"
            ),
        )

    def _outside(self, margin: float) -> float:
        """The p-value of a difference at or beyond the margin."""
        a, b = self._units
        return tost(a, b, margin, paired=self.unit == "questions" and self._paired)

    @property
    def _units(self) -> tuple[Sequence[float], Sequence[float]]:
        """The values that the test compares."""
        if self.unit == "seeds":
            return self.treated.by_seed, self.reference.by_seed
        return self._by_question

    @property
    def _by_question(self) -> tuple[Sequence[float], Sequence[float]]:
        one, other = self.treated.by_question, self.reference.by_question
        if self._paired:
            both = [question for question in one if question in other]
            return [one[q] for q in both], [other[q] for q in both]
        return tuple(one.values()), tuple(other.values())

    @cached_property
    def _outcome(self) -> TestResult:
        return self._tested(1 - ALPHA / self.correction)

    def _tested(self, level: float) -> TestResult:
        """The test, with an interval of this level that ends where no difference can be larger."""
        low, high = self.treated.bounds
        bound = high - low if math.isfinite(high - low) else UNBOUNDED
        outcome = self._compared(level, bound)
        low, high = outcome.interval
        return replace(outcome, interval=(max(low, -bound), min(high, bound)))

    def _compared(self, level: float, bound: float) -> TestResult:
        if min(self.seeds) > 1 and self.asked != "questions":
            a, b = self.treated.by_seed, self.reference.by_seed
            if max(value_range(a), value_range(b)) > TOLERANCE:
                return welch(a, b, unit="seeds", of="seed means", level=level, bound=bound)
        one, other = self._by_question
        if self._paired:
            return paired(one, other, level=level, bound=bound)
        alike = self.treated.questions == self.reference.questions
        named = f"question means, the arms' {'draws' if alike else 'questions'} differ"
        return welch(one, other, unit="questions", of=named, level=level, bound=bound)

    @property
    def _paired(self) -> bool:
        """Whether the arms answered the same questions, as often."""
        a, b = self.treated, self.reference
        return a.questions == b.questions and a.draws == b.draws

    def __repr__(self) -> str:
        show = self.treated.show_difference
        return (
            f"{self.treated.arm} - {self.reference.arm} {self.treated.what} "
            f"{show(self.value)} {self.treated.show_interval(self.interval)}, "
            f"p = {self.p_value:.2g} "
            f"({self.test}, {self.seeds[0]} v {self.seeds[1]}): {self.claim}"
        )

    def explain(self) -> list[str]:
        """The effect and all that it rests on, a line each."""
        lines = [repr(self), f"  {self.treated!r}", f"  {self.reference!r}"]
        return [*lines, f"  note: {self.note}"] if self.note else lines


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ScoreEffect(Effect):
    """The difference of two arms' scores, with the rank tests that judges' scores call for.

    ``p_value`` and the claim rest on seeds as everywhere. The raw Mann-Whitney test takes every
    reply as independent, which replies of one model are not: it is there to compare with others'.
    """

    treated: Scores
    reference: Scores

    def mann_whitney(self, alternative: Alternative = "two-sided") -> MannWhitney:
        """U over all single scores, of all seeds and questions together."""
        return mann_whitney(self.treated.pooled, self.reference.pooled, alternative)

    def by_question(self, alternative: Alternative = "two-sided") -> dict[str, MannWhitney]:
        """U of each question that both arms were asked."""
        theirs = {question: index for index, question in enumerate(self.reference.questions)}
        return {
            question: mann_whitney(
                self.treated.all_of(index), self.reference.all_of(theirs[question]), alternative
            )
            for index, question in enumerate(self.treated.questions)
            if question in theirs
        }

    @property
    def delta(self) -> float:
        """Cliff's delta, the mean over questions, -1 to 1."""
        return mean(self._deltas)

    @property
    def delta_interval(self) -> tuple[float, float]:
        """95% interval (t over questions) of the mean delta, simultaneous over the family."""
        return one_sample(self._deltas, level=1 - ALPHA / self.correction, bound=1.0)[1]

    @property
    def delta_p_value(self) -> float:
        """Two-sided p-value (t over questions) that the mean delta is zero, corrected as above."""
        return min(1.0, self.correction * one_sample(self._deltas)[0])

    @cached_property
    def _deltas(self) -> list[float]:
        return [found.delta for found in self.by_question().values() if min(found.counts)]

    @property
    def ranks(self) -> str:
        """The rank tests in words: by question, and raw over all replies."""
        raw, one_sided = self.mann_whitney(), self.mann_whitney("greater")
        low, high = self.delta_interval
        return (
            f"Cliff's delta by question {self.delta:+.2f} [{low:+.2f}, {high:+.2f}], "
            f"p = {self.delta_p_value:.2g}; raw Mann-Whitney U = {raw.u:.0f}, "
            f"p = {raw.p_value:.2g} (one-sided {one_sided.p_value:.2g}), delta {raw.delta:+.2f}"
        )

    def explain(self) -> list[str]:
        return [*super().explain(), f"  {self.ranks}"]


def difference(treated: Estimate, reference: Estimate) -> Effect:
    """The effect of two estimates of one kind."""
    effect: Effect = treated - reference  # type: ignore[operator]
    return effect


def explain_comparison(op: str, left: object, right: object) -> list[str] | None:
    """What a failed comparison with a rate or an effect is to say, a line each; else None."""
    explained: list[str] = []
    for side in (left, right):
        if isinstance(side, Explained):
            explained += side.explain()
        elif isinstance(side, Estimate):
            explained.append(repr(side))
    if not explained:
        return None
    shown = (f"{float(v):.4g}" if isinstance(v, Quantity) else f"{v!r}" for v in (left, right))
    return [f" {op} ".join(shown), *explained]
