"""The single tests, against SciPy, statsmodels and simulation."""

import tracemalloc
from typing import Any

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint
from statsmodels.stats.weightstats import DescrStatsW

from limen.datasets import corrected_p_values
from limen.harness.statistics import hypothesis_tests as own
from limen.harness.statistics import mann_whitney, spearman
from limen.harness.statistics.difference_tests import paired_test

SEEDS = pytest.mark.parametrize("seed", range(10))


def near(expected: Any) -> Any:
    """A value, to nine digits."""
    return pytest.approx(expected, rel=1e-9, abs=1e-9)


def values(seed: int, *, level: float = 0.3, count: int | None = None) -> list[float]:
    """Some random values around a level."""
    random = np.random.default_rng([seed, round(100 * level)])
    return random.normal(level, 0.1, count or random.integers(3, 9)).tolist()  # type: ignore[no-any-return]


@SEEDS
def test_the_paired_test_agrees_with_statsmodels(seed: int) -> None:
    """P-value, interval and half width are the library's."""
    a = values(seed)
    low, high = DescrStatsW(a).tconfint_mean()
    assert own.half_width(a) == near((high - low) / 2)
    paired = paired_test(a, [0.0] * len(a))
    assert paired.p_value == near(DescrStatsW(a).ttest_mean(0)[1])
    assert paired.interval(0.95, own.UNBOUNDED) == near((low, high))


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
    """Holm's p-values and Benjamini and Hochberg's are statsmodels'."""
    p_values = np.random.default_rng(seed).uniform(0, 0.2, 7).tolist()
    assert corrected_p_values.holm(p_values) == near(multipletests(p_values, method="holm")[1])
    assert corrected_p_values.benjamini_hochberg(p_values) == near(
        multipletests(p_values, method="fdr_bh")[1]
    )
    assert corrected_p_values.holm([]) == []


def test_holm_counts_the_family_that_was_not_run() -> None:
    """A family larger than what was selected makes p-values larger, never smaller."""
    alone, among = (
        corrected_p_values.holm([0.01, 0.04, 0.03]),
        corrected_p_values.holm([0.01, 0.04, 0.03], family=10),
    )
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
    """The working memory does not grow with the number of questions times that of flips."""
    differences = [0.01 * (place % 7 - 3) for place in range(20_000)]
    tracemalloc.start()
    own.sign_flip(differences)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2**26
