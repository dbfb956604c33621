"""The single tests, against SciPy, statsmodels and simulation."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint
from statsmodels.stats.weightstats import CompareMeans, DescrStatsW, ttost_ind, ttost_paired

from limen.harness.statistics import contrasts, mann_whitney, spearman
from limen.harness.statistics import hypothesis_tests as own

SEEDS = pytest.mark.parametrize("seed", range(10))


def near(expected: Any) -> Any:
    """A value, to nine digits."""
    return pytest.approx(expected, rel=1e-9, abs=1e-9)


def values(seed: int, *, level: float = 0.3, count: int | None = None) -> list[float]:
    """Some random values around a level."""
    random = np.random.default_rng([seed, round(100 * level)])
    return random.normal(level, 0.1, count or random.integers(3, 9)).tolist()  # type: ignore[no-any-return]


@SEEDS
def test_welch_agrees_with_statsmodels_where_counts_are_equal(seed: int) -> None:
    """P-value and interval are the library's."""
    a, b = values(seed, count=4), values(seed, level=0.4, count=4)
    welch = own.welch(a, b, unit="seeds", of="", level=0.95, bound=1)
    theirs = CompareMeans(DescrStatsW(a), DescrStatsW(b))
    assert welch.p_value == near(theirs.ttest_ind(usevar="unequal")[1])
    assert welch.interval == near(theirs.tconfint_diff(usevar="unequal"))


@SEEDS
def test_welch_is_more_cautious_where_counts_differ(seed: int) -> None:
    """It has fewer degrees of freedom, so a larger p-value and a wider interval, and says so."""
    a, b = values(seed, count=3), values(seed, level=0.4, count=8)
    welch = own.welch(a, b, unit="seeds", of="seed means", level=0.95, bound=1)
    theirs = stats.ttest_ind(a, b, equal_var=False)
    low, high = theirs.confidence_interval(0.95)
    assert welch.p_value > theirs.pvalue
    assert welch.interval[0] < low < high < welch.interval[1]
    assert welch.test == "Welch's t over seed means, conservative at 3 v 8"


@SEEDS
def test_the_paired_test_agrees_with_statsmodels(seed: int) -> None:
    """P-value and interval are the library's."""
    a, b = values(seed, count=6), values(seed, level=0.4, count=6)
    paired = own.paired(a, b, level=0.9, bound=1)
    differences = DescrStatsW(np.subtract(a, b))
    assert paired.p_value == near(differences.ttest_mean(0)[1])
    assert paired.interval == near(differences.tconfint_mean(alpha=0.1))


@SEEDS
def test_equivalence_agrees_with_statsmodels(seed: int) -> None:
    """Both forms of the two one-sided tests have the library's p-value."""
    a, b = values(seed, count=6), values(seed, level=0.4, count=6)
    tost = own.tost(a, b, 0.15, paired=False)
    assert tost == near(ttost_ind(a, b, -0.15, 0.15, usevar="unequal")[0])
    tost = own.tost(a, b, 0.15, paired=True)
    assert tost == near(ttost_paired(np.asarray(a), np.asarray(b), -0.15, 0.15)[0])


@SEEDS
def test_the_one_sample_test_agrees_with_statsmodels(seed: int) -> None:
    """P-value, interval and half width are the library's."""
    a = values(seed)
    low, high = DescrStatsW(a).tconfint_mean()
    assert own.half_width(a) == near((high - low) / 2)
    p_value, interval = own.one_sample(a)
    assert p_value == near(DescrStatsW(a).ttest_mean(0)[1])
    assert interval == near((low, high))


@SEEDS
def test_ranks_agree_with_scipy(seed: int) -> None:
    """U and its p-value are SciPy's; Cliff's delta is the mean of the signs of all pairs."""
    a, b = np.round(values(seed), 1), np.round(values(seed, level=0.4), 1)
    ranks = mann_whitney(a.tolist(), b.tolist(), "greater")
    expected = stats.mannwhitneyu(a, b, alternative="greater", method="asymptotic")
    assert (ranks.u, ranks.p_value) == near((expected.statistic, expected.pvalue))
    assert ranks.delta == near(np.sign(np.subtract.outer(a, b)).mean())


def test_ranks_of_equal_scores_show_nothing() -> None:
    """Scores that are all the same, or none, have a p-value of one."""
    assert mann_whitney([1, 1], [1, 1]).p_value == 1
    assert mann_whitney([], [1]).counts == (0, 1)
    assert spearman([1, 1], [1, 2]) is None
    assert spearman([1, 2, 3], [1, 2, 3]) == near(1)


def test_a_share_has_the_exact_binomial_interval() -> None:
    """Clopper and Pearson's, as statsmodels has it; of no trials it is everything."""
    assert own.binomial_interval(7 / 40, 40) == near(proportion_confint(7, 40, method="beta"))
    assert own.binomial_interval(0.0, 0) == (0.0, 1.0)


@SEEDS
def test_corrections_agree_with_the_libraries(seed: int) -> None:
    """Holm's p-values are statsmodels', Benjamini and Hochberg's are SciPy's."""
    p_values = np.random.default_rng(seed).uniform(0, 0.2, 7).tolist()
    assert own.holm(p_values) == near(multipletests(p_values, method="holm")[1])
    assert own.benjamini_hochberg(p_values) == near(stats.false_discovery_control(p_values))
    assert own.holm([]) == []


def test_holm_counts_the_family_that_was_not_run() -> None:
    """A family larger than what was selected makes p-values larger, never smaller."""
    alone, among = own.holm([0.01, 0.04, 0.03]), own.holm([0.01, 0.04, 0.03], family=10)
    assert alone == pytest.approx([0.03, 0.06, 0.06])
    assert among == pytest.approx([0.1, 0.32, 0.27])


@SEEDS
def test_few_sign_flips_are_all_taken(seed: int) -> None:
    """Up to 13 differences the test is exact, and SciPy's."""
    differences = values(seed, level=0.05)
    theirs = stats.permutation_test(
        (np.asarray(differences),), np.mean, permutation_type="samples", n_resamples=2**13
    )
    assert own.sign_flip(differences) == near(theirs.pvalue)


def test_many_sign_flips_agree_with_the_t_test() -> None:
    """Above 13 differences random flips come within a percent of the t test, twice the same."""
    differences = values(3, level=0.02, count=400)
    flipped = own.sign_flip(differences)
    assert flipped == pytest.approx(stats.ttest_1samp(differences, 0).pvalue, abs=0.01)
    assert flipped == own.sign_flip(differences)


def test_no_sign_flips_show_nothing() -> None:
    """Of no differences, or of zeros, the p-value is one."""
    assert own.sign_flip([]) == 1
    assert own.sign_flip([0.0] * 3) == 1
    assert own.sign_flip([0.0] * 30) == 1


def test_sign_flips_of_many_questions_need_little_memory() -> None:
    """Blocks of random signs stay small, whatever the number of questions."""
    block = next(own._random_flips(100_000))
    assert block.nbytes <= 2**26


def never(a: list[float], b: list[float]) -> list[float]:
    """P-values of tests that have nothing to go by."""
    return [
        own.welch(a, b, unit="", of="", level=0.95, bound=1).p_value,
        own.tost(a, b, 0.1, paired=False),
        own.one_sided(a, b, -1, "greater", paired=False),
    ]


@pytest.mark.parametrize(
    ("a", "b"), [([0.3], [0.1]), ([0.3], [0.1, 0.2]), ([0.3, 0.3], [0.1, 0.1])]
)
def test_without_spread_nothing_is_shown(a: list[float], b: list[float]) -> None:
    """One value an arm, or none that varies, is no evidence."""
    assert never(a, b) == [1, 1, 1]
    assert own.welch(a, b, unit="", of="", level=0.95, bound=1).interval == (-1, 1)


def test_differences_that_are_all_equal_are_tested_by_their_signs() -> None:
    """Without spread the paired tests are exact sign-flip tests."""
    a, b = [0.5] * 8, [0.2] * 8
    tested = own.paired(a, b, level=0.95, bound=1)
    assert (tested.test, tested.p_value) == ("sign-flip by question", 2**-7)
    assert tested.interval == near((0.3, 0.3))
    assert own.tost(a, b, 0.4, paired=True) == 2**-8
    assert own.tost(a, b, 0.2, paired=True) == 1
    assert own.paired([0.3], [0.1], level=0.95, bound=1).test == "none"


@pytest.mark.parametrize(
    ("counts", "sds"),
    [
        ((2, 8), (1, 1)),
        ((2, 8), (1, 3)),
        ((3, 10), (1, 1)),
        ((3, 10), (1, 1.5)),
        ((3, 10), (7, 0.3)),
        ((3, 3), (7, 0.3)),
        ((5, 5), (7, 0.3)),
    ],
)
def test_welch_holds_its_level(counts: tuple[int, int], sds: tuple[float, float]) -> None:
    """Arms of one true mean differ in at most 6% of 3,000 cases, whatever counts and spreads."""
    random = np.random.default_rng(1)
    found = wrong(
        lambda: contrasts.contrast(
            [random.normal(0, sd, n).tolist() for sd, n in zip(sds, counts, strict=True)], (1, -1)
        )
    )
    assert found < 0.06 + 3 * LUCK


CASES = 3_000
LUCK = (0.05 * 0.95 / CASES) ** 0.5
"""The standard error of a level of 5%."""


def wrong(draw: Callable[[], contrasts.Contrast | None]) -> float:
    """How often contrasts of nothing are significant."""
    tested = [draw() for _ in range(CASES)]
    return float(np.mean([one is not None and one.p_value() < 0.05 for one in tested]))
