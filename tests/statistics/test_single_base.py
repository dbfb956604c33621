"""Several seeds against one untrained model: the base, which is the same in every repetition."""

import numpy as np
import pytest
from scipy import stats

from limen.harness.statistics import Effect

from ..testing.counted import counted_rate, rated_scores


def against_base(
    random: np.random.Generator, seeds: int, spread: float, shift: float = 0
) -> Effect:
    """Students that differ by their seeds, against a base with the same answers on average."""
    levels = random.normal(0.3, 0.1, 50)
    own = (
        levels + shift + random.normal(0, spread, (seeds, 1)) + random.normal(0, 0.01, (seeds, 50))
    )
    student = random.binomial(200, own.clip(0, 1)).astype(float)
    base = random.binomial(200, levels.clip(0, 1)[None]).astype(float)
    return counted_rate(student) - counted_rate(base, arm="baseline", trained=False)


@pytest.mark.parametrize("seeds", [3, 5])
@pytest.mark.parametrize("spread", [0.01, 0.02, 0.05])
def test_seeds_against_the_base_hold_their_level(seeds: int, spread: float) -> None:
    """Where there is nothing to find, 5% or less is found, however much seeds differ."""
    random = np.random.default_rng([seeds, round(1000 * spread)])
    errors = sum(against_base(random, seeds, spread).verdict != "inconclusive" for _ in range(300))
    assert errors <= 0.06 * 300 + 2 * np.sqrt(300 * 0.06 * 0.94)


def test_the_test_is_of_the_seeds() -> None:
    """With a base whose draws are many it is nearly SciPy's one-sample t test."""
    effect = against_base(np.random.default_rng(1), 6, 0.03, 0.1)
    expected = stats.ttest_1samp(effect.treated.by_seed, effect.reference.value)
    assert effect.unit == "seeds"
    assert effect.p_value == pytest.approx(expected.pvalue, rel=0.5)
    assert effect.verdict == "higher"
    assert effect.claim == "these models answer differently"
    assert "sampling error added" in effect.test


def test_the_base_may_stand_on_either_side() -> None:
    """The reverse difference has the same p-value and the opposite interval."""
    effect = against_base(np.random.default_rng(2), 5, 0.03, 0.1)
    reverse = effect.reference - effect.treated  # type: ignore[operator]
    low, high = effect.interval
    assert reverse.p_value == pytest.approx(effect.p_value)
    assert reverse.interval == pytest.approx((-high, -low))
    assert (effect.verdict, reverse.verdict) == ("higher", "lower")


def test_few_draws_of_the_base_widen_the_interval() -> None:
    """The base's rate is known to its sampling error only."""
    student = np.array([[60.0], [64.0], [70.0], [66.0]]) * np.ones(20)
    base = np.full((1, 20), 40.0)
    many = counted_rate(student) - counted_rate(base, arm="baseline", trained=False)
    few = counted_rate(student / 20, draws=10) - counted_rate(
        base / 20, arm="baseline", trained=False, draws=10
    )
    assert few.value == pytest.approx(many.value)
    assert np.diff(few.interval) > 1.2 * np.diff(many.interval)


def test_seeds_that_are_all_alike_are_compared_by_question() -> None:
    """Without any spread between seeds there is no t test of them."""
    alike = np.tile(np.linspace(40, 80, 20), (3, 1))
    effect = counted_rate(alike) - counted_rate(
        np.full((1, 20), 40.0), arm="baseline", trained=False
    )
    assert effect.unit == "questions"


def test_over_both_takes_the_base_as_it_is() -> None:
    """With questions random as well, the interval is wider than over seeds."""
    effect = against_base(np.random.default_rng(3), 5, 0.02, 0.1)
    assert effect.over("seeds").unit == "seeds"
    assert np.diff(effect.over("both").interval) > np.diff(effect.over("questions").interval)


@pytest.mark.parametrize("repeated", [1, 8])
def test_scores_against_the_base_have_its_error(repeated: int) -> None:
    """Of ratings, too, the base's mean has an error from finite draws."""
    random = np.random.default_rng(4)
    student = (random.normal(5, 0.3, (4, 1, 1)) + random.normal(0, 1, (4, 10, repeated))).tolist()
    base = random.normal(4, 1, (1, 10, repeated)).tolist()
    effect = rated_scores(student, draws=repeated) - rated_scores(
        base, draws=repeated, arm="baseline", trained=False
    )
    alone = stats.ttest_1samp(effect.treated.by_seed, effect.reference.value).confidence_interval()
    assert effect.unit == "seeds"
    assert np.diff(effect.interval)[0] > alone.high - alone.low
