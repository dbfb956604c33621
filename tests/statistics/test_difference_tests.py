"""Tests of a difference, against statsmodels and simulation."""

from typing import Any

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.weightstats import CompareMeans, DescrStatsW, ttost_ind, ttost_paired

from limen.harness.statistics.difference_tests import DifferenceTest, paired_test, welch_test

SEEDS = pytest.mark.parametrize("seed", range(10))
CASES = 3_000
LUCK = (0.05 * 0.95 / CASES) ** 0.5
"""The standard error of a level of 5% over so many cases."""


def near(expected: Any) -> Any:
    """A value, to nine digits."""
    return pytest.approx(expected, rel=1e-9, abs=1e-9)


def values(seed: int, *, level: float = 0.3, count: int | None = None) -> list[float]:
    """Some random values around a level."""
    random = np.random.default_rng([seed, round(100 * level)])
    return random.normal(level, 0.1, count or random.integers(3, 9)).tolist()  # type: ignore[no-any-return]


def welch(a: list[float], b: list[float]) -> DifferenceTest:
    """Welch's test over seed means."""
    return welch_test(a, b, unit="seeds", of="seed means")


@SEEDS
def test_welch_agrees_with_statsmodels_where_counts_are_equal(seed: int) -> None:
    """P-value and interval are the library's."""
    a, b = values(seed, count=4), values(seed, level=0.4, count=4)
    theirs = CompareMeans(DescrStatsW(a), DescrStatsW(b))
    assert welch(a, b).p_value == near(theirs.ttest_ind(usevar="unequal")[1])
    assert welch(a, b).interval(0.95, 1) == near(theirs.tconfint_diff(usevar="unequal"))


@SEEDS
def test_welch_is_more_cautious_where_counts_differ(seed: int) -> None:
    """It has fewer degrees of freedom, so a larger p-value and a wider interval, and says so."""
    a, b = values(seed, count=3), values(seed, level=0.4, count=8)
    test, theirs = welch(a, b), stats.ttest_ind(a, b, equal_var=False)
    low, high = theirs.confidence_interval(0.95)
    assert test.p_value > theirs.pvalue
    ends = test.interval(0.95, 10)
    assert ends[0] < low < high < ends[1]
    assert test.name == "Welch's t over seed means, conservative at 3 v 8"


@SEEDS
def test_the_paired_test_agrees_with_statsmodels(seed: int) -> None:
    """P-value and interval are the library's."""
    a, b = values(seed, count=6), values(seed, level=0.4, count=6)
    differences = DescrStatsW(np.subtract(a, b))
    assert paired_test(a, b).p_value == near(differences.ttest_mean(0)[1])
    assert paired_test(a, b).interval(0.9, 1) == near(differences.tconfint_mean(alpha=0.1))


@SEEDS
def test_one_sided_tests_agree_with_statsmodels(seed: int) -> None:
    """Together they are the library's test of equivalence, unpaired and paired."""
    a, b = values(seed, count=6), values(seed, level=0.4, count=6)
    test = welch(a, b)
    theirs = ttost_ind(a, b, -0.15, 0.15, usevar="unequal")[0]
    assert max(test.p_above(-0.15), test.p_below(0.15)) == near(theirs)
    test = paired_test(a, b)
    theirs = ttost_paired(np.asarray(a), np.asarray(b), -0.15, 0.15)[0]
    assert max(test.p_above(-0.15), test.p_below(0.15)) == near(theirs)


@pytest.mark.parametrize(
    ("a", "b"), [([0.3], [0.1]), ([0.3], [0.1, 0.2]), ([0.3, 0.3], [0.1, 0.1])]
)
def test_without_spread_nothing_is_shown(a: list[float], b: list[float]) -> None:
    """One value an arm, or none that varies, is no evidence."""
    test = welch(a, b)
    assert (test.p_value, test.p_above(-1), test.p_below(1)) == (1, 1, 1)
    assert test.interval(0.95, 1) == (-1, 1)


def test_differences_that_are_all_equal_are_tested_by_their_signs() -> None:
    """Without spread the paired test is an exact sign-flip test."""
    test = paired_test([0.5] * 8, [0.2] * 8, bound=1)
    assert (test.name, test.p_value) == ("sign-flip by question", 2**-7)
    assert test.p_below(0.2) == 1
    assert paired_test([0.3], [0.1]).name == "none"


@pytest.mark.parametrize("difference", [0.3, -0.3, 0.0, 1.0])
def test_without_spread_other_questions_may_differ_by_all_there_is(difference: float) -> None:
    """Of a mean of 0.4 at most (0.4 + 1) / (d + 1) of the questions can differ by d."""
    test = paired_test([difference] * 20, [0.0] * 20, bound=1)
    for null in (difference - 0.2, difference - 0.5):
        share = (null + 1) / (difference + 1)
        flips = 2**-20 if null <= 0 < difference else 1
        assert test.p_above(null) == near(min(flips, share**20))
    low, high = test.interval(0.9, 1)
    assert high == near(1 - 0.05 ** (1 / 20) * (1 - difference))
    assert low == near(max(0.0 if difference > 0 else -1, 0.05 ** (1 / 20) * (difference + 1) - 1))


@pytest.mark.parametrize(
    ("counts", "sds"),
    [
        ((2, 2), (1, 10)),
        ((2, 8), (1, 1)),
        ((2, 8), (1, 3)),
        ((3, 10), (1, 1)),
        ((3, 10), (1, 1.5)),
        ((3, 10), (7, 0.3)),
        ((3, 3), (7, 0.3)),
        ((5, 5), (7, 0.3)),
        ((4, 7), (1, 3)),
    ],
)
def test_welch_holds_its_level(counts: tuple[int, int], sds: tuple[float, float]) -> None:
    """Arms of one true mean differ in at most 6% of cases, whatever their counts and spreads."""
    random = np.random.default_rng(1)
    arms = (random.normal(0, sd, (CASES, n)).tolist() for sd, n in zip(sds, counts, strict=True))
    wrong = [welch(a, b).p_value < 0.05 for a, b in zip(*arms, strict=True)]
    assert np.mean(wrong) < 0.06 + 2 * LUCK
