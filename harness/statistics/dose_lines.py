"""Straight lines through the seed means of doses, and the test of their slopes."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from .degrees_of_freedom import conservative, satterthwaite
from .difference_tests import DifferenceTest, NoTest, TTest, squared_error
from .hypothesis_tests import TOLERANCE, mean
from .samples import NO_COMMON_QUESTION, Sample

OWN_VARIANCES = "contrast of seed means, a variance for each dose"
ONE_VARIANCE = "least squares over seeds, one variance for all doses"
NO_SPREAD = "no spread to test a trend against"


@dataclass(frozen=True, eq=False)
class DoseLine:
    """The models of one arm at each dose."""

    places: tuple[float, ...]
    """log2 of the doses."""
    samples: tuple[Sample, ...]
    sign: int
    """Whether its slope is added (1) or subtracted (-1)."""

    @cached_property
    def weights(self) -> list[float]:
        """What each dose's mean is multiplied by to give the signed least-squares slope."""
        if self.is_point:
            return [0.0] * len(self.places)
        pairs = [(x, one.seeds) for x, one in zip(self.places, self.samples, strict=True)]
        center = math.fsum(x * n for x, n in pairs) / sum(n for _, n in pairs)
        total = math.fsum(n * (x - center) ** 2 for x, n in pairs)
        return [self.sign * n * (x - center) / total for x, n in pairs]

    @property
    def is_point(self) -> bool:
        """Whether fewer than two doses have any answers to compare, so that there is no slope."""
        return len(set(self.places)) < 2

    @property
    def groups(self) -> list[tuple[float, ...]]:
        """The seed means of each dose."""
        return [sample.by_seed for sample in self.samples]

    @property
    def slope(self) -> float:
        """The signed least-squares slope."""
        return math.fsum(w * mean(g) for w, g in zip(self.weights, self.groups, strict=True))

    def map(self, change: Callable[[Sample, float], Sample]) -> "DoseLine":
        """The same with other samples, made of each sample and its weight."""
        pairs = zip(self.samples, self.weights, strict=True)
        return DoseLine(self.places, tuple(change(*pair) for pair in pairs), self.sign)


@dataclass(frozen=True, eq=False)
class DoseLines:
    """The lines whose slopes are added up: of the treated arms and, if they have any, controls."""

    lines: tuple[DoseLine, ...]

    @property
    def slope(self) -> float:
        """The sum of the signed slopes."""
        return math.fsum(line.slope for line in self.lines)

    @cached_property
    def test(self) -> DifferenceTest:
        """The test that the slope is zero."""
        if any(line.is_point for line in self.lines):
            return NoTest(unit="seeds", note=NO_COMMON_QUESTION)
        several = min(len(group) for line in self.lines for group in line.groups) > 1
        parts, counts = self._of_doses() if several else self._of_residuals()
        total = math.fsum(error for error, _ in parts)
        if total <= TOLERANCE**2:
            return NoTest(unit="seeds", note=NO_SPREAD)
        degrees = satterthwaite(parts)
        return TTest(
            name=OWN_VARIANCES if several else ONE_VARIANCE,
            unit="seeds",
            difference=self.slope,
            error=math.sqrt(total),
            degrees=conservative(degrees, counts) if several else degrees,
        )

    def _of_doses(self) -> tuple[list[tuple[float, float]], list[int]]:
        """Squared errors from the variance of each dose's seeds, and the numbers of seeds."""
        terms = [
            (weight**2 * squared_error(group), len(group))
            for line in self.lines
            for weight, group in zip(line.weights, line.groups, strict=True)
            if abs(weight) > TOLERANCE
        ]
        return [(error, count - 1) for error, count in terms], [count for _, count in terms]

    def _of_residuals(self) -> tuple[list[tuple[float, float]], list[int]]:
        """Squared errors from the residuals of each line."""
        from scipy import stats

        parts: list[tuple[float, float]] = []
        for line in self.lines:
            x = [
                place for place, group in zip(line.places, line.groups, strict=True) for _ in group
            ]
            y = [value for group in line.groups for value in group]
            parts.append((float(stats.linregress(x, y).stderr) ** 2, len(x) - 2))
        return parts, []

    @property
    def is_uncertain(self) -> bool:
        """Whether the slopes would be others if every answer had been seen."""
        return any(sample.is_uncertain for line in self.lines for sample in line.samples)

    def extreme(self, low: float, high: float, *, upwards: bool) -> "DoseLines":
        """The lines with everything missing against the slope, or (``upwards``) in its favour."""

        def change(sample: Sample, weight: float) -> Sample:
            return sample.highest(high) if (weight > 0) == upwards else sample.lowest(low)

        return DoseLines(tuple(line.map(change) for line in self.lines))


@dataclass(frozen=True, eq=False)
class WorstCaseSlope:
    """A slope and its test, whatever the answers that were never seen would have been."""

    seen: DoseLines
    range: tuple[float, float]
    """The smallest and the largest possible outcome of a draw."""

    @cached_property
    def _extremes(self) -> tuple[DoseLines, ...]:
        if not self.seen.is_uncertain:
            return ()
        return tuple(self.seen.extreme(*self.range, upwards=up) for up in (False, True))

    @property
    def p_value(self) -> float:
        """Two-sided p-value that the slope is zero."""
        slopes = [lines.slope for lines in self._extremes]
        if slopes and slopes[0] <= 0 <= slopes[1]:
            return 1.0
        return max(lines.test.p_value for lines in self._all())

    def interval(self, level: float, bound: float) -> tuple[float, float]:
        """Interval of the slope of this level."""
        ends = [lines.test.interval(level, bound) for lines in self._all()]
        return min(low for low, _ in ends), max(high for _, high in ends)

    def _all(self) -> Iterator[DoseLines]:
        yield self.seen
        yield from self._extremes


def on_common_questions(samples: Sequence[Sample]) -> list[Sample]:
    """Samples restricted to the questions that all models answered, where some did not."""
    alike = len({sample.questions for sample in samples}) == 1
    if not (alike and any(sample.has_gaps for sample in samples)):
        return list(samples)
    complete = [set(sample.complete_places) for sample in samples if sample.seeds]
    common = sorted(set.intersection(*complete)) if complete else []
    return [sample.at(common) for sample in samples]
