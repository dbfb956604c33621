"""What a design can detect."""

import math

import numpy as np
import pytest
from statsmodels.stats.power import TTestIndPower

from limen.harness.statistics import Design, Spread, between_seeds, standardised

from ..testing.estimates import effect


@pytest.mark.parametrize("seeds", [3, 5])
def test_the_smallest_effect_is_found_four_times_out_of_five(seeds: int) -> None:
    """Arms that differ by what a design is said to detect are told apart in about 80% of runs."""
    made = Design(seeds=seeds, questions=20, draws=200, spread=Spread(between=0.02, source=""))
    random = np.random.default_rng(seeds)
    noise = math.hypot(0.02, 0.5 / math.sqrt(200 * 20))
    found = [
        effect(
            random.normal(0.3 + made.detectable, noise, seeds).tolist(),
            random.normal(0.3, noise, seeds).tolist(),
        ).p_value
        < 0.05
        for _ in range(300)
    ]
    assert 0.73 < np.mean(found) < 0.87


def test_power_is_the_textbooks_where_seeds_are_many() -> None:
    """With many seeds Welch's power is the pooled t test's; with few it is less."""
    for seeds, near in ((30, 0.02), (3, 0.35)):
        textbook = TTestIndPower().solve_power(nobs1=seeds, alpha=0.05, power=0.8)
        assert textbook - 0.02 < standardised(seeds, 0.05) < textbook * (1 + near)


def test_more_of_anything_detects_less() -> None:
    """Seeds, questions and draws make the smallest effect smaller; traits and looks larger."""

    def smallest(**changes: object) -> float:
        usual = {"seeds": 3, "questions": 20, "draws": 50, "correction": 1}
        spread = Spread(between=0.02, source="")
        return Design(**{**usual, **changes}, spread=spread).detectable  # type: ignore[arg-type]

    usual = smallest()
    assert all(
        smallest(**more) < usual for more in ({"seeds": 5}, {"questions": 50}, {"draws": 200})
    )
    assert smallest(correction=13) > usual
    assert smallest(seeds=1, questions=1) == math.inf
    assert 0 < smallest(seeds=1) < math.inf


def test_the_spread_between_seeds_is_pooled() -> None:
    """Groups' variances are pooled by their degrees of freedom, and the draws' share taken off."""
    random = np.random.default_rng(2)
    groups = [random.normal(level, 0.03, 4).tolist() for level in (0.1, 0.5, 0.9)]
    pooled = math.sqrt(np.mean([np.var(group, ddof=1) for group in groups]))
    assert between_seeds(groups, 0.0) == pytest.approx(pooled)
    assert between_seeds(groups, 0.01) == pytest.approx(math.sqrt(pooled**2 - 0.01**2))
    assert between_seeds(groups, 1.0) == 0
    assert between_seeds([[0.3], []], 0.0) is None
