"""Rank statistics: Mann-Whitney's U, Cliff's delta, Spearman's correlation."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from .hypothesis_tests import TOLERANCE, value_range

Alternative = Literal["two-sided", "greater", "less"]


@dataclass(frozen=True)
class MannWhitney:
    """A Mann-Whitney U test of two groups of scores."""

    u: float
    """Pairs in which the first group's score is the larger one, ties counted half."""
    p_value: float
    delta: float
    """Cliff's delta, -1 to 1: how much more often the first group's score is the larger one."""
    counts: tuple[int, int]


def mann_whitney(
    a: Sequence[float], b: Sequence[float], alternative: Alternative = "two-sided"
) -> MannWhitney:
    """Mann-Whitney U (normal approximation with ties) and Cliff's delta; of nothing, a null."""
    if not a or not b:
        return MannWhitney(0.0, 1.0, 0.0, (len(a), len(b)))
    from scipy import stats

    result = stats.mannwhitneyu(a, b, alternative=alternative, method="asymptotic")
    u, p_value = float(result.statistic), float(result.pvalue)
    if math.isnan(p_value):  # every score is the same
        p_value = 1.0
    return MannWhitney(u, p_value, 2 * u / (len(a) * len(b)) - 1, (len(a), len(b)))


def spearman(a: Sequence[float], b: Sequence[float]) -> float | None:
    """Spearman's rank correlation; None where one of the two does not vary."""
    if len(a) < 2 or value_range(a) <= TOLERANCE or value_range(b) <= TOLERANCE:
        return None
    from scipy import stats

    return float(stats.spearmanr(a, b).statistic)
