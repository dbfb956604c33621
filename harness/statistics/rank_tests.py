"""Rank statistics: Mann-Whitney's U, Cliff's delta, ranks by seed, Spearman's correlation.

Answers of one model are not independent of each other. So Mann-Whitney's p-value over answers is
description only: between students of the same data it is below 0.05 in 57% of cases. The rank test
of a training is over seeds: each seed's mean rank, compared by Welch's t.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from .hypothesis_tests import TOLERANCE, mean, value_range

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

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
    ranked = _ranked(treated, reference)
    means = [
        [2 * (total / count) / size for total, count, size in zip(sums, counts, sizes, strict=True)
         if count]
        for sums, counts, sizes in ranked.by_seed
    ]  # fmt: skip
    parts = means[: len(treated)], means[len(treated) :]
    a, b = ([mean(ranks) for ranks in part if ranks] for part in parts)
    return a, b


def question_deltas(treated: RankedScores, reference: RankedScores) -> list[float]:
    """Cliff's delta of each question that both arms answered."""
    ranked = _ranked(treated, reference)
    own = len(treated)
    sums, n = ranked.sums[:, :own].sum(axis=1), ranked.counts[:, :own].sum(axis=1)
    u = sums - n * (n + 1) / 2
    deltas: list[float] = (2 * u / (n * ranked.counts[:, own:].sum(axis=1)) - 1).tolist()
    return deltas


@dataclass(frozen=True, eq=False)
class _Ranked:
    """The ranks of all answers among those to the same question, ties having their mean."""

    sums: "NDArray[np.float64]"
    """(questions, seeds), of the questions that both arms answered."""
    counts: "NDArray[np.int64]"
    """(questions, seeds), how many answers there are."""

    @property
    def by_seed(self) -> Iterator[tuple[list[float], list[int], list[int]]]:
        """Of each seed: its sums, its counts, and the counts of all seeds, by question."""
        sizes = self.counts.sum(axis=1).tolist()
        for sums, counts in zip(self.sums.T.tolist(), self.counts.T.tolist(), strict=True):
            yield sums, counts, sizes


def _ranked(treated: RankedScores, reference: RankedScores) -> _Ranked:
    """Ranks within every question, in one pass over all answers."""
    import numpy as np

    questions = [
        cells
        for cells in zip(*treated, *reference, strict=True)
        if any(cells[: len(treated)]) and any(cells[len(treated) :])
    ]
    shape = len(questions), len(treated) + len(reference)
    each = [len(cell) for cells in questions for cell in cells]
    counts = np.asarray(each, dtype=np.int64).reshape(shape)
    scores = np.fromiter((x for cells in questions for cell in cells for x in cell), float)
    ranks = _ranks_within(scores, np.repeat(np.arange(shape[0]), counts.sum(axis=1)))
    cell = np.repeat(np.arange(len(each)), each)
    sums = np.bincount(cell, ranks, len(each)).astype(np.float64)
    return _Ranked(sums.reshape(shape), counts)


def _ranks_within(
    scores: "NDArray[np.float64]", groups: "NDArray[np.int64]"
) -> "NDArray[np.float64]":
    """The rank of each score, from 1, among those of its group; the groups are in order."""
    import numpy as np

    order = np.lexsort((scores, groups))
    ordered, group = scores[order], groups[order]
    first = np.ones(len(order), dtype=bool)
    first[1:] = (ordered[1:] != ordered[:-1]) | (group[1:] != group[:-1])
    starts = np.flatnonzero(first)
    ties = np.diff(np.append(starts, len(order)))
    middles = np.repeat(starts + (ties + 1) / 2, ties)
    ranks = np.empty(len(order))
    ranks[order] = middles - np.searchsorted(groups, group)
    return ranks


def spearman(a: Sequence[float], b: Sequence[float]) -> float | None:
    """Spearman's rank correlation; None where one of the two does not vary."""
    if len(a) < 2 or value_range(a) <= TOLERANCE or value_range(b) <= TOLERANCE:
        return None
    from scipy import stats

    return float(stats.spearmanr(a, b).statistic)
