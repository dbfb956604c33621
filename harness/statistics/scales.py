"""Effects on scales that suit rates: the difference in log-odds, and the ratio of two rates.

A difference in points means little between base rates of 1% and of 40%. The log-odds of an arm are
those of its mean rate; their error comes from a linear approximation around it (the delta method),
so that the test is the same as that of the difference in points.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

from ...datasets.errors import SpecError
from .comparison import Comparison
from .degrees_of_freedom import satterthwaite
from .difference_tests import DifferenceTest, NoTest, TTest
from .evidence import EvidenceListener, PValue
from .hypothesis_tests import ALPHA, UNBOUNDED
from .quantities import Explained, lies_beyond
from .samples import Sample
from .worst_case import WorstCase

LOG_ODDS = "log-odds"
LOG_RATIO = "log ratio"
LOG_OTHERS = "log share of other answers"
RATIO = "ratio"


@dataclass(frozen=True, kw_only=True)
class Link:
    """A function of a rate, and its derivative."""

    name: str
    of: Callable[[float], float]
    slope: Callable[[float], float]


LINKS = {
    LOG_ODDS: Link(
        name=LOG_ODDS, of=lambda p: math.log(p / (1 - p)), slope=lambda p: 1 / (p * (1 - p))
    ),
    LOG_RATIO: Link(name=LOG_RATIO, of=math.log, slope=lambda p: 1 / p),
    LOG_OTHERS: Link(name=LOG_OTHERS, of=lambda p: -math.log(1 - p), slope=lambda p: 1 / (1 - p)),
}


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ScaledEffect(Explained):
    """An effect on another scale, with its interval. Ordered like the number that it is.

    The difference of two such effects says whether one is larger than the other, whatever their
    base rates: ``owl.log_odds - eagle.log_odds``. The two are taken as independent, which makes the
    interval too wide where they share a control.
    """

    name: str
    """What is compared, in words."""
    scale: str
    """``log-odds`` or ``ratio``."""
    test: DifferenceTest
    """The test on the logarithmic scale."""
    lower: float
    """By how much missing answers could make the effect smaller, on the logarithmic scale."""
    higher: float
    """By how much missing answers could make it larger."""
    log_value: float
    """The value on the logarithmic scale."""
    correction: int
    """What p-values are multiplied by."""
    among_valid: "ScaledEffect | None" = None
    """The same among valid answers alone, where others are missing or invalid."""
    obstacle: str = ""
    """Why no verdict is possible whatever the test says; empty if nothing is in the way."""
    listener: EvidenceListener | None = None

    @property
    def evidence_listener(self) -> EvidenceListener | None:
        return self.listener

    @property
    def value(self) -> float:
        """The difference in log-odds, or the ratio."""
        return self._shown(self.log_value)

    @property
    def interval(self) -> tuple[float, float]:
        """95% interval, simultaneous over the family and the looks."""
        low, high = self.test.interval(1 - ALPHA / self.correction, UNBOUNDED)
        return self._shown(low - self.lower), self._shown(high + self.higher)

    @property
    def p_value(self) -> float:
        """Two-sided p-value that there is no difference, corrected, in the worst case."""
        null = 1.0 if self.scale == RATIO else 0.0
        return PValue(
            self._p_value,
            self.listener,
            quantity=self,
            is_conclusive=lambda: self.is_beyond("<", null) or self.is_beyond(">", null),
        )

    @property
    def _p_value(self) -> float:
        if -self.higher <= self.log_value <= self.lower:
            return 1.0
        worst = self.test.p_above(self.lower), self.test.p_below(-self.higher)
        return min(1.0, 2 * self.correction * min(worst))

    def is_beyond(self, op: str, threshold: float) -> bool:
        every = (self, self.among_valid or self)
        beyond = all(lies_beyond(each.interval, op, threshold) for each in every)
        return beyond and not self.obstacle

    @property
    def unit(self) -> str:
        """What the test takes as independent."""
        return self.test.unit

    def _shown(self, value: float) -> float:
        """A value of the logarithmic scale on this one."""
        if self.scale != RATIO:
            return value
        return math.exp(value) if value < math.log(UNBOUNDED) else UNBOUNDED

    def __sub__(self, other: "ScaledEffect") -> "ScaledEffect":
        if not isinstance(other, ScaledEffect):
            return NotImplemented
        if self.scale != other.scale:
            raise SpecError(f"{self.scale} and {other.scale} have no difference")
        return replace(
            self,
            name=f"({self.name}) - ({other.name})",
            test=_difference_of_tests(self.test, other.test),
            lower=self.lower + other.higher,
            higher=self.higher + other.lower,
            log_value=self.log_value - other.log_value,
            correction=max(self.correction, other.correction),
            among_valid=self._less_among_valid(other),
            obstacle=self.obstacle or other.obstacle,
        )

    def _less(self, other: object) -> "ScaledEffect | None":
        if not isinstance(other, ScaledEffect) or {self.scale, other.scale} != {LOG_ODDS}:
            return None
        return self - other

    def _less_among_valid(self, other: "ScaledEffect") -> "ScaledEffect | None":
        if self.among_valid is None and other.among_valid is None:
            return None
        return (self.among_valid or self) - (other.among_valid or other)

    def __repr__(self) -> str:
        low, high = self.interval
        sign = "" if self.scale == RATIO else "+"
        shown = [f"{end:{sign}.2f}" if abs(end) < UNBOUNDED else "unknown" for end in (low, high)]
        return (
            f"{self.name}: {self.scale} {self.value:{sign}.2f} [{shown[0]}, {shown[1]}] over "
            f"{self.unit}, p = {self._p_value:.2g}"
        )

    def explain(self) -> list[str]:
        return [repr(self)]


def log_odds_effect(name: str, comparison: Comparison, correction: int) -> ScaledEffect:
    """The difference of two arms' log-odds."""
    return _scaled(name, comparison, correction, LINKS[LOG_ODDS], LOG_ODDS)


def ratio_effect(name: str, comparison: Comparison, correction: int) -> ScaledEffect:
    """The ratio of two arms' rates."""
    return _scaled(name, comparison, correction, LINKS[LOG_RATIO], RATIO)


def _scaled(
    name: str, comparison: Comparison, correction: int, link: Link, scale: str
) -> ScaledEffect:
    seen = comparison.as_seen if isinstance(comparison, WorstCase) else comparison
    value = _value(seen, link)
    ends = (
        (_value(comparison.lowest, link), _value(comparison.highest, link))
        if isinstance(comparison, WorstCase)
        else (value, value)
    )
    return ScaledEffect(
        name=name,
        scale=scale,
        test=_linear(seen, link).test,
        lower=max(0.0, value - ends[0]),
        higher=max(0.0, ends[1] - value),
        log_value=value,
        correction=correction,
    )


def _value(comparison: Comparison, link: Link) -> float:
    one, other = (link.of(_inner_rate(sample)) for sample in comparison.on_same_questions)
    return one - other


def _linear(comparison: Comparison, link: Link) -> Comparison:
    """The comparison on another scale, linear around the two arms' rates."""
    one, other = (linear_sample(sample, link) for sample in comparison.on_same_questions)
    return replace(comparison, treated=one, reference=other, bound=UNBOUNDED)


def linear_sample(sample: Sample, link: Link) -> Sample:
    """The rates of a sample on another scale, linear around their mean."""
    rate = _inner_rate(sample)
    start, slope, center = link.of(rate), link.slope(rate), sample.value
    table = tuple(
        tuple(None if cell is None else start + slope * (cell - center) for cell in row)
        for row in sample.table
    )
    return replace(sample, table=table, draw_variance=lambda: slope**2 * sample.draw_variance())


def _inner_rate(sample: Sample) -> float:
    """The mean rate, with half an answer added to each side, so that it is neither 0 nor 1."""
    answers = 1e9 if sample.exact else sample.draws * len(sample.questions) * sample.seeds
    return (min(1.0, max(0.0, sample.value)) * answers + 0.5) / (answers + 1)


def _difference_of_tests(one: DifferenceTest, other: DifferenceTest) -> DifferenceTest:
    """The test of the difference of two independent differences."""
    unit = one.unit if one.unit == other.unit else f"{one.unit} and {other.unit}"
    if not (isinstance(one, TTest) and isinstance(other, TTest)):
        return NoTest(unit=unit, note="no spread to test a difference against")
    parts = [(each.error**2, each.degrees) for each in (one, other)]
    return TTest(
        name="Welch's t of two effects",
        unit=unit,
        difference=one.difference - other.difference,
        error=math.sqrt(sum(part for part, _ in parts)),
        degrees=satterthwaite(parts),
    )
