"""The tests behind a verdict, each a few lines around SciPy. No value here is ever NaN."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

ALPHA = 0.05
SAME = 1e-12
"""Values that differ by less are the same but for rounding."""

Alternative = Literal["two-sided", "greater", "less"]


@dataclass(frozen=True)
class Outcome:
    """What a test said."""

    test: str
    unit: str
    p_value: float
    interval: tuple[float, float]
    note: str = ""


@dataclass(frozen=True)
class MannWhitney:
    """A Mann-Whitney U test of two groups of scores."""

    u: float
    """Pairs in which the first group's score is the larger one, ties counted half."""
    p_value: float
    delta: float
    """Cliff's delta, -1 to 1: how much more often the first group's score is the larger one."""
    counts: tuple[int, int]


def mean(values: Sequence[float]) -> float:
    """The arithmetic mean; of nothing, 0."""
    return math.fsum(values) / len(values) if values else 0.0


def spread(values: Sequence[float]) -> float:
    """The largest less the smallest."""
    return max(values) - min(values) if values else 0.0


def half_width(units: Sequence[float], *, alpha: float = ALPHA) -> float:
    """Half the width of the t interval of a mean; at least two units."""
    import numpy as np
    from scipy import stats

    quantile = stats.t.ppf(1 - alpha / 2, len(units) - 1)
    return float(quantile * np.std(units, ddof=1) / math.sqrt(len(units)))


def binomial(share: float, trials: int) -> tuple[float, float]:
    """The exact binomial (Clopper-Pearson) 95% interval of a share of some trials."""
    if trials < 1:
        return 0.0, 1.0
    from scipy import stats

    low, high = stats.binomtest(round(share * trials), trials).proportion_ci(1 - ALPHA)
    return min(float(low), share), max(float(high), share)


def welch(
    a: Sequence[float], b: Sequence[float], *, unit: str, of: str, level: float, bound: float
) -> Outcome:
    """Welch's t test; ``bound`` is the largest difference there could be, if all is unknown."""
    if min(len(a), len(b)) < 2:
        note = "one question an arm says nothing of other questions"
        return Outcome("none", unit, 1.0, (-bound, bound), note)
    if max(spread(a), spread(b)) <= SAME:
        note = "no spread to test a difference against"
        return Outcome("none", unit, 1.0, (-bound, bound), note)
    from scipy import stats

    found = stats.ttest_ind(a, b, equal_var=False)
    low, high = found.confidence_interval(level)
    return Outcome(f"Welch's t over {of}", unit, float(found.pvalue), (float(low), float(high)))


def paired(a: Sequence[float], b: Sequence[float], *, level: float, bound: float) -> Outcome:
    """The t test of the questions' differences."""
    differences = [x - y for x, y in zip(a, b, strict=True)]
    if len(differences) < 2:
        note = "one question says nothing of other questions"
        return Outcome("none", "questions", 1.0, (-bound, bound), note)
    if spread(differences) <= SAME:
        return _sign_flip(mean(differences), len(differences))
    from scipy import stats

    found = stats.ttest_rel(a, b)
    low, high = found.confidence_interval(level)
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


def tost(a: Sequence[float], b: Sequence[float], margin: float, *, paired: bool) -> float:
    """Two one-sided tests (Schuirmann 1987): the p-value of a difference of ``margin`` or more.

    Welch's t, or paired; 1 where the values say nothing of the difference's spread.
    """
    if min(len(a), len(b)) < 2:
        return 1.0
    if paired and spread(differences := [x - y for x, y in zip(a, b, strict=True)]) <= SAME:
        return 2.0 ** -len(differences) if abs(differences[0]) < margin else 1.0
    if not paired and max(spread(a), spread(b)) <= SAME:
        return 1.0
    from scipy import stats

    def p_value(shift: float, alternative: Literal["greater", "less"]) -> float:
        moved = [value + shift for value in b]
        if paired:
            return float(stats.ttest_rel(a, moved, alternative=alternative).pvalue)
        found = stats.ttest_ind(a, moved, equal_var=False, alternative=alternative)
        return float(found.pvalue)

    return max(p_value(-margin, "greater"), p_value(margin, "less"))


def mann_whitney(
    a: Sequence[float], b: Sequence[float], alternative: Alternative = "two-sided"
) -> MannWhitney:
    """Mann-Whitney U (normal approximation with ties) and Cliff's delta; of nothing, a null."""
    if not a or not b:
        return MannWhitney(0.0, 1.0, 0.0, (len(a), len(b)))
    from scipy import stats

    found = stats.mannwhitneyu(a, b, alternative=alternative, method="asymptotic")
    u, p_value = float(found.statistic), float(found.pvalue)
    if math.isnan(p_value):  # every score is the same
        p_value = 1.0
    return MannWhitney(u, p_value, 2 * u / (len(a) * len(b)) - 1, (len(a), len(b)))


def one_sample(
    values: Sequence[float], *, level: float = 1 - ALPHA
) -> tuple[float, tuple[float, float]]:
    """The p-value that the mean is zero, and its interval; of fewer than two, no evidence."""
    if len(values) < 2 or spread(values) <= SAME:
        same = len(values) > 1 and abs(mean(values)) > SAME
        return (2.0 ** (1 - len(values)) if same else 1.0), (mean(values), mean(values))
    from scipy import stats

    half = half_width(values, alpha=1 - level)
    p_value = float(stats.ttest_1samp(values, 0.0).pvalue)
    return p_value, (mean(values) - half, mean(values) + half)


def spearman(a: Sequence[float], b: Sequence[float]) -> float | None:
    """Spearman's rank correlation; None where one of the two does not vary."""
    if len(a) < 2 or spread(a) <= SAME or spread(b) <= SAME:
        return None
    from scipy import stats

    return float(stats.spearmanr(a, b).statistic)
