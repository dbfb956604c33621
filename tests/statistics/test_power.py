"""What a design can find."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from statsmodels.stats.power import TTestIndPower, TTestPower

from limen.harness.statistics import (
    PUBLISHED,
    Criterion,
    Design,
    Spread,
    sampling_deviation,
    seed_deviation,
    seeds_needed,
)
from limen.harness.statistics.difference_tests import welch_test

UNEQUAL = Spread(treated=0.07, control=0.003, source="")


def design(**changes: Any) -> Design:
    """Three seeds an arm, seven points apart in students and 0.3 in controls."""
    usual = {"seeds": 3, "questions": 50, "draws": 10_000, "spread": UNEQUAL}
    return Design(**{**usual, **changes})


def simulated(made: Design, difference: float, *, cases: int = 2_000) -> float:
    """How often arms with this true difference meet the design's criterion."""
    random, asked = np.random.default_rng(made.seeds), made.criterion
    treated = random.normal(0.3 + difference, made.spread.treated, (cases, made.seeds)).tolist()
    control = random.normal(0.3, made.spread.control, (cases, made.seeds)).tolist()

    def passes(a: list[float], b: list[float]) -> bool:
        test = welch_test(a, b, unit="seeds", of="seed means")
        least = asked.minimum is None or test.p_above(asked.minimum) < 0.05 / made.correction
        found = np.mean(a) - np.mean(b)
        return bool(test.p_value < made.level and found > asked.above and least)

    return float(np.mean([passes(a, b) for a, b in zip(treated, control, strict=True)]))


@pytest.mark.parametrize("seeds", [3, 5, 8])
@pytest.mark.parametrize(
    "criterion",
    [
        Criterion(),
        Criterion(level=0.001),
        Criterion(above=0.15),
        Criterion(minimum=0.1),
        Criterion(level=0.001, above=0.4),
    ],
    ids=str,
)
@pytest.mark.parametrize("difference", [0.1, 0.2, 0.45])
def test_power_is_that_of_simulated_arms(
    seeds: int, criterion: Criterion, difference: float
) -> None:
    """Of arms that vary by 7 and 0.3 points the power is right to within five points."""
    made = design(seeds=seeds, criterion=criterion)
    assert made.power(difference) == pytest.approx(simulated(made, difference), abs=0.05)


def test_the_smallest_effect_has_80_percent_power() -> None:
    """It is what the power says, and so with a correction."""
    for made in (design(), design(correction=13), design(seeds=1), design(seeds=2)):
        assert made.power(made.detectable) == pytest.approx(0.8, abs=1e-3)


def test_power_is_the_textbooks_where_arms_vary_alike() -> None:
    """With many seeds Welch's power is the pooled t test's."""
    alike = Spread(treated=1.0, control=1.0, answer=0.0, source="")
    textbook = TTestIndPower().solve_power(nobs1=30, alpha=0.05, power=0.8)
    assert design(seeds=30, spread=alike).detectable == pytest.approx(textbook, abs=0.02)


def test_one_seed_has_the_power_of_the_paired_test() -> None:
    """Over questions, of which the differences are spread as published."""
    made = design(seeds=1)
    sd = math.hypot(0.29, math.sqrt(2) * 0.5 / math.sqrt(10_000))
    textbook = TTestPower().solve_power(nobs=50, alpha=0.05, power=0.8)
    assert made.detectable == pytest.approx(textbook * sd, rel=0.02)
    assert (made.units, made.test) == ("questions", "t paired by question")


def test_one_question_finds_nothing() -> None:
    """One seed and one question have no test."""
    made = design(seeds=1, questions=1)
    assert made.detectable == math.inf
    assert made.power(1.0) == 0


@pytest.mark.parametrize("more", [{"seeds": 5}, {"questions": 80}, {"draws": 80}])
def test_more_of_anything_detects_less(more: dict[str, int]) -> None:
    """Seeds, questions and draws make the smallest effect smaller."""
    usual = {"seeds": 3, "questions": 20, "draws": 10}
    assert design(**usual | more).detectable < design(**usual).detectable


def test_corrections_detect_more() -> None:
    """Traits and looks make the smallest effect larger."""
    assert design(correction=13).detectable > design().detectable


@pytest.mark.parametrize("difference", [0.05, 0.1, 0.2, 0.4])
def test_the_seeds_that_an_effect_needs_are_the_fewest(difference: float) -> None:
    """With one seed less an arm the power is below 80%."""
    made = design(spread=PUBLISHED["rate"], draws=200)
    seeds = seeds_needed(made, difference)
    assert seeds is not None
    assert replace(made, seeds=seeds).power(difference) >= 0.8
    assert seeds == 2 or replace(made, seeds=seeds - 1).power(difference) < 0.8


def test_tiny_effects_need_too_many_seeds() -> None:
    """Above 100 seeds an arm no number is given."""
    assert seeds_needed(design(), 0.001) is None


def test_large_effects_need_two_seeds() -> None:
    """No number below two is given."""
    assert seeds_needed(design(spread=replace(UNEQUAL, treated=0.001)), 0.4) == 2


def test_p_values_next_to_zero_are_worked_out() -> None:
    """Two seeds and a level of 1e-12 need an enormous difference, which is still a number."""
    made = design(seeds=2, criterion=Criterion(level=1e-12))
    assert 1e6 < made.detectable < math.inf


def test_scores_have_their_own_unit() -> None:
    """Differences of scores are no points."""
    assert design(kind="score").show(0.5) == "0.50"
    assert design().show(0.05) == "5.0 points"


def test_the_spread_between_seeds_is_pooled() -> None:
    """Groups' variances are pooled by their degrees of freedom, and the draws' part is removed."""
    random = np.random.default_rng(2)
    groups = [random.normal(level, 0.03, 4).tolist() for level in (0.1, 0.5, 0.9)]
    pooled = math.sqrt(np.mean([np.var(group, ddof=1) for group in groups]))
    assert seed_deviation(groups, 0.0) == pytest.approx(pooled)
    assert seed_deviation(groups, 0.01) == pytest.approx(math.sqrt(pooled**2 - 0.01**2))
    assert seed_deviation(groups, 1.0) == 0
    assert seed_deviation([[0.3], []], 0.0) is None


def test_draws_vary_as_a_binomial() -> None:
    """At a rate of one half 10,000 answers have a standard deviation of half a point."""
    assert sampling_deviation([0.4, 0.6], 10_000) == pytest.approx(0.005)
