"""Before spending: the smallest effect that a design can be expected to detect."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from .hypothesis_tests import ALPHA

POWER = 0.8
"""The chance to find an effect of the smallest size that a design is said to detect."""
SPREAD = {"rate": 0.02, "score": 0.2}
"""Between-seed standard deviations where no past run tells: of a rate two points, as in fine-tuned
models (facts of Cloud et al.'s replications); of a score a fifth of its unit, which is a guess."""
BY_QUESTION = {"rate": 0.05, "score": 0.5}
"""Standard deviation of the difference of two models over questions, for designs of one seed."""
RESAMPLES = 20_000


@dataclass(frozen=True, kw_only=True)
class Spread:
    """How much models of one training differ by their seeds alone."""

    between: float
    """Standard deviation between the values of seeds, what finite draws add to it taken off."""
    of_answer: float | None = None
    """Standard deviation of one answer's outcome; unless given, the most that it can be."""
    source: str
    """Where that is from, in words."""


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

    def show(self, difference: float) -> str:
        """A difference as people read it."""
        return f"{100 * difference:.1f} points" if self.kind == "rate" else f"{difference:.2f}"

    @property
    def test(self) -> str:
        """The test of the verdict, by name."""
        return "Welch's t over seeds" if self.seeds > 1 else "t paired by question"

    @property
    def units(self) -> str:
        """What the test takes as independent."""
        return "seeds" if self.seeds > 1 else "questions"

    @property
    def detectable(self) -> float:
        """The smallest difference that the verdict finds four times out of five.

        Welch's t over seed means; with one seed an arm, the paired t over questions. In the
        measure's own unit; infinite where no test is possible.
        """
        level = ALPHA / self.correction
        if self.seeds > 1:
            return self._of_a_seed * standardised(self.seeds, level)
        if self.questions < 2:
            return math.inf
        return self._of_a_question * paired_standardised(self.questions, level)

    @property
    def _of_a_seed(self) -> float:
        """Standard deviation of a seed's measured value: its own, and that of finite draws."""
        return math.hypot(self.spread.between, self._of_draws / math.sqrt(self.questions))

    @property
    def _of_a_question(self) -> float:
        return math.hypot(BY_QUESTION[self.kind], math.sqrt(2) * self._of_draws)

    @property
    def _of_draws(self) -> float:
        """Standard deviation of one question's mean over draws."""
        most = 0.5 if self.kind == "rate" else 1.0  # of a rate of one half; of a score, a guess
        known = self.spread.of_answer
        return (most if known is None else known) / math.sqrt(self.draws)


@lru_cache(maxsize=64)
def standardised(seeds: int, level: float) -> float:
    """The difference, in standard deviations, that Welch's t finds with 80% power.

    By simulation of the very test (fixed seed): with three seeds the textbook's power of the
    pooled t test is too good by a quarter.
    """
    import numpy as np
    from scipy import stats

    a, b = np.random.default_rng(0).normal(size=(2, RESAMPLES, seeds))

    def power(difference: float) -> float:
        found = stats.ttest_ind(a + difference, b, axis=1, equal_var=False)
        return float(np.mean(found.pvalue < level))

    low, high = 0.0, 1.0
    while power(high) < POWER:
        low, high = high, 2 * high
    for _ in range(12):
        middle = (low + high) / 2
        low, high = (middle, high) if power(middle) < POWER else (low, middle)
    return high


@lru_cache(maxsize=64)
def paired_standardised(questions: int, level: float) -> float:
    """The difference, in standard deviations of it, that a paired t finds with 80% power."""
    from statsmodels.stats.power import TTestPower

    solved = TTestPower().solve_power(nobs=questions, alpha=level, power=POWER)
    return float(solved)


def between_seeds(groups: Sequence[Sequence[float]], of_draws: float) -> float | None:
    """The pooled between-seed standard deviation of past groups of models, less that of draws.

    ``of_draws`` is the standard deviation that finite draws alone give a measured value. None if
    no group has two models.
    """
    import numpy as np

    several = [group for group in groups if len(group) > 1]
    degrees = sum(len(group) - 1 for group in several)
    if not degrees:
        return None
    variance = sum((len(group) - 1) * float(np.var(group, ddof=1)) for group in several) / degrees
    return math.sqrt(max(0.0, variance - of_draws**2))
