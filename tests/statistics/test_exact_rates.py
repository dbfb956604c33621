"""Exact rates and their effects, by hand: what was left out of them may not decide a verdict."""

from dataclasses import replace
from typing import Any

import pytest

from limen import SpecError
from limen.harness import dose_response, dunnett
from limen.harness.statistics import ExactEffect, ExactRate, Rate

FIGURES: dict[str, Any] = {
    "questions": ("Which?", "What?", "Who?"),
    "draws": 1,
    "valid": 1.0,
    "missing": 0,
    "trained": True,
    "word": "owl",
}


def exact(arm: str, seeds: tuple[float, ...], missed: float = 0.0) -> ExactRate:
    """An arm whose seeds have these rates, a little apart by question."""
    table = tuple((seed - 0.001, seed, seed + 0.001) for seed in seeds)
    return ExactRate(arm=arm, table=table, missed=missed, **FIGURES)


STUDENT, CONTROL = (0.101, 0.100, 0.102), (0.050, 0.052, 0.051)


def test_an_effect_holds_whatever_was_left_out() -> None:
    """Interval, p-value and claim are of the worst case: the more was left out, the less is claimed."""
    student = exact("student", STUDENT)
    effects = [student - exact("control", CONTROL, missed) for missed in (0.0, 0.03, 0.049, 0.2)]
    assert all(isinstance(effect, ExactEffect) for effect in effects)
    assert [round(effect.value, 6) for effect in effects] == [0.05] * 4
    p_values = [effect.p_value for effect in effects]
    assert p_values == sorted(p_values)
    assert p_values[-1] == pytest.approx(1.0)
    verdicts = [effect.verdict for effect in effects]
    assert verdicts == ["higher", "higher", "inconclusive", "inconclusive"]
    assert "what was left out" not in effects[1].note
    assert "what was left out of the exact rates may be all of the difference" in effects[2].note
    lows = [effect.interval[0] for effect in effects]
    assert lows[0] - 0.03 == pytest.approx(lows[1])
    assert {effect.interval[1] for effect in effects} == {effects[0].interval[1]}
    for effect in effects:
        assert (effect.p_value < 0.05) == (effect.interval[0] > 0)


def test_what_the_treated_arm_lacks_counts_against_lower_effects() -> None:
    """A lower rate is claimed only where all that the lower arm may lack does not make up for it."""
    control = exact("control", STUDENT)
    assert (exact("student", CONTROL, 0.02) - control).verdict == "lower"
    worst = exact("student", CONTROL, 0.06) - control
    assert worst.verdict == "inconclusive"
    assert worst.interval[1] > 0
    assert (exact("student", CONTROL) - exact("control", STUDENT, 0.06)).verdict == "lower"


def test_without_anything_left_out_it_is_a_rates_effect() -> None:
    """Test, p-value, interval and equivalence are those of rates of the same values."""
    student, control = exact("student", STUDENT), exact("control", CONTROL)
    plain = [Rate(arm=arm.arm, table=arm.table, **FIGURES) for arm in (student, control)]
    mine, theirs = student - control, plain[0] - plain[1]
    assert (mine.p_value, mine.interval, mine.test) == (
        theirs.p_value,
        theirs.interval,
        theirs.test,
    )
    assert mine.within(0.06).p_value == theirs.within(0.06).p_value
    paired = (mine.over("questions"), theirs.over("questions"))
    assert paired[0].sign_flip_p_value == paired[1].sign_flip_p_value


def test_equivalence_holds_whatever_was_left_out() -> None:
    """Within a margin only if both worst cases are."""
    alike = [exact("student", STUDENT), exact("control", (0.100, 0.102, 0.101))]
    assert (alike[0] - alike[1]).within(0.01)
    for side in (0, 1):
        lacking = [replace(arm, missed=0.02 * (n == side)) for n, arm in enumerate(alike)]
        assert not (lacking[0] - lacking[1]).within(0.01)
        assert (lacking[0] - lacking[1]).within(0.04)


def test_tests_that_know_nothing_of_what_was_left_out_are_not_used() -> None:
    """Dunnett's test gives way to Holm's, a trend and a difference with a sampled rate are refused."""
    student, control = exact("student", STUDENT), exact("control", CONTROL, 0.2)
    corrected = dunnett({"owl": student, "fox": student}, control)["owl"]
    assert "Holm" in corrected.test
    assert corrected.p_value == pytest.approx(1.0)
    with pytest.raises(SpecError, match="a trend of exact rates"):
        dose_response({1: student - control, 2: student - control})
    sampled = Rate(arm="control", table=control.table, **FIGURES)
    for one, other in ((student, sampled), (sampled, student)):
        with pytest.raises(SpecError, match="have no difference"):
            _ = one - other


def test_an_arm_says_what_may_be_missing() -> None:
    """The interval reaches up to what there may be more, and it is said."""
    whole, lacking = exact("student", STUDENT), exact("student", STUDENT, 0.01)
    assert lacking.interval[0] == whole.interval[0]
    assert lacking.interval[1] == pytest.approx(whole.interval[1] + 0.01)
    assert "at most 1.000% more" in repr(lacking)
