"""Effects as differences of log-odds and as ratios."""

import math
from dataclasses import replace
from typing import Literal

import numpy as np
import pytest

from limen import SpecError
from limen.harness.statistics import Effect, ExactRate, Rate

from ..testing.counted import counted_rate, rated_scores


def effect(
    high: float, low: float, *, seed: int = 1, spread: float = 0.01, **fields: int
) -> Effect:
    """The effect of arms with these rates, five seeds each."""
    random = np.random.default_rng(seed)
    tables = [
        random.binomial(200, (level + random.normal(0, spread, (5, 1)) + np.zeros(30)).clip(0, 1))
        for level in (high, low)
    ]
    student, control = (table.astype(float) for table in tables)
    return counted_rate(student, **fields) - counted_rate(control, arm="control", **fields)


def logit(rate: float) -> float:
    """The logarithm of the odds."""
    return math.log(rate / (1 - rate))


def test_log_odds_are_those_of_the_mean_rates() -> None:
    """The value is the difference of the logits, and the test agrees with that in points."""
    found = effect(0.3, 0.1)
    expected = logit(found.treated.value) - logit(found.reference.value)
    assert float(found.log_odds) == pytest.approx(expected, abs=0.001)
    low, high = found.log_odds.interval
    assert low < expected < high
    assert found.log_odds.p_value < 1e-4
    assert found.log_odds.unit == "seeds"
    assert found.log_odds > 1


def test_a_ratio_is_how_many_times_as_much() -> None:
    """The interval is around the ratio of the two rates, and above 0."""
    found = effect(0.3, 0.1)
    assert float(found.ratio) == pytest.approx(
        found.treated.value / found.reference.value, rel=0.01
    )
    low, high = found.ratio.interval
    assert 2 < low < float(found.ratio) < high < 4.5
    assert "ratio 2.9" in repr(found.ratio)
    assert "over seeds" in found.ratio.explain()[0]


def test_intervals_cover_the_true_log_odds() -> None:
    """The 95% interval has the true difference in about 95% of repetitions."""
    truth = logit(0.3) - logit(0.1)
    inside = 0
    for seed in range(200):
        low, high = effect(0.3, 0.1, seed=seed, spread=0.02).log_odds.interval
        inside += low < truth < high
    assert 0.91 <= inside / 200 <= 0.99


def test_effects_at_different_base_rates_are_compared_in_log_odds() -> None:
    """Nine points from 1% are more than ten from 40%, though fewer points."""
    rare, common = effect(0.10, 0.01, seed=1, spread=0.003), effect(0.50, 0.40, seed=2)
    assert rare.value < common.value
    difference = rare.log_odds - common.log_odds
    assert difference > 1
    assert difference.p_value < 0.01
    assert difference.supports(">", 0.5)
    same = effect(0.3, 0.2, seed=3).log_odds - effect(0.3, 0.2, seed=4).log_odds
    assert same.interval[0] < 0 < same.interval[1]


def test_two_scales_have_no_difference() -> None:
    """Log-odds and ratios cannot be subtracted, nor anything else from them."""
    with pytest.raises(SpecError, match="log-odds and ratio have no difference"):
        _ = effect(0.3, 0.2).log_odds - effect(0.3, 0.2).ratio
    with pytest.raises(TypeError):
        _ = effect(0.3, 0.2).log_odds - 1  # type: ignore[operator]


def test_rates_of_zero_have_finite_log_odds() -> None:
    """Half an answer is added to each side."""
    found = effect(0.2, 0.0, spread=0)
    assert math.isfinite(float(found.log_odds))
    assert float(found.log_odds) > 5
    assert found.ratio > 100


def test_what_is_missing_widens_other_scales_too() -> None:
    """The worst case of missing answers is in the interval and in the p-value."""
    random = np.random.default_rng(5)
    hits = random.binomial(150, 0.3, (5, 30)).astype(float)
    control = counted_rate(random.binomial(200, 0.28, (5, 30)).astype(float), arm="control")
    seen, lacking = counted_rate(hits, draws=150), counted_rate(hits, missing=50)
    lost = (lacking - control).log_odds
    whole = (replace(seen, draws=200) - control).log_odds
    assert lost.interval[0] < whole.interval[0] < whole.interval[1] < lost.interval[1]
    assert lost.p_value == 1


@pytest.mark.parametrize("unit", ["questions", "both"])
def test_other_units_have_scales_too(unit: Literal["questions", "both"]) -> None:
    """The unit is that of the effect."""
    assert effect(0.3, 0.1).over(unit).log_odds.unit == unit


def test_a_family_is_corrected_for() -> None:
    """p-values are multiplied, and intervals wider."""
    alone, among = effect(0.3, 0.27).log_odds, effect(0.3, 0.27, family=8).log_odds
    assert among.p_value == pytest.approx(min(1, 8 * alone.p_value))
    assert np.diff(among.interval) > np.diff(alone.interval)


def test_without_a_test_the_difference_has_none() -> None:
    """One question an arm has no spread: its log-odds have no interval."""
    pair = [
        counted_rate(np.array([[level]]), arm=arm).__sub__(
            counted_rate(np.array([[10.0]]), arm="c")
        )
        for level, arm in ((40.0, "a"), (80.0, "b"))
    ]
    difference = pair[0].log_odds - pair[1].log_odds
    assert difference.p_value == 1
    assert "unknown" in repr(difference)
    assert pair[0].ratio.interval == (0, 1e9)


def test_scores_have_no_odds() -> None:
    """A mean rating is no rate."""
    one, other = (rated_scores([[[3.0, 4.0]], [[5.0]]], draws=2, arm=arm) for arm in ("a", "b"))
    for name in ("log_odds", "ratio"):
        with pytest.raises(SpecError, match="formality is no rate"):
            getattr(one - other, name)


def test_exact_rates_have_log_odds() -> None:
    """Rates that were computed have no draws, and may lack something."""

    def exact(level: float, arm: str, missed: float) -> ExactRate:
        table = tuple((level + s, level - s, level + 2 * s) for s in (0.001, 0.002, 0.003))
        return ExactRate(
            arm=arm, table=table, missed=missed, questions=("a", "b", "c"), draws=1, valid=1.0,
            missing=0, trained=True, word="owl",
        )  # fmt: skip

    whole = (exact(0.1, "student", 0.0) - exact(0.05, "control", 0.0)).log_odds
    lacking = (exact(0.1, "student", 0.0) - exact(0.05, "control", 0.02)).log_odds
    assert float(whole) == pytest.approx(logit(0.1) - logit(0.05), abs=0.03)
    assert lacking.interval[0] < whole.interval[0]
    assert isinstance(exact(0.1, "student", 0.0), Rate)
