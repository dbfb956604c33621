"""The tests behind a verdict: few lines each, around SciPy. No value here is ever NaN."""

import math
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .contrasts import TOLERANCE, Alternative, contrast, t_quantile, variance

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

ALPHA = 0.05
UNBOUNDED = 1e9
"""The end of an interval where nothing bounds a difference (finite, so that it can be JSON)."""

EXACT_FLIPS = 13
"""Differences up to which the sign-flip test takes every choice of signs."""
FLIPS = 9_999
"""Random choices of signs above that."""
NO_SPREAD = "no spread to test a difference against"


@dataclass(frozen=True)
class TestResult:
    """The result of a test of a difference."""

    test: str
    unit: str
    p_value: float
    interval: tuple[float, float]
    note: str = ""


def mean(values: Sequence[float]) -> float:
    """The arithmetic mean; of nothing, 0."""
    return math.fsum(values) / len(values) if values else 0.0


def value_range(values: Sequence[float]) -> float:
    """The largest less the smallest."""
    return max(values) - min(values) if values else 0.0


def half_width(units: Sequence[float], *, alpha: float = ALPHA) -> float:
    """Half the width of the t interval of a mean; at least two units."""
    return t_quantile(1 - alpha / 2, len(units) - 1) * math.sqrt(variance(units) / len(units))


def binomial_interval(share: float, trials: int) -> tuple[float, float]:
    """The exact (Clopper-Pearson) 95% interval of a share of some trials."""
    if trials < 1:
        return 0.0, 1.0
    from scipy import stats

    low, high = stats.binomtest(round(share * trials), trials).proportion_ci(1 - ALPHA)
    return min(float(low), share), max(float(high), share)


def welch(
    a: Sequence[float], b: Sequence[float], *, unit: str, of: str, level: float, bound: float
) -> TestResult:
    """Welch's t test; ``bound`` is the largest difference that is possible.

    Where the arms' counts differ, or one is two, it has fewer degrees of freedom than Welch's own
    (see :func:`~limen.harness.statistics.contrasts.conservative`), and the test's name says so.
    """
    tested = contrast((a, b), (1.0, -1.0))
    if tested is None:
        few = min(len(a), len(b)) < 2
        note = "one question an arm says nothing of other questions" if few else NO_SPREAD
        return TestResult("none", unit, 1.0, (-bound, bound), note)
    test = f"Welch's t over {of}"
    if tested.conservative:
        test += f", conservative at {len(a)} v {len(b)}"
    return TestResult(test, unit, tested.p_value(), tested.interval(level))


def paired(a: Sequence[float], b: Sequence[float], *, level: float, bound: float) -> TestResult:
    """The t test of the questions' differences."""
    differences = _differences(a, b)
    tested = contrast((differences,), (1.0,))
    if tested is not None:
        p_value, interval = tested.p_value(), tested.interval(level)
        return TestResult("t paired by question", "questions", p_value, interval)
    if len(differences) < 2:
        note = "one question says nothing of other questions"
        return TestResult("none", "questions", 1.0, (-bound, bound), note)
    p_value, interval = one_sample(differences, level=level, bound=bound)
    note = "no spread: every question differs by the same amount"
    return TestResult("sign-flip by question", "questions", p_value, interval, note)


def one_sample(
    values: Sequence[float], *, level: float = 1 - ALPHA, bound: float = UNBOUNDED
) -> tuple[float, tuple[float, float]]:
    """The p-value (t) that the mean is zero, and its interval; of fewer than two, no evidence.

    Values that are all the same have no spread for a t test. Then the sign-flip test is exact: if
    zero were the center each value's sign would be random, and all n are alike in 2 of 2^n cases.
    """
    tested = contrast((values,), (1.0,))
    if tested is not None:
        return tested.p_value(), tested.interval(level)
    same = len(values) > 1 and abs(mean(values)) > TOLERANCE
    p_value = 2.0 ** (1 - len(values)) if same else 1.0
    decided = 2.0 ** (1 - len(values)) < 1 - level  # else so few values are alike by chance
    return p_value, ((mean(values), mean(values)) if decided else (-bound, bound))


def one_sided(
    a: Sequence[float],
    b: Sequence[float],
    null: float,
    alternative: Alternative,
    *,
    paired: bool,
) -> float:
    """The p-value that the difference of means is ``null`` or lies on the other side of it.

    Welch's t, or paired; 1 where the values say nothing of the difference's spread.
    """
    differences = _differences(a, b) if paired else []
    tested = contrast((differences,), (1.0,)) if paired else contrast((a, b), (1.0, -1.0))
    if tested is not None:
        return tested.p_value(alternative, null=null)
    above = mean(differences) > null if alternative == "greater" else mean(differences) < null
    return 2.0 ** -len(differences) if len(differences) > 1 and above else 1.0


def tost(a: Sequence[float], b: Sequence[float], margin: float, *, paired: bool) -> float:
    """Two one-sided tests (Schuirmann 1987): the p-value of a difference of ``margin`` or more.

    Welch's t, or paired; 1 where the values say nothing of the difference's spread.
    """
    above = one_sided(a, b, -margin, "greater", paired=paired)
    return max(above, one_sided(a, b, margin, "less", paired=paired))


def _differences(a: Sequence[float], b: Sequence[float]) -> list[float]:
    return [x - y for x, y in zip(a, b, strict=True)]


def sign_flip(differences: Sequence[float]) -> float:
    """The sign-flip permutation test that the mean of differences is zero: its p-value.

    Exact up to 13 differences, above that from 9,999 random flips of a fixed seed; of none, 1.
    """
    if not differences:
        return 1.0
    import numpy as np

    values = np.asarray(differences)
    exact = len(differences) <= EXACT_FLIPS
    observed = abs(float(values.sum())) - 1e-12 * float(abs(values).sum())  # less rounding
    flips = _all_flips(len(values)) if exact else _random_flips(len(values))
    total, extreme = 0, 0
    for flipped in flips:
        sums = 2 * (flipped @ values) - values.sum()
        total, extreme = total + len(sums), extreme + int((abs(sums) >= observed).sum())
    return extreme / total if exact else (extreme + 1) / (total + 1)


def _all_flips(count: int) -> "Iterator[NDArray[np.float64]]":
    """Every choice of signs, as zeros and ones."""
    import numpy as np

    yield (np.arange(2**count)[:, None] >> np.arange(count) & 1).astype(float)


def _random_flips(count: int) -> "Iterator[NDArray[np.float64]]":
    """9,999 random choices of signs, as zeros and ones, in blocks of at most 64 MiB.

    SciPy's permutation test holds all of them at once: 24 GB for 100,000 questions.
    """
    import numpy as np

    random, width = np.random.default_rng(0), -(-count // 8)
    rows = max(1, min(FLIPS, 2**23 // count))
    for first in range(0, FLIPS, rows):
        taken = min(rows, FLIPS - first)
        packed = np.frombuffer(random.bytes(taken * width), np.uint8).reshape(taken, width)
        yield np.unpackbits(packed, axis=1, count=count).astype(float)


def holm(p_values: Sequence[float], *, family: int = 0) -> list[float]:
    """Holm's step-down p-values (1979), which bound the chance of any false positive.

    A ``family`` larger than what is given counts the rest as tests with a p-value of 1. It is not
    statsmodels' ``multipletests``, which collects garbage at every call (60 ms).
    """
    number = max(family, len(p_values))
    corrected, largest = [1.0] * len(p_values), 0.0
    for rank, index in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        largest = max(largest, min(1.0, (number - rank) * p_values[index]))
        corrected[index] = largest
    return corrected


def benjamini_hochberg(p_values: Sequence[float]) -> list[float]:
    """Benjamini and Hochberg's q-values (1995), which bound the share of false positives."""
    from scipy import stats

    return [float(q) for q in stats.false_discovery_control(p_values)] if p_values else []


def dunnett(
    groups: Sequence[Sequence[float]], control: Sequence[float], *, level: float
) -> list[TestResult]:
    """Dunnett's test of several groups against one control, with simultaneous intervals.

    It assumes one variance for all groups. Every group and the control have two values or more,
    and one of them varies.
    """
    import numpy as np
    from scipy import stats

    result = stats.dunnett(*groups, control=control, rng=np.random.default_rng(0))
    with warnings.catch_warnings(record=True) as rough:
        warnings.simplefilter("always")
        intervals = result.confidence_interval(level)
    note = "the interval's level is approximate" if rough else ""
    test = f"Dunnett's test over seed means, {len(groups)} v 1"
    return [
        TestResult(test, "seeds", p, (low, high), note)
        for p, low, high in np.column_stack((result.pvalue, intervals.low, intervals.high)).tolist()
    ]
