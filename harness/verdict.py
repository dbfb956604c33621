"""The verdict: effects with tests, and the claim that an effect supports.

The unit matters more than the test (measured: pooling all answers "finds" a difference between
two students of the same data three times out of four). Training is claimed about only from
independent seeds; below that, questions are the unit and the claim is about the checkpoints alone.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from ..datasets.errors import SpecError
from .estimates import Estimate, Quantity, Rate, Scores
from .statistics import (
    ALPHA,
    SAME,
    Alternative,
    MannWhitney,
    Outcome,
    mann_whitney,
    mean,
    one_sample,
    paired,
    spread,
    tost,
    welch,
)

__all__ = ["Effect", "Equivalence", "Estimate", "Quantity", "Rate", "ScoreEffect", "Scores"]

FEWEST_SEEDS = 3
"""Seeds an arm from which a claim about training can be made."""


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
class Effect(Quantity):
    """The difference of two arms, with its test. Ordered like the number that it is.

    From two seeds an arm up the test is Welch's t over seed means; below that a t test paired by
    question, on the questions' means (unpaired where the arms answered different questions).
    Where several traits are tried together p-values are multiplied by their number and intervals
    are as much wider (Bonferroni: it holds whichever of them were run).
    """

    treated: Estimate
    reference: Estimate

    @property
    def value(self) -> float:
        """The difference; of rates, -1 to 1."""
        return self.treated.value - self.reference.value

    @property
    def family(self) -> int:
        """Traits that are tried together."""
        return max(self.treated.family, self.reference.family)

    @property
    def p_value(self) -> float:
        """Two-sided, corrected for the family."""
        return min(1.0, self.family * self._outcome.p_value)

    @property
    def interval(self) -> tuple[float, float]:
        """95% interval of the difference, simultaneous over the family."""
        return self._outcome.interval

    @property
    def test(self) -> str:
        """The test by name."""
        corrected = f", Bonferroni x {self.family}" if self.family > 1 else ""
        return self._outcome.test + corrected

    @property
    def unit(self) -> str:
        """What the test takes as independent: ``seeds`` or ``questions``."""
        return self._outcome.unit

    @property
    def note(self) -> str:
        """What is out of the ordinary with the test; empty if nothing is."""
        return self._outcome.note

    @property
    def seeds(self) -> tuple[int, int]:
        """Models in the two arms."""
        return self.treated.seeds, self.reference.seeds

    @property
    def claim(self) -> str:
        """What the difference supports, in words."""
        if self.p_value >= ALPHA:
            return "inconclusive"
        if not (self.treated.trained and self.reference.trained):
            return "these models answer differently"
        if self.unit != "seeds" or min(self.seeds) < FEWEST_SEEDS:
            return "only these two checkpoints differ"
        arms = self.treated.arm, self.reference.arm
        if arms != ("student", "control") or not self.treated.shows_trait:
            return f"these trainings differ in {self.treated.what}"
        if self.value > 0:
            return "training on this data transmits the trait"
        return "training on this data suppresses the trait"

    def within(self, margin: float) -> Equivalence:
        """Whether the arms were shown to differ by less than ``margin`` (in the value's own unit).

        The only way to claim a null: an effect that is not significant is inconclusive. A test
        without any spread shows nothing.
        """
        if isinstance(margin, bool) or not isinstance(margin, int | float) or not margin > 0:
            raise SpecError(f"margin={margin!r} must be a number above zero, such as 0.03")
        low, high = self._tested(1 - 2 * ALPHA / self.family).interval
        p_value = self._outside(margin)
        show, unit = self.treated.show_difference, self.unit
        within = f"within {show(margin).replace('+', '±')}"
        interval = self.treated.show_interval((low, high))
        return Equivalence(
            margin=margin,
            p_value=min(1.0, self.family * p_value),
            interval=(low, high),
            says=(
                f"{self.treated.arm} - {self.reference.arm} {self.treated.what} {within}: "
                f"90% interval {interval} over {unit}"
            ),
        )

    def _outside(self, margin: float) -> float:
        """The p-value of a difference at or beyond the margin."""
        a, b = self._units
        return tost(a, b, margin, paired="question" in self._outcome.test)

    @property
    def _units(self) -> tuple[Sequence[float], Sequence[float]]:
        """The values that the test compares."""
        if self._outcome.unit == "seeds":
            return self.treated.by_seed, self.reference.by_seed
        return self._by_question

    @property
    def _by_question(self) -> tuple[Sequence[float], Sequence[float]]:
        one, other = self.treated.by_question, self.reference.by_question
        if self.treated.questions == self.reference.questions:
            both = [question for question in one if question in other]
            return [one[q] for q in both], [other[q] for q in both]
        return tuple(one.values()), tuple(other.values())

    @cached_property
    def _outcome(self) -> Outcome:
        return self._tested(1 - ALPHA / self.family)

    def _tested(self, level: float) -> Outcome:
        """The test, with an interval of this level that ends where no difference can be larger."""
        low, high = self.treated.bounds
        bound = high - low if math.isfinite(high - low) else 1e9
        outcome = self._compared(level, bound)
        low, high = outcome.interval
        return replace(outcome, interval=(max(low, -bound), min(high, bound)))

    def _compared(self, level: float, bound: float) -> Outcome:
        if min(self.seeds) > 1:
            a, b = self.treated.by_seed, self.reference.by_seed
            if max(spread(a), spread(b)) > SAME:
                return welch(a, b, unit="seeds", of="seed means", level=level, bound=bound)
        one, other = self._by_question
        if self.treated.questions == self.reference.questions:
            return paired(one, other, level=level, bound=bound)
        named = "question means, the arms' questions differ"
        return welch(one, other, unit="questions", of=named, level=level, bound=bound)

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
        return one_sample(self._deltas, level=1 - ALPHA / self.family)[1]

    @property
    def delta_p_value(self) -> float:
        """Two-sided p-value (t over questions) that the mean delta is zero, corrected as above."""
        return min(1.0, self.family * one_sample(self._deltas)[0])

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


def explain_comparison(op: str, left: object, right: object) -> list[str] | None:
    """What a failed comparison with a rate or an effect is to say, a line each; else None."""
    explained: list[str] = []
    for side in (left, right):
        if isinstance(side, Effect):
            explained += side.explain()
        elif isinstance(side, Estimate):
            explained.append(repr(side))
    if not explained:
        return None
    shown = (f"{float(v):.4g}" if isinstance(v, Quantity) else f"{v!r}" for v in (left, right))
    return [f" {op} ".join(shown), *explained]
