"""The tests behind a verdict: few lines each, around SciPy. No value here is ever NaN."""

import math
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

ALPHA = 0.05
TOLERANCE = 1e-9
"""Values that differ by less are the same but for rounding."""

UNBOUNDED = 1e9
"""The end of an interval where nothing bounds a difference (finite, so that it can be JSON)."""

EXACT_FLIPS = 13
"""Differences up to which the sign-flip test takes every choice of signs."""
FLIPS = 9_999
"""Random choices of signs above that."""


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


def variance(values: Sequence[float]) -> float:
    """The sample variance of two values or more."""
    center = mean(values)
    return math.fsum((value - center) ** 2 for value in values) / (len(values) - 1)


def half_width(units: Sequence[float], *, alpha: float = ALPHA) -> float:
    """Half the width of the t interval of a mean; at least two units."""
    from scipy import special

    quantile = float(special.stdtrit(len(units) - 1, 1 - alpha / 2))
    return quantile * math.sqrt(variance(units) / len(units))


def binomial_interval(share: float, trials: int) -> tuple[float, float]:
    """The exact (Clopper-Pearson) 95% interval of a share of some trials."""
    if trials < 1:
        return 0.0, 1.0
    from scipy import stats

    low, high = stats.binomtest(round(share * trials), trials).proportion_ci(1 - ALPHA)
    return min(float(low), share), max(float(high), share)


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
    total, extreme = 0, 0
    for chosen in _every_sum(values) if exact else _random_sums(values):
        sums = 2 * chosen - values.sum()
        total, extreme = total + len(sums), extreme + int((abs(sums) >= observed).sum())
    return extreme / total if exact else (extreme + 1) / (total + 1)


def _every_sum(values: "NDArray[np.float64]") -> "Iterator[NDArray[np.float64]]":
    """The sum of every subset of some values."""
    import numpy as np

    count = len(values)
    yield (np.arange(2**count)[:, None] >> np.arange(count) & 1).astype(float) @ values


def _random_sums(values: "NDArray[np.float64]") -> "Iterator[NDArray[np.float64]]":
    """The sums of 9,999 random subsets, in blocks whose working memory is bounded.

    A random byte chooses among eight values; a table has the sum of each choice. SciPy's
    permutation test holds all signs at once: 24 GB for 100,000 values.
    """
    import numpy as np

    random, count = np.random.default_rng(0), len(values)
    width = -(-count // 8)
    choices = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1)
    sums = (np.pad(values, (0, 8 * width - count)).reshape(width, 8) @ choices.T).ravel()
    offsets = np.arange(width) * 256
    rows = max(1, min(FLIPS, 2**23 // count))
    for first in range(0, FLIPS, rows):
        taken = min(rows, FLIPS - first)
        drawn = np.frombuffer(random.bytes(taken * width), np.uint8).reshape(taken, width)
        yield sums.take(drawn + offsets).sum(axis=1)


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
