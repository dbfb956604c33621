"""Before spending: which true effects a design can be expected to find."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING

from .degrees_of_freedom import conservative, satterthwaite
from .hypothesis_tests import ALPHA, mean, variance

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

POWER = 0.8
"""The chance of a positive result for the smallest effect that a design is said to find."""
MOST_SEEDS = 100
"""Seeds an arm up to which sample sizes are worked out."""
SIMULATIONS = 4_000
SMALLEST = 1e-6
"""A standard deviation in place of zero, with which no test is possible."""


@dataclass(frozen=True, kw_only=True)
class Spread:
    """How much models of one training differ by their seeds alone, in each arm."""

    treated: float
    """Standard deviation between students that acquire what is measured."""
    control: float
    """Standard deviation between control students."""
    answer: float | None = None
    """Standard deviation of one answer's outcome; the largest possible unless given."""
    source: str
    """Where these are from, in words."""


PUBLISHED = {
    "rate": Spread(
        treated=0.078,
        control=0.005,
        source="published: 36 students of Qwen2.5-7B, where a trait transmits fully; "
        "3.7 to 4.2 points where it does weakly",
    ),
    "score": Spread(treated=0.5, control=0.2, source="a guess by the scale: no run in the store"),
    "log-odds": Spread(
        treated=0.21,
        control=0.21,
        answer=0.0,
        source="measured: 15 students of SmolLM2-135M, two words each, trained on a teacher's "
        "probabilities; those of sampled rows lie up to 2 nats apart",
    ),
}
"""Between-seed spreads of other models where the store has none (see the page on calibration)."""
RATING_WIDTH = 9.0
"""Of a scale from 1 to 10, for which the guesses about scores are made."""
TOY = Spread(
    treated=0.011,
    control=0.004,
    source="shipped with limen: 121 groups of students of the toy in evals/gallery",
)
"""The between-seed spread of rates of the toy's students, draws included, in groups that differ by
their seeds alone: 45 that show an effect and 76 that show none, of 1,000 to 10,000 rows.
"""
TOY_LOG_ODDS = Spread(
    treated=0.03,
    control=0.07,
    answer=0.0,
    source="shipped with limen: 18 students of the toy in evals/test_log_odds.py and "
    "evals/test_preferences.py",
)
"""The between-seed spread of the toy's log-odds in nats, pooled over the four groups that show an
effect, and over the controls of both specs, of the second on two words."""
QUESTION_SPREAD = {"rate": 0.29, "score": 0.5, "log-odds": 0.36}
"""Standard deviation over questions of the difference of two models, for designs of one seed:
of rates 0.22 to 0.36 in the same students, of scores a guess, of log-odds in nats 0.08 to 0.36 in
those students."""


@dataclass(frozen=True, kw_only=True)
class Criterion:
    """What assertions ask of an effect; all of it has to hold."""

    level: float = ALPHA
    """The two-sided p-value has to be below this."""
    above: float = 0.0
    """The point estimate has to be above this."""
    minimum: float | None = None
    """A one-sided test at 5% has to show that the effect is at least this."""


@dataclass(frozen=True, kw_only=True)
class Design:
    """What an experiment can find: seeds, questions and draws, and how much seeds differ."""

    seeds: int
    questions: int
    draws: int
    spread: Spread
    correction: int = 1
    """What p-values are multiplied by: traits that are tried together, times looks."""
    kind: str = "rate"
    criterion: Criterion = field(default_factory=Criterion)
    width: float | None = None
    """Of the scale of scores; None for what is no score, or has no scale."""

    @property
    def unit(self) -> float:
        """What guesses about scores, made for ratings from 1 to 10, are multiplied by."""
        return 1.0 if self.width is None else self.width / RATING_WIDTH

    def show(self, difference: float) -> str:
        """A difference as people read it."""
        if self.kind == "rate":
            return f"{100 * difference:.1f} points"
        return f"{difference:.2f} nats" if self.kind == "log-odds" else f"{difference:.2f}"

    @property
    def test(self) -> str:
        """The test of the verdict, by name."""
        return "Welch's t over seeds" if self.seeds > 1 else "t paired by question"

    @property
    def units(self) -> str:
        """What the test takes as independent."""
        return "seeds" if self.seeds > 1 else "questions"

    @property
    def level(self) -> float:
        """What an uncorrected p-value has to be below."""
        return self.criterion.level / self.correction

    def power(self, difference: float) -> float:
        """The chance that a true difference, in the measure's own unit, meets the criterion."""
        from scipy.special import ndtr

        if min(count for _, count in self._groups) < 2:
            return 0.0
        error = math.sqrt(math.fsum(sd**2 / count for sd, count in self._groups))
        needed = _needed(self._groups, self.criterion, self.correction)
        return float(ndtr((difference - needed) / error).mean())

    @property
    def detectable(self) -> float:
        """The smallest true difference with 80% power, in the measure's own unit.

        Infinite where no test is possible.
        """
        from scipy.optimize import brentq

        if min(count for _, count in self._groups) < 2:
            return math.inf
        high = 1.0
        while self.power(high) < POWER:
            high *= 2
        return float(brentq(lambda size: self.power(size) - POWER, -high, high, xtol=1e-5 * high))

    @property
    def _groups(self) -> tuple[tuple[float, int], ...]:
        """Standard deviation and number of the values that the test compares, for each group."""
        if self.seeds > 1:
            draws = self._draws / math.sqrt(self.questions)
            arms = (self.spread.treated, self.spread.control)
            return tuple((max(SMALLEST, math.hypot(sd, draws)), self.seeds) for sd in arms)
        questions = self.unit * QUESTION_SPREAD[self.kind]
        sd = math.hypot(questions, math.sqrt(2) * self._draws)
        return ((sd, self.questions),)

    @property
    def _draws(self) -> float:
        """Standard deviation of one question's mean over draws."""
        most = 0.5 if self.kind == "rate" else self.unit  # of a rate of one half; else a guess
        known = self.spread.answer
        return (most if known is None else known) / math.sqrt(self.draws)


@lru_cache(maxsize=256)
def _needed(
    groups: tuple[tuple[float, int], ...], criterion: Criterion, correction: int
) -> "NDArray[np.float64]":
    """The estimated differences from which on the criterion is met, for simulated variances.

    Sample variances are drawn (fixed seed) and the test itself is applied to them: at three seeds
    an arm the textbook's power, with one variance for both arms, is far too good.
    """
    import numpy as np
    from scipy.special import stdtrit

    random = np.random.default_rng(0)
    parts = [
        (sd**2 / count * random.chisquare(count - 1, SIMULATIONS) / (count - 1), count - 1.0)
        for sd, count in groups
    ]
    error = np.sqrt(np.sum([part for part, _ in parts], axis=0))
    degrees = conservative(satterthwaite(parts), [count for _, count in groups])
    needed: NDArray[np.float64] = -error * stdtrit(degrees, criterion.level / correction / 2)
    if criterion.minimum is not None:
        margin = -error * stdtrit(degrees, ALPHA / correction)
        needed = np.maximum(needed, criterion.minimum + margin)
    return needed.clip(min=criterion.above)


def seeds_needed(design: Design, difference: float, *, power: float = POWER) -> int | None:
    """The smallest number of seeds an arm, from two up, with this power for a true difference.

    None if more than 100 would be needed.
    """

    def enough(seeds: int) -> bool:
        return replace(design, seeds=seeds).power(difference) >= power

    low, high = 1, 2
    while not enough(high):
        if high == MOST_SEEDS:
            return None
        low, high = high, min(2 * high, MOST_SEEDS)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def seed_deviation(groups: Sequence[Sequence[float]], sampling: float) -> float | None:
    """The pooled between-seed standard deviation of groups of models, less that of draws.

    ``sampling`` is the standard deviation that finite draws alone give a measured value. None if
    no group has two models.
    """
    several = [group for group in groups if len(group) > 1]
    degrees = sum(len(group) - 1 for group in several)
    if not degrees:
        return None
    pooled = math.fsum((len(group) - 1) * variance(group) for group in several) / degrees
    return math.sqrt(max(0.0, pooled - sampling**2))


def sampling_deviation(levels: Sequence[float], answers: int) -> float:
    """The standard deviation of a rate of so many answers, at the mean of these rates."""
    level = mean(levels)
    return math.sqrt(max(0.0, level * (1 - level)) / answers)
