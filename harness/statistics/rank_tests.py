"""Rank statistics: Mann-Whitney's U, Cliff's delta, ranks by seed, Spearman's correlation.

Answers of one model are not independent of each other. So Mann-Whitney's p-value over answers is
description only: between students of the same data it is below 0.05 in 57% of cases. The rank test
of a training is over seeds: each seed's mean rank, compared by Welch's t.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from .hypothesis_tests import TOLERANCE, mean, value_range

Alternative = Literal["two-sided", "greater", "less"]


@dataclass(frozen=True)
class MannWhitney:
    """A Mann-Whitney U test of two groups of scores."""

    u: float
    """Pairs in which the first group's score is the larger one, ties counted half."""
    p_value: float
    """Of scores that are all independent of each other, which answers of one model are not."""
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


RankedScores = Sequence[Sequence[Sequence[float]]]
"""(seeds, questions, answers), the scores of an arm."""


def seed_ranks(treated: RankedScores, reference: RankedScores) -> tuple[list[float], list[float]]:
    """Each seed's mean rank among all answers to the same question, for both arms.

    Ranks (ties have their mean) are scaled so that the difference of the arms' means is Cliff's
    delta where seeds have equally many answers. These are the clusters' mean ranks of Rosner,
    Glynn and Lee (2003) and of Datta and Satten (2005). Questions that an arm did not answer are
    left out, and so are seeds that answered none.
    """
    sums: list[list[float]] = [[] for _ in (*treated, *reference)]
    for cells in zip(*treated, *reference, strict=True):
        if any(cells[: len(treated)]) and any(cells[len(treated) :]):
            for seed, rank in _mean_ranks(cells):
                sums[seed].append(rank)
    parts = (sums[: len(treated)], sums[len(treated) :])
    a, b = ([mean(ranks) for ranks in part if ranks] for part in parts)
    return a, b


def _mean_ranks(cells: Sequence[Sequence[float]]) -> Iterator[tuple[int, float]]:
    """The number and the scaled mean rank of each seed with answers to a question."""
    import numpy as np
    from scipy import stats

    counts = [len(cell) for cell in cells]
    ranks = stats.rankdata(np.concatenate([np.asarray(cell, float) for cell in cells]))
    for seed, own in enumerate(np.split(ranks, np.cumsum(counts)[:-1])):
        if len(own):
            yield seed, 2 * float(own.mean()) / len(ranks)


def spearman(a: Sequence[float], b: Sequence[float]) -> float | None:
    """Spearman's rank correlation; None where one of the two does not vary."""
    if len(a) < 2 or value_range(a) <= TOLERANCE or value_range(b) <= TOLERANCE:
        return None
    from scipy import stats

    return float(stats.spearmanr(a, b).statistic)
