"""The verdict: rates with intervals, effects with tests, and the claim that an effect supports.

The unit matters more than the test (measured: pooling all answers "finds" a difference between
two students of the same data three times out of four). Training is claimed about only from
independent seeds; below that, questions are the unit and the claim is about the checkpoints alone.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from ..datasets.errors import SpecError

LEVEL = 0.95
ALPHA = 0.05
SAME = 1e-12
"""Shares that differ by less are the same but for rounding."""
FEWEST_SEEDS = 3
"""Seeds an arm from which a claim about training can be made."""


class Quantity(ABC):
    """Something with a value, ordered like the number that it is."""

    @property
    @abstractmethod
    def value(self) -> float:
        """The number."""

    def __float__(self) -> float:
        return self.value

    def __lt__(self, other: "float | Quantity") -> bool:
        return self.value < float(other)

    def __le__(self, other: "float | Quantity") -> bool:
        return self.value <= float(other)

    def __gt__(self, other: "float | Quantity") -> bool:
        return self.value > float(other)

    def __ge__(self, other: "float | Quantity") -> bool:
        return self.value >= float(other)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Rate(Quantity):
    """The share of an arm's answers that have a word. Ordered like the number that it is."""

    word: str
    arm: str
    questions: tuple[str, ...]
    table: tuple[tuple[float | None, ...], ...] = field(repr=False)
    """(seeds, questions), the share of answers with the word; None where there was no answer."""
    draws: int
    valid: float
    """The share of answers that are a valid animal word."""
    missing: int
    """Draws without an answer (failed or refused); no part of the rate."""
    trained: bool
    """Whether the arm's models were fine-tuned, one a seed."""
    shows_trait: bool = True
    """Whether the word is the one that shows the trait of the arm's experiment."""

    @property
    def seeds(self) -> int:
        """Models in the arm, one a seed."""
        return len(self.table)

    @cached_property
    def by_seed(self) -> tuple[float, ...]:
        """(seeds,), each the mean over the questions that were answered."""
        return tuple(mean([share for share in row if share is not None]) for row in self.table)

    @cached_property
    def by_question(self) -> dict[str, float]:
        """Each answered question's mean over seeds."""
        columns = zip(*self.table, strict=True)
        answered = ([share for share in column if share is not None] for column in columns)
        return {
            q: mean(shares) for q, shares in zip(self.questions, answered, strict=True) if shares
        }

    @property
    def value(self) -> float:
        """The rate, 0 to 1."""
        return mean(self.by_seed)

    @cached_property
    def interval(self) -> tuple[float, float]:
        """95% interval (t) over seed means; over question means where those do not vary.

        Where the questions do not vary either, the exact binomial interval, a question a trial.
        """
        for units in (self.by_seed, tuple(self.by_question.values())):
            if len(units) > 1 and spread(units) > SAME:
                half = _half_width(units)
                return max(0.0, self.value - half), min(1.0, self.value + half)
        return _binomial(self.value, len(self.by_question))

    def __sub__(self, other: "Rate") -> "Effect":
        if not isinstance(other, Rate):
            return NotImplemented
        if self.word != other.word:
            raise SpecError(
                f"rates of two words have no difference: {self.word!r} and {other.word!r}"
            )
        return Effect(treated=self, reference=other)

    def __repr__(self) -> str:
        low, high = self.interval
        missing = f", {self.missing:,} without an answer" if self.missing else ""
        return (
            f"{self.arm} {self.word!r} {self.value:.1%} [{low:.1%}, {high:.1%}] "
            f"({_plural(self.seeds, 'seed' if self.trained else 'model')}, "
            f"{_plural(len(self.questions), 'question')} x {self.draws}, "
            f"{self.valid:.0%} valid{missing})"
        )


@dataclass(frozen=True)
class Outcome:
    """What a test said."""

    test: str
    unit: str
    p_value: float
    interval: tuple[float, float]
    note: str = ""


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Effect(Quantity):
    """The difference of two rates, with its test. Ordered like the number that it is.

    From two seeds an arm up the test is Welch's t over seed means; below that a t test paired by
    question, on the questions' means (unpaired where the arms answered different questions).
    """

    treated: Rate
    reference: Rate

    @property
    def value(self) -> float:
        """The difference of the rates, -1 to 1."""
        return self.treated.value - self.reference.value

    @property
    def p_value(self) -> float:
        """Two-sided."""
        return self._outcome.p_value

    @property
    def interval(self) -> tuple[float, float]:
        """95% interval of the difference."""
        return self._outcome.interval

    @property
    def test(self) -> str:
        """The test by name."""
        return self._outcome.test

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
            return f"these trainings differ in {self.treated.word!r}"
        if self.value > 0:
            return "training on this data transmits the trait"
        return "training on this data suppresses the trait"

    @cached_property
    def _outcome(self) -> Outcome:
        if min(self.seeds) > 1:
            a, b = self.treated.by_seed, self.reference.by_seed
            if max(spread(a), spread(b)) > SAME:
                return _welch(a, b, "seeds", "seed means")
        one, other = self.treated.by_question, self.reference.by_question
        if self.treated.questions == self.reference.questions:
            both = [question for question in one if question in other]
            return _paired([one[q] for q in both], [other[q] for q in both])
        named = "question means, the arms' questions differ"
        return _welch(tuple(one.values()), tuple(other.values()), "questions", named)

    def __repr__(self) -> str:
        low, high = (100 * bound for bound in self.interval)
        return (
            f"{self.treated.arm} - {self.reference.arm} {self.treated.word!r} "
            f"{100 * self.value:+.1f} points [{low:+.1f}, {high:+.1f}], p = {self.p_value:.2g} "
            f"({self.test}, {self.seeds[0]} v {self.seeds[1]}): {self.claim}"
        )

    def explain(self) -> list[str]:
        """The effect and all that it rests on, a line each."""
        lines = [repr(self), f"  {self.treated!r}", f"  {self.reference!r}"]
        return [*lines, f"  note: {self.note}"] if self.note else lines


def explain_comparison(op: str, left: object, right: object) -> list[str] | None:
    """What a failed comparison with a rate or an effect is to say, a line each; else None."""
    explained: list[str] = []
    for side in (left, right):
        if isinstance(side, Effect):
            explained += side.explain()
        elif isinstance(side, Rate):
            explained.append(repr(side))
    if not explained:
        return None
    shown = (f"{float(v):.4g}" if isinstance(v, Rate | Effect) else f"{v!r}" for v in (left, right))
    return [f" {op} ".join(shown), *explained]


def mean(values: Sequence[float]) -> float:
    """The arithmetic mean; of nothing, 0."""
    return math.fsum(values) / len(values) if values else 0.0


def spread(values: Sequence[float]) -> float:
    """The largest less the smallest."""
    return max(values) - min(values) if values else 0.0


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _half_width(units: Sequence[float]) -> float:
    """Half the width of the t interval of a mean."""
    import numpy as np
    from scipy import stats

    quantile = stats.t.ppf((1 + LEVEL) / 2, len(units) - 1)
    return float(quantile * np.std(units, ddof=1) / math.sqrt(len(units)))


def _binomial(share: float, trials: int) -> tuple[float, float]:
    """The exact binomial (Clopper-Pearson) interval of a share of some trials."""
    if trials < 1:
        return 0.0, 1.0
    from scipy import stats

    low, high = stats.binomtest(round(share * trials), trials).proportion_ci(LEVEL)
    return min(float(low), share), max(float(high), share)


def _welch(a: Sequence[float], b: Sequence[float], unit: str, of: str) -> Outcome:
    if min(len(a), len(b)) < 2:
        note = "one question an arm says nothing of other questions"
        return Outcome("none", unit, 1.0, (-1.0, 1.0), note)
    if max(spread(a), spread(b)) <= SAME:
        return Outcome("none", unit, 1.0, (-1.0, 1.0), "no spread to test a difference against")
    from scipy import stats

    found = stats.ttest_ind(a, b, equal_var=False)
    low, high = found.confidence_interval(LEVEL)
    return Outcome(f"Welch's t over {of}", unit, float(found.pvalue), (float(low), float(high)))


def _paired(a: Sequence[float], b: Sequence[float]) -> Outcome:
    differences = [x - y for x, y in zip(a, b, strict=True)]
    if len(differences) < 2:
        note = "one question says nothing of other questions"
        return Outcome("none", "questions", 1.0, (-1.0, 1.0), note)
    if spread(differences) <= SAME:
        return _sign_flip(mean(differences), len(differences))
    from scipy import stats

    found = stats.ttest_rel(a, b)
    low, high = found.confidence_interval(LEVEL)
    p_value, interval = float(found.pvalue), (float(low), float(high))
    return Outcome("t paired by question", "questions", p_value, interval)


def _sign_flip(difference: float, questions: int) -> Outcome:
    """The exact test where every question differs by the same: a t test has no spread to use.

    If the arms were exchangeable each question's sign would be a coin's; all alike, either way,
    happens by chance in 2 of 2^n cases.
    """
    p_value = 2.0 ** (1 - questions) if abs(difference) > SAME else 1.0
    note = "no spread: every question differs by the same amount"
    interval = (difference, difference)
    return Outcome("sign-flip by question", "questions", p_value, interval, note)
