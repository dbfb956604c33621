"""Estimates: what an arm's answers come to, with intervals. Their differences are effects."""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from ...datasets.errors import SpecError
from .contrasts import TOLERANCE
from .hypothesis_tests import UNBOUNDED, binomial_interval, half_width, mean, value_range

if TYPE_CHECKING:
    from .effects import Effect, ScoreEffect


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


class Explained(Quantity):
    """A quantity that a failed assertion shows with all that it rests on."""

    @abstractmethod
    def explain(self) -> list[str]:
        """It and all that it rests on, a line each."""


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Estimate(Quantity):
    """What an arm's answers come to: a rate or a mean score. Ordered like the number that it is."""

    arm: str
    questions: tuple[str, ...]
    table: tuple[tuple[float | None, ...], ...] = field(repr=False)
    """(seeds, questions), each a mean over draws; None where there was no answer."""
    draws: int
    valid: float
    """The share of answers that are valid, as the measure says."""
    missing: int
    """Draws without an answer (failed or refused); no part of the value."""
    unrated: int = 0
    """Answers of which a judge or a function could not say what it was asked; no part of it."""
    trained: bool
    """Whether the arm's models were fine-tuned, one a seed."""
    shows_trait: bool = True
    """Whether this is what shows the trait of the arm's experiment."""
    family: int = 1
    """Traits that are tried together: p-values and intervals are corrected for as many."""
    looks: int = 1
    """How often the results may be looked at before all seeds are in; corrected for likewise."""
    margin: float | None = None
    """The difference below which arms count as alike, as the experiment says."""

    @property
    def what(self) -> str:
        """What is estimated, in words."""
        raise NotImplementedError

    @property
    def bounds(self) -> tuple[float, float]:
        """The least and the largest value that there could be."""
        return -math.inf, math.inf

    def show(self, value: float) -> str:
        """A value as people read it."""
        return f"{value:.2f}"

    def show_difference(self, value: float) -> str:
        """A difference of two values as people read it."""
        return f"{value:+.2f}" if abs(value) < UNBOUNDED else "unknown"

    def show_interval(self, interval: tuple[float, float]) -> str:
        """The interval of a difference as people read it."""
        return "[{}, {}]".format(*map(self.show_difference, interval))

    @property
    def seeds(self) -> int:
        """Models that answered, one a seed."""
        return len(self.by_seed)

    @cached_property
    def by_seed(self) -> tuple[float, ...]:
        """(seeds,), each the mean over the questions that were answered; none without any."""
        answered = ([share for share in row if share is not None] for row in self.table)
        return tuple(mean(shares) for shares in answered if shares)

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
        """The mean over seeds."""
        return mean(self.by_seed)

    @cached_property
    def interval(self) -> tuple[float, float]:
        """95% interval (t) over seed means; over question means where those do not vary."""
        low, high = self.bounds
        for units in (self.by_seed, tuple(self.by_question.values())):
            if len(units) > 1 and value_range(units) > TOLERANCE:
                half = half_width(units)
                return max(low, self.value - half), min(high, self.value + half)
        return self._without_spread()

    def _without_spread(self) -> tuple[float, float]:
        return self.value, self.value

    def check_same(self, other: "Estimate") -> None:
        """Raise :class:`~limen.SpecError` unless the other estimates the same."""
        if self.what != other.what:
            raise SpecError(f"{self.what} and {other.what} have no difference")

    @property
    def _how(self) -> str:
        return f" x {self.draws}"

    def __repr__(self) -> str:
        low, high = map(self.show, self.interval)
        missing = f", {self.missing:,} without an answer" if self.missing else ""
        missing += f", {self.unrated:,} not rated" if self.unrated else ""
        return (
            f"{self.arm} {self.what} {self.show(self.value)} [{low}, {high}] "
            f"({_plural(self.seeds, 'seed' if self.trained else 'model')}, "
            f"{_plural(len(self.questions), 'question')}{self._how}, "
            f"{self.valid:.0%} valid{missing})"
        )


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Rate(Estimate):
    """The share of an arm's answers that have a word. Ordered like the number that it is."""

    word: str

    @property
    def what(self) -> str:
        return repr(self.word)

    @property
    def bounds(self) -> tuple[float, float]:
        return 0.0, 1.0

    def show(self, value: float) -> str:
        return f"{value:.1%}"

    def show_difference(self, value: float) -> str:
        return f"{100 * value:+.1f} points"

    def show_interval(self, interval: tuple[float, float]) -> str:
        return f"[{100 * interval[0]:+.1f}, {100 * interval[1]:+.1f}]"

    def _without_spread(self) -> tuple[float, float]:
        """The exact binomial_interval interval, a question a trial."""
        return binomial_interval(self.value, len(self.by_question))

    def check_same(self, other: Estimate) -> None:
        if isinstance(other, Rate) and self.word != other.word:
            raise SpecError(
                f"rates of two words have no difference: {self.word!r} and {other.word!r}"
            )
        super().check_same(other)

    def __sub__(self, other: "Rate") -> "Effect":
        if not isinstance(other, Rate):
            return NotImplemented
        self.check_same(other)
        from .effects import Effect

        return Effect(treated=self, reference=other)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Scores(Estimate):
    """The mean score of an arm's answers: a judge's ratings, or lengths. Ordered like a number."""

    name: str
    """What was scored, and by whom."""
    each: tuple[tuple[tuple[float, ...], ...], ...] = field(repr=False)
    """(seeds, questions), every single score, sorted."""

    @property
    def what(self) -> str:
        return self.name

    def all_of(self, question: int) -> tuple[float, ...]:
        """Every score of a question, of all seeds."""
        return tuple(score for row in self.each for score in row[question])

    @property
    def pooled(self) -> tuple[float, ...]:
        """Every score there is."""
        return tuple(score for row in self.each for cell in row for score in cell)

    def __sub__(self, other: "Scores") -> "ScoreEffect":
        if not isinstance(other, Scores):
            return NotImplemented
        self.check_same(other)
        from .effects import ScoreEffect

        return ScoreEffect(treated=self, reference=other)


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
