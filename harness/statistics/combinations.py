"""Linear combinations of arms' means, and the test of one: what claims on effects rest on.

A combination such as ``(a - b) - (c - b)`` is expressed over the models behind it. Estimates of the
same models (one control in two effects, two words of one student) are added up model by model
first, so that their covariance is exact, and what cancels out has no error. Independent groups of
models then add their squared errors, with Satterthwaite's degrees of freedom (Satterthwaite 1946;
Welch 1947 is the case of two groups).
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal, Self

from .degrees_of_freedom import conservative, satterthwaite
from .difference_tests import MANY, DifferenceTest, NoTest, TTest, squared_error
from .dose_lines import on_common_questions
from .hypothesis_tests import TOLERANCE, UNBOUNDED, mean, value_range
from .samples import Sample

CombinationUnit = Literal["seeds", "pairs", "questions"]
NO_SPREAD = "no spread to test a combination against"


@dataclass(frozen=True, kw_only=True, eq=False)
class Term:
    """A sample with its weight in a combination."""

    weight: float
    sample: Sample
    models: object
    """Equal for samples of the same models."""
    outcomes: tuple[float, float]
    """The smallest and the largest possible outcome of a draw."""
    bounds: tuple[float, float] = (-math.inf, math.inf)
    """The smallest and the largest possible value."""

    def extreme(self, *, upwards: bool) -> "Term":
        """The same with every missing draw in favour of a large value, or against it."""
        low, high = self.outcomes
        raised = (self.weight > 0) == upwards
        changed = self.sample.highest(high) if raised else self.sample.lowest(low)
        return replace(self, sample=changed)

    def among_valid(self) -> "Term":
        """The same among valid answers alone."""
        return replace(self, sample=self.sample.among_valid())


class Combined(ABC):
    """A number that is made of samples, with its test."""

    @property
    def bound(self) -> float:
        """The largest value that is possible, in either direction."""
        ends = [[t.weight * end for end in t.bounds] for t in self.terms if t.weight]
        largest = max(math.fsum(map(max, ends)), -math.fsum(map(min, ends)))
        return largest if math.isfinite(largest) else UNBOUNDED

    @property
    @abstractmethod
    def terms(self) -> tuple[Term, ...]:
        """The samples with their weights."""

    @abstractmethod
    def map(self, change: Callable[[Term], Term]) -> Self:
        """The same of other samples."""

    @property
    @abstractmethod
    def value(self) -> float:
        """The weighted sum of the samples' values."""

    @property
    @abstractmethod
    def test(self) -> DifferenceTest:
        """The test, for any null value and level."""

    @cached_property
    def _scenarios(self) -> tuple[Self, ...]:
        """What was seen, then the two extremes of what was not, if anything is missing."""
        if not any(term.sample.is_uncertain for term in self.terms):
            return (self,)
        low = self.map(lambda term: term.extreme(upwards=False))
        return self, low, self.map(lambda term: term.extreme(upwards=True))

    @property
    def is_certain(self) -> bool:
        """Whether every answer was seen."""
        return len(self._scenarios) == 1

    @property
    def p_value(self) -> float:
        """Two-sided p-value that the value is 0, whatever missing answers would have been.

        Bounds as in :mod:`.worst_case` (Manski 2003).
        """
        values = [each.value for each in self._scenarios]
        if len(values) > 1 and min(values[1:]) <= 0 <= max(values[1:]):
            return 1.0
        return max(each.test.p_value for each in self._scenarios)

    def interval(self, level: float) -> tuple[float, float]:
        """The interval of this level, in the worst case."""
        ends = [each.test.interval(level, self.bound) for each in self._scenarios]
        return min(low for low, _ in ends), max(high for _, high in ends)

    def p_above(self, null: float) -> float:
        """One-sided p-value of the hypothesis that the value is at most ``null``."""
        return max(each.test.p_above(null) for each in self._scenarios)

    def p_below(self, null: float) -> float:
        """One-sided p-value of the hypothesis that the value is at least ``null``."""
        return max(each.test.p_below(null) for each in self._scenarios)


@dataclass(frozen=True, eq=False)
class Combination(Combined):
    """A weighted sum of samples' values."""

    given: tuple[Term, ...]
    requested: CombinationUnit | None = None
    """What to take as independent, if that was asked for."""

    @property
    def terms(self) -> tuple[Term, ...]:
        """The samples with their weights, on the questions that all models answered."""
        return self._terms

    @cached_property
    def _terms(self) -> tuple[Term, ...]:
        samples = on_common_questions([term.sample for term in self.given])
        return tuple(
            replace(term, sample=sample) for term, sample in zip(self.given, samples, strict=True)
        )

    def map(self, change: Callable[[Term], Term]) -> "Combination":
        return replace(self, given=tuple(map(change, self.given)))

    @property
    def value(self) -> float:
        return math.fsum(term.weight * term.sample.value for term in self.terms)

    @cached_property
    def groups(self) -> "tuple[ModelGroup, ...]":
        """The terms by models, without those whose terms cancel each other."""
        by_models: dict[object, list[Term]] = {}
        for term in self.terms:
            by_models.setdefault(term.models, []).append(term)
        groups = (ModelGroup(tuple(terms)) for terms in by_models.values())
        return tuple(group for group in groups if not group.cancels)

    @property
    def counts(self) -> tuple[int, ...]:
        """The models of each group that was trained."""
        return tuple(len(group.by_seed) for group in self.groups if not group.fixed)

    @property
    def test(self) -> DifferenceTest:
        return self._test

    @cached_property
    def _test(self) -> DifferenceTest:
        if self.requested == "questions":
            return self._over_questions()
        if self.requested == "pairs":
            return self._over_pairs()
        return self._over_seeds() or self._over_questions()

    def _over_seeds(self) -> DifferenceTest | None:
        """The test over seeds; None where there are too few, or all are alike."""
        trained = [group for group in self.groups if not group.fixed]
        if not trained or min(map(len, (group.by_seed for group in trained))) < 2:
            return None
        if max(value_range(group.by_seed) for group in trained) <= TOLERANCE:
            return None
        parts = [(self.error_of(group), len(group.by_seed) - 1) for group in trained]
        counts = [len(group.by_seed) for group in trained]
        return self._t_test("Welch's t over seed means of all arms", "seeds", parts, counts)

    def error_of(self, group: "ModelGroup") -> float:
        """The squared error of a group's part, from the spread of its seeds."""
        return squared_error(group.by_seed)

    def _over_pairs(self) -> DifferenceTest:
        """The t test of the seeds' own combinations: seeds of the same number are one unit."""
        trained = [group for group in self.groups if not group.fixed]
        if len(set(self.counts)) != 1 or self.counts[0] < 2:
            return NoTest(unit="pairs", note="pairs need the same number of seeds in each arm")
        sums = [math.fsum(each) for each in zip(*(g.by_seed for g in trained), strict=True)]
        if value_range(sums) <= TOLERANCE:
            return NoTest(unit="pairs", note=NO_SPREAD)
        parts = [(squared_error(sums), len(sums) - 1)]
        return self._t_test("t paired by seed", "pairs", parts, [len(sums)])

    def _t_test(
        self, name: str, unit: str, parts: Sequence[tuple[float, float]], counts: Sequence[int]
    ) -> TTest:
        """The t test; sampling errors of single untrained models are added."""
        errors = [group.draw_error for group in self.groups if group.fixed]
        every = [*parts, *((error, math.inf) for error in errors)]
        degrees = satterthwaite(every)
        used = conservative(degrees, [*counts, *(MANY for _ in errors)])
        cautious = ", conservative" if used < degrees else ""
        return TTest(
            name=f"{name}{cautious}",
            unit=unit,
            difference=self.value,
            error=math.sqrt(math.fsum(error for error, _ in every)),
            degrees=used,
        )

    def _over_questions(self) -> DifferenceTest:
        """The t test over questions, of these models alone."""
        columns = [term.sample.by_question for term in self.terms]
        if len({tuple(column) for column in columns}) != 1:
            return NoTest(unit="questions", note="the arms answered different questions")
        pairs = list(zip((term.weight for term in self.terms), columns, strict=True))
        sums = [math.fsum(w * column[question] for w, column in pairs) for question in columns[0]]
        if len(sums) < 2 or value_range(sums) <= TOLERANCE:
            return NoTest(unit="questions", note=NO_SPREAD)
        return TTest(
            name="t over questions",
            unit="questions",
            difference=mean(sums),
            error=math.sqrt(squared_error(sums)),
            degrees=len(sums) - 1,
        )


@dataclass(frozen=True, eq=False)
class ModelGroup:
    """The terms of a combination that are about the same models."""

    terms: tuple[Term, ...]

    @property
    def fixed(self) -> bool:
        """Whether this is one untrained model: a fixed one, and not a sample of trainings."""
        return all(term.sample.fixed for term in self.terms)

    @cached_property
    def by_seed(self) -> tuple[float, ...]:
        """Each model's part of the combination; without models that answered nothing."""
        columns = [term.sample.means for term in self.terms]
        weights = [term.weight for term in self.terms]
        rows = (
            [(w, m) for w, m in zip(weights, each, strict=True) if m is not None]
            for each in zip(*columns, strict=False)
        )
        return tuple(
            math.fsum(w * m for w, m in row) for row in rows if len(row) == len(self.terms)
        )

    @property
    def cancels(self) -> bool:
        """Whether its terms take each other off."""
        total = math.fsum(term.weight for term in self.terms)
        return abs(total) <= TOLERANCE and max(map(abs, self.by_seed), default=0.0) <= TOLERANCE

    @property
    def draw_error(self) -> float:
        """At most the squared error that finite draws give its part of the combination."""
        return math.fsum(abs(t.weight) * math.sqrt(t.sample.draw_error) for t in self.terms) ** 2


@dataclass(frozen=True, eq=False)
class EffectsLine(Combined):
    """The least-squares slope of effects, each of which is one unit: about other effects too."""

    places: tuple[float, ...]
    effects: tuple[Combination, ...]

    @property
    def terms(self) -> tuple[Term, ...]:
        return tuple(
            replace(term, weight=term.weight * weight)
            for effect, weight in zip(self.effects, slope_weights(self.places), strict=True)
            for term in effect.terms
        )

    def map(self, change: Callable[[Term], Term]) -> "EffectsLine":
        """The same of other samples; what is changed knows whether it adds to the slope."""

        def changed(effect: Combination, weight: float) -> Combination:
            factor = weight or 1.0

            def once(term: Term) -> Term:
                signed = change(replace(term, weight=term.weight * factor))
                return replace(signed, weight=term.weight)

            return effect.map(once)

        pairs = zip(self.effects, slope_weights(self.places), strict=True)
        return replace(self, effects=tuple(changed(*pair) for pair in pairs))

    @property
    def value(self) -> float:
        weights = slope_weights(self.places)
        return math.fsum(w * e.value for w, e in zip(weights, self.effects, strict=True))

    @property
    def test(self) -> DifferenceTest:
        return self._test

    @cached_property
    def _test(self) -> DifferenceTest:
        values = [effect.value for effect in self.effects]
        if len(values) < 3:
            return NoTest(unit="effects", note="a trend over effects needs three or more")
        error = slope_error(self.places, values)
        if error <= TOLERANCE:
            return NoTest(unit="effects", note=NO_SPREAD)
        name, degrees = "least squares over effects", len(values) - 2
        return TTest(name=name, unit="effects", difference=self.value, error=error, degrees=degrees)


def slope_weights(places: Sequence[float]) -> list[float]:
    """What each value is multiplied by to give the least-squares slope over some places."""
    center = mean(places)
    total = math.fsum((place - center) ** 2 for place in places)
    return [(place - center) / total for place in places]


def slope_error(places: Sequence[float], values: Sequence[float]) -> float:
    """The standard error of the least-squares slope of three values or more."""
    weights = slope_weights(places)
    slope = math.fsum(w * y for w, y in zip(weights, values, strict=True))
    center, level = mean(places), mean(values)
    left = [y - level - slope * (x - center) for x, y in zip(places, values, strict=True)]
    residual = math.fsum(each**2 for each in left) / (len(values) - 2)
    return math.sqrt(residual * math.fsum(weight**2 for weight in weights))
