"""Estimates: the value of an arm, by seed and by question, with its interval."""

import math
from dataclasses import dataclass, field
from functools import cached_property

from ...datasets.errors import SpecError
from .evidence import EvidenceListener
from .hypothesis_tests import TOLERANCE, UNBOUNDED, half_width, mean, value_range
from .quantities import Explained


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Estimate(Explained):
    """The value of an arm's answers: a rate or a mean score. Ordered like the number that it is."""

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
    """Answers that a judge or a function could not rate; no part of the value."""
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
    listener: EvidenceListener | None = field(default=None, repr=False)
    """Receives the comparisons that are made with the estimate and its effects."""

    @property
    def evidence_listener(self) -> EvidenceListener | None:
        return self.listener

    @property
    def what(self) -> str:
        """What is estimated, in words."""
        raise NotImplementedError

    @property
    def bounds(self) -> tuple[float, float]:
        """The smallest and the largest possible value."""
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
    def _draws_shown(self) -> str:
        return f" x {self.draws}"

    def __repr__(self) -> str:
        low, high = map(self.show, self.interval)
        missing = f", {self.missing:,} without an answer" if self.missing else ""
        missing += f", {self.unrated:,} not rated" if self.unrated else ""
        return (
            f"{self.arm} {self.what} {self.show(self.value)} [{low}, {high}] "
            f"({_plural(self.seeds, 'seed' if self.trained else 'model')}, "
            f"{_plural(len(self.questions), 'question')}{self._draws_shown}, "
            f"{self.valid:.0%} valid{missing})"
        )

    def explain(self) -> list[str]:
        return [repr(self)]


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
