"""Minimum-effect tests, and which comparisons an interval supports."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy import stats

from limen import SpecError
from limen.harness.statistics import Effect, Rate

from ..testing.counted import counted_rate


def arm(levels: Sequence[float], name: str = "student", **fields: Any) -> Rate:
    """An arm whose seeds have these rates at 20 questions."""
    return counted_rate(200 * np.array(levels)[:, None] * np.ones(20), arm=name, **fields)


STUDENT, CONTROL = [0.30, 0.34, 0.33, 0.31], [0.10, 0.11, 0.09, 0.10]


def effect(**fields: Any) -> Effect:
    """An effect of about 22 points."""
    return arm(STUDENT, **fields) - arm(CONTROL, "control", **fields)


@pytest.mark.parametrize("value", [0.0, 0.1, 0.19, 0.21, 0.3])
def test_a_minimum_effect_is_a_one_sided_welch_test(value: float) -> None:
    """P-value and interval are SciPy's one-sided ones; true only if the interval excludes the value."""
    moved = [level + value for level in CONTROL]
    expected = stats.ttest_ind(STUDENT, moved, equal_var=False, alternative="greater")
    found = effect().at_least(value)
    assert found.p_value == pytest.approx(expected.pvalue)
    low = expected.confidence_interval(0.95).low + value
    assert found.interval == pytest.approx((low, 1))
    assert bool(found) == (found.interval[0] > value) == (found.p_value < 0.05)


@pytest.mark.parametrize("value", [0.2, 0.23, 0.26, 0.5])
def test_a_maximum_effect_is_the_mirror(value: float) -> None:
    """``at_most`` is ``at_least`` of the opposite difference."""
    found, mirrored = effect().at_most(value), -effect().value
    opposite = (arm(CONTROL, "control") - arm(STUDENT)).at_least(-value)
    assert mirrored < 0
    assert found.p_value == pytest.approx(opposite.p_value)
    assert found.interval == pytest.approx((-1, -opposite.interval[0]))
    assert bool(found) == bool(opposite)


def test_a_minimum_effect_explains_itself() -> None:
    """The words say what was compared, by how much, the interval, the unit and the p-value."""
    text = repr(effect().at_least(0.1))
    for part in ("student - control 'owl' at least +10.0 points", "from +19", "over seeds", "p = "):
        assert part in text
    assert repr(effect().at_least(0.22)).startswith("<not shown to be student")
    assert "up to" in repr(effect().at_most(0.5))


def test_a_family_is_corrected_for() -> None:
    """With several traits tried the p-value is multiplied, and the interval is wider."""
    alone, among = effect().at_least(0.18), effect(family=10).at_least(0.18)
    assert among.p_value == pytest.approx(min(1, 10 * alone.p_value))
    assert among.interval[0] < alone.interval[0]
    assert (bool(alone), bool(among)) == (True, False)


def test_minimum_effects_hold_their_level() -> None:
    """A true effect of exactly the bound is called larger in about 5% of cases."""
    random = np.random.default_rng(4)
    found = [
        bool(
            (
                arm(random.normal(0.33, 0.02, 4).tolist())
                - arm(random.normal(0.3, 0.005, 4).tolist(), "control")
            ).at_least(0.03)
        )
        for _ in range(600)
    ]
    assert 0.02 < np.mean(found) < 0.075


@pytest.mark.parametrize("value", [2, -1, float("nan"), True, "0.1"])
def test_a_bound_that_no_difference_can_have_is_refused(value: object) -> None:
    """Points written as whole numbers are a fault of the spec."""
    with pytest.raises(SpecError, match="2 points are 0.02"):
        effect().at_least(value)  # type: ignore[arg-type]
    with pytest.raises(SpecError, match="at_most"):
        effect().at_most(value)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("op", "threshold", "expected"),
    [
        (">", 0.1, True),
        (">=", 0.1, True),
        (">", 0.21, False),
        ("<", 0.4, True),
        ("<=", 0.4, True),
        ("<", 0.23, False),
        ("<", 0.1, False),
    ],
)
def test_an_interval_supports_a_comparison(op: str, threshold: float, expected: bool) -> None:
    """A comparison of the point estimate is more than that if the whole interval agrees."""
    assert effect().supports(op, threshold) is expected


def test_other_operators_support_nothing() -> None:
    """An effect is never shown to equal a number."""
    with pytest.raises(SpecError, match="op='=='"):
        effect().supports("==", 0.2)


def test_one_model_an_arm_supports_nothing() -> None:
    """Between two checkpoints every margin test is about them alone: false unless asked for so."""
    table = np.random.default_rng(1).binomial(200, np.linspace(0.2, 0.4, 30), (2, 30)).astype(float)
    pair = counted_rate(table[:1] + 60) - counted_rate(table[1:], arm="control")
    assert pair.verdict == "inconclusive"
    assert pair.claim == "only these two checkpoints differ"
    assert not pair.supports(">", 0.1)
    assert not pair.at_least(0.1)
    assert "one model an arm says nothing about training" in repr(pair.at_least(0.1))
    asked = pair.over("questions")
    assert asked.verdict == "higher"
    assert asked.at_least(0.1)
    assert asked.supports(">", 0.1)


def test_nulls_of_one_model_an_arm_are_none() -> None:
    """A student within the margin of a single control is no null of training."""
    table = np.random.default_rng(2).binomial(200, np.linspace(0.2, 0.4, 50), (2, 50)).astype(float)
    student, other = (counted_rate(row[None], margin=0.05) for row in table)
    pair = student - replace(other, arm="control")
    assert not pair.within()
    assert pair.verdict == "inconclusive"
    assert pair.over("questions").within()


def test_one_against_ten_is_not_two_checkpoints() -> None:
    """The sentence counts the checkpoints right."""
    random = np.random.default_rng(3)
    one = counted_rate(random.binomial(200, 0.6, (1, 30)).astype(float))
    ten = counted_rate(random.binomial(200, 0.2, (10, 30)).astype(float), arm="control")
    for unit in (None, "questions"):
        pair = (one - ten).over("questions") if unit else one - ten
        assert pair.claim == "only these checkpoints differ"
    assert (one - ten).verdict == "inconclusive"


@pytest.mark.parametrize("margin", [1, 3, 3.0, 100])
def test_a_margin_that_no_difference_reaches_is_refused(margin: float) -> None:
    """``within(3)`` for three points would hold of any two arms: it is an error with the remedy."""
    with pytest.raises(SpecError, match=r"below 1: 3 points are 0\.03"):
        effect().within(margin)
    contrast = effect() - effect(word="owl")
    with pytest.raises(SpecError, match="below 2"):
        contrast.within(margin + 1)
    with pytest.raises(SpecError, match="between -2 and 2"):
        contrast.at_least(margin + 1)


def test_a_margin_for_larger_values_says_nothing_of_a_rate() -> None:
    """A margin of three, made for ratings up to ten, is none for the rates of the same arms."""
    found = effect(margin=3)
    assert found.claim == "training on this data transmits the trait"
    with pytest.raises(SpecError, match="needs a margin"):
        found.within()


@pytest.mark.parametrize(("questions", "draws"), [(5, 1), (10, 1), (8, 2)])
def test_few_draws_that_agree_by_chance_show_no_null(questions: int, draws: int) -> None:
    """Of arms that differ by 5 points, and often both never name the word, few are called alike."""
    random = np.random.default_rng(0)
    shown = 0
    for _ in range(200):
        treated, reference = (
            counted_rate(random.binomial(draws, rate, (3, questions)), draws=draws, arm=name)
            for name, rate in (("student", 0.05), ("control", 0.0))
        )
        shown += bool((treated - reference).within(0.05))
    assert shown <= 0.05 * 200 + 7  # three standard errors of 5%
