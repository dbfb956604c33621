"""The tests behind a verdict, each a few lines around SciPy. No value here is ever NaN."""

import math
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

ALPHA = 0.05
TOLERANCE = 1e-9
"""Values that differ by less are the same but for rounding."""

UNBOUNDED = 1e9
"""The end of an interval where nothing bounds a difference (finite, so that it can be JSON)."""

Alternative = Literal["two-sided", "greater", "less"]


@dataclass(frozen=True)
class TestResult:
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


def value_range(values: Sequence[float]) -> float:
    """The largest less the smallest."""
    return max(values) - min(values) if values else 0.0


def half_width(units: Sequence[float], *, alpha: float = ALPHA) -> float:
    """Half the width of the t interval of a mean; at least two units."""
    import numpy as np
    from scipy import stats

    quantile = stats.t.ppf(1 - alpha / 2, len(units) - 1)
    return float(quantile * np.std(units, ddof=1) / math.sqrt(len(units)))


def binomial_interval(share: float, trials: int) -> tuple[float, float]:
    """The exact binomial_interval (Clopper-Pearson) 95% interval of a share of some trials."""
    if trials < 1:
        return 0.0, 1.0
    from scipy import stats

    low, high = stats.binomtest(round(share * trials), trials).proportion_ci(1 - ALPHA)
    return min(float(low), share), max(float(high), share)


def welch(
    a: Sequence[float], b: Sequence[float], *, unit: str, of: str, level: float, bound: float
) -> TestResult:
    """Welch's t test; ``bound`` is the largest difference there could be, if all is unknown."""
    if min(len(a), len(b)) < 2:
        note = "one question an arm says nothing of other questions"
        return TestResult("none", unit, 1.0, (-bound, bound), note)
    if max(value_range(a), value_range(b)) <= TOLERANCE:
        note = "no spread to test a difference against"
        return TestResult("none", unit, 1.0, (-bound, bound), note)
    from scipy import stats

    found = stats.ttest_ind(a, b, equal_var=False)
    low, high = found.confidence_interval(level)
    return TestResult(f"Welch's t over {of}", unit, float(found.pvalue), (float(low), float(high)))


def paired(a: Sequence[float], b: Sequence[float], *, level: float, bound: float) -> TestResult:
    """The t test of the questions' differences."""
    differences = [x - y for x, y in zip(a, b, strict=True)]
    if len(differences) < 2:
        note = "one question says nothing of other questions"
        return TestResult("none", "questions", 1.0, (-bound, bound), note)
    if value_range(differences) <= TOLERANCE:
        return _sign_flip(mean(differences), len(differences), level=level, bound=bound)
    from scipy import stats

    found = stats.ttest_rel(a, b)
    low, high = found.confidence_interval(level)
    p_value, interval = float(found.pvalue), (float(low), float(high))
    return TestResult("t paired by question", "questions", p_value, interval)


def _sign_flip(difference: float, questions: int, *, level: float, bound: float) -> TestResult:
    """The exact test where every question differs by the same: a t test has no spread to use.

    If the arms were exchangeable each question's sign would be a coin's; all alike, either way,
    happens by chance in 2 of 2^n cases.
    """
    p_value = 2.0 ** (1 - questions) if abs(difference) > TOLERANCE else 1.0
    note = "no spread: every question differs by the same amount"
    told = 2.0 ** (1 - questions) < 1 - level  # by fewer questions chance alone could do it
    interval = (difference, difference) if told else (-bound, bound)
    return TestResult("sign-flip by question", "questions", p_value, interval, note)


def sign_flip(differences: Sequence[float]) -> float:
    """The sign-flip permutation test that the mean of differences is zero: its p-value.

    Exact up to 13 differences, above that from 9,999 random flips of a fixed seed; of none, 1.
    """
    if not differences:
        return 1.0
    import numpy as np
    from scipy import stats

    found = stats.permutation_test(
        (np.asarray(differences),),
        np.mean,
        permutation_type="samples",
        n_resamples=9999,
        rng=np.random.default_rng(0),
    )
    return float(found.pvalue)


def holm(p_values: Sequence[float], *, family: int = 0) -> list[float]:
    """Holm's step-down p-values, which hold the chance of any false finding.

    A ``family`` larger than what is given counts the rest as tests that found nothing.
    """
    return _adjusted(p_values, "holm", family)


def benjamini_hochberg(p_values: Sequence[float]) -> list[float]:
    """Benjamini and Hochberg's q-values, which hold the share of false findings: to explore."""
    return _adjusted(p_values, "fdr_bh", 0)


def _adjusted(p_values: Sequence[float], method: str, family: int) -> list[float]:
    if not p_values:
        return []
    from statsmodels.stats import multitest

    corrected: Callable[..., Any] = multitest.multipletests  # it has no types
    padded = [*p_values, *[1.0] * (family - len(p_values))]
    return [float(p) for p in corrected(padded, method=method)[1][: len(p_values)]]


def dunnett(
    groups: Sequence[Sequence[float]], control: Sequence[float], *, level: float
) -> list[TestResult]:
    """Dunnett's test of several groups against one control, with simultaneous intervals.

    It takes one spread for all; every group and the control have two values or more, and not all
    are without spread.
    """
    import numpy as np
    from scipy import stats

    found = stats.dunnett(*groups, control=control, rng=np.random.default_rng(0))
    with warnings.catch_warnings(record=True) as rough:
        warnings.simplefilter("always")
        intervals = found.confidence_interval(level)
    note = "the interval's level is approximate" if rough else ""
    test = f"Dunnett's test over seed means, {len(groups)} v 1"
    return [
        TestResult(test, "seeds", p, (low, high), note)
        for p, low, high in np.column_stack((found.pvalue, intervals.low, intervals.high)).tolist()
    ]


@dataclass(frozen=True)
class Line:
    """A straight line through points, by least squares."""

    slope: float
    error: float
    """Standard error of the slope."""
    degrees: int
    """Degrees of freedom."""


def line(x: Sequence[float], y: Sequence[float]) -> Line:
    """The line through three points or more, at two places or more."""
    from scipy import stats

    found = stats.linregress(x, y)
    return Line(float(found.slope), float(found.stderr), len(x) - 2)


def slope_test(a: Line, b: Line | None, *, level: float) -> tuple[float, tuple[float, float]]:
    """Whether a line rises, or rises more than another: p-value and interval (Welch's t)."""
    from scipy import stats

    lines = [one for one in (a, b) if one is not None]
    variance = sum(one.error**2 for one in lines)
    difference = a.slope - (b.slope if b else 0.0)
    if variance <= TOLERANCE**2:
        return 1.0, (-math.inf, math.inf)
    parts = (one.error**4 / one.degrees for one in lines if one.error)
    degrees = variance**2 / sum(parts)
    error = math.sqrt(variance)
    p_value = 2 * float(stats.t.sf(abs(difference) / error, degrees))
    half = error * float(stats.t.ppf((1 + level) / 2, degrees))
    return p_value, (difference - half, difference + half)


def tost(a: Sequence[float], b: Sequence[float], margin: float, *, paired: bool) -> float:
    """Two one-sided tests (Schuirmann 1987): the p-value of a difference of ``margin`` or more.

    Welch's t, or paired; 1 where the values say nothing of the difference's spread.
    """
    if min(len(a), len(b)) < 2:
        return 1.0
    if (
        paired
        and value_range(differences := [x - y for x, y in zip(a, b, strict=True)]) <= TOLERANCE
    ):
        return 2.0 ** -len(differences) if abs(differences[0]) < margin else 1.0
    if not paired and max(value_range(a), value_range(b)) <= TOLERANCE:
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
    values: Sequence[float], *, level: float = 1 - ALPHA, bound: float = UNBOUNDED
) -> tuple[float, tuple[float, float]]:
    """The p-value that the mean is zero, and its interval; of fewer than two, no evidence."""
    if len(values) < 2 or value_range(values) <= TOLERANCE:
        same = len(values) > 1 and abs(mean(values)) > TOLERANCE
        p_value = 2.0 ** (1 - len(values)) if same else 1.0
        told = p_value < 1 - level
        return p_value, ((mean(values), mean(values)) if told else (-bound, bound))
    from scipy import stats

    half = half_width(values, alpha=1 - level)
    p_value = float(stats.ttest_1samp(values, 0.0).pvalue)
    return p_value, (mean(values) - half, mean(values) + half)


def spearman(a: Sequence[float], b: Sequence[float]) -> float | None:
    """Spearman's rank correlation; None where one of the two does not vary."""
    if len(a) < 2 or value_range(a) <= TOLERANCE or value_range(b) <= TOLERANCE:
        return None
    from scipy import stats

    return float(stats.spearmanr(a, b).statistic)
