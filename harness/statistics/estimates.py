"""Estimates: the value of an arm, by seed and by question, with its interval."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property

from ...datasets.errors import SpecError
from .coverage import Coverage, Table
from .evidence import EvidenceListener
from .hypothesis_tests import ALPHA, TOLERANCE, UNBOUNDED, half_width, mean, value_range
from .quantities import Explained, lies_beyond
from .samples import Sample
from .variance_components import VarianceComponents, variance_components

NO_VARIATION = "no sampling variation"
"""What is said in place of an interval where all draws of a question are the same answer."""


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Estimate(Explained):
    """The value of an arm's answers: a rate or a mean score. Ordered like the number that it is."""

    arm: str
    questions: tuple[str, ...]
    table: Table = field(repr=False)
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
    lowers: bool = False
    """Whether less of this shows the trait, as of how often a disliked animal is named."""
    family: int = 1
    """Traits that are tried together: p-values and intervals are corrected for as many."""
    looks: int = 1
    """How often the results may be looked at before all seeds are in; corrected for likewise."""
    margin: float | None = None
    """The difference below which arms count as alike, as the experiment says."""
    listener: EvidenceListener | None = field(default=None, repr=False)
    """Receives the comparisons that are made with the estimate and its effects."""
    coverage: Coverage | None = field(default=None, repr=False)
    """What became of every draw, where that is known by seed and question."""
    absence: str = field(default="", repr=False)
    """That no arm of the experiment, the teacher included, ever gives this outcome, and what they
    give; empty if one does. A null about such an outcome shows nothing."""
    copied_models: int = 0
    """Models whose draws are copies: the same answer to a question again and again, although the
    temperature is above 0. Such draws say nothing about how much the value varies."""
    models: tuple[str, ...] = field(default=(), repr=False)
    """What names the arm's models, one a seed; empty where that is not known."""

    @cached_property
    def identity(self) -> object:
        """Equal for estimates of the same models: they vary together."""
        if self.models and len(set(self.models)) == len(self.models):
            return self.models
        return self.arm, hash(self.table)

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

    @property
    def is_rate(self) -> bool:
        """Whether it is a share of answers, and not a mean score."""
        return False

    @property
    def outcome_range(self) -> tuple[float, float]:
        """The smallest and the largest outcome that a single draw can have."""
        return self.bounds

    def show(self, value: float) -> str:
        """A value as people read it.

        Args:
            value: In the estimate's own unit: a rate from 0 to 1, a score, nats.
        """
        return f"{value:.2f}" if abs(value) < UNBOUNDED else "unknown"

    def show_difference(self, value: float) -> str:
        """A difference of two values as people read it.

        Args:
            value: In the estimate's own unit.
        """
        return f"{value:+.2f}" if abs(value) < UNBOUNDED else "unknown"

    def show_interval(self, interval: tuple[float, float]) -> str:
        """The interval of a difference as people read it.

        Args:
            interval: The lower and the upper end, in the estimate's own unit.
        """
        return "[{}, {}]".format(*map(self.show_difference, interval))

    @cached_property
    def sample(self) -> Sample:
        """The means by seed and question, as tests read them."""
        return Sample(
            questions=self.questions,
            table=self.table,
            draws=self.draws,
            missing=self.missing + self.unrated,
            known_coverage=self.coverage,
            fixed=not self.trained and len(self.table) == 1,
            draw_variance=self._draw_variance,
        )

    def _draw_variance(self) -> float:
        """The variance of one draw's outcome, the mean over all cells."""
        return 0.0

    @property
    def sampling_varies(self) -> bool:
        """False if the draws of every model are copies."""
        return self.copied_models < max(1, len(self.table))

    @property
    def seeds(self) -> int:
        """Models that answered, one a seed."""
        return self.sample.seeds

    @property
    def by_seed(self) -> tuple[float, ...]:
        """(seeds,), each the mean over the questions that were answered; none without any."""
        return self.sample.by_seed

    @property
    def by_question(self) -> dict[str, float]:
        """Each answered question's mean over seeds."""
        return self.sample.by_question

    @property
    def value(self) -> float:
        """The mean over seeds."""
        return mean(self.by_seed)

    @property
    def components(self) -> VarianceComponents:
        """The standard deviations of seeds, questions and draws."""
        return variance_components(self.sample)

    @property
    def valid_share(self) -> float:
        """The share of valid answers to these questions; of all answers where that is unknown."""
        return self.coverage.valid_share if self.coverage else self.valid

    @property
    def interval(self) -> tuple[float, float]:
        """95% interval (t) over seed means; over question means where those do not vary.

        All possible values where the draws are copies of each other.
        """
        return self._interval

    @cached_property
    def _interval(self) -> tuple[float, float]:
        low, high = self.bounds
        if not self.sampling_varies:
            return max(low, -UNBOUNDED), min(high, UNBOUNDED)
        units = next(self._varying_units, None)
        if units is None:
            return self._without_spread()
        half = half_width(units)
        return max(low, self.value - half), min(high, self.value + half)

    def is_beyond(self, op: str, threshold: float) -> bool:
        return all(lies_beyond(each, op, threshold) for each in self._possible_intervals())

    def _possible_intervals(self) -> Iterator[tuple[float, float]]:
        """The interval, and those if all missing draws had had the smallest or largest outcome."""
        yield self.interval
        if self.sample.is_uncertain:
            low, high = self.outcome_range
            for sample in (self.sample.lowest(low), self.sample.highest(high)):
                yield replace(
                    self, table=sample.table, coverage=None, missing=0, unrated=0
                ).interval

    @property
    def unit(self) -> str:
        """What the interval takes as independent: ``seeds`` or ``questions``."""
        return "seeds" if next(self._varying_units, None) is self.by_seed else "questions"

    @property
    def _varying_units(self) -> Iterator[tuple[float, ...]]:
        """The seed means, and the question means, if they vary."""
        for units in (self.by_seed, tuple(self.by_question.values())):
            if len(units) > 1 and value_range(units) > TOLERANCE:
                yield units

    def _without_spread(self) -> tuple[float, float]:
        """All the mean can be: of the questions seen, a share q or more have the one value that
        all of these have, and the rest may have any.
        """
        share = (ALPHA / 2) ** (1 / max(1, len(self.by_question)))
        if not all(map(math.isfinite, self.bounds)):
            return -UNBOUNDED, UNBOUNDED
        low, high = (share * self.value + (1 - share) * end for end in self.bounds)
        return low, high

    def check_same(self, other: "Estimate") -> None:
        """Raise :class:`~limen.SpecError` unless the other estimates the same.

        Args:
            other: Another arm's estimate.
        """
        if self.what != other.what:
            raise SpecError(f"{self.what} and {other.what} have no difference")

    @property
    def _draws_shown(self) -> str:
        return f" x {self.draws}"

    @property
    def _interval_shown(self) -> str:
        if not self.sampling_varies:
            return f"({NO_VARIATION})"
        low, high = map(self.show, self.interval)
        return f"[{low}, {high}] over {self.unit}"

    def __repr__(self) -> str:
        missing = f", {self.missing:,} without an answer" if self.missing else ""
        missing += f", {self.unrated:,} not rated" if self.unrated else ""
        return (
            f"{self.arm} {self.what} {self.show(self.value)} {self._interval_shown} "
            f"({_plural(self.seeds, 'seed' if self.trained else 'model')}, "
            f"{_plural(len(self.questions), 'question')}{self._draws_shown}, "
            f"{self.valid:.0%} valid{missing})"
        )

    def explain(self) -> list[str]:
        return [repr(self)]


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
