import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from limen import SpecError
from limen.harness.verdict import Effect, Rate, explain_comparison

SHARE = st.floats(0, 1)
TABLE = st.integers(1, 4).flatmap(
    lambda seeds: st.lists(st.tuples(*[SHARE] * 3), min_size=seeds, max_size=seeds)
)


def rate(
    table: Sequence[Sequence[float | None]],
    *,
    arm: str = "student",
    trained: bool = True,
    questions: tuple[str, ...] | None = None,
) -> Rate:
    """A rate from its table of shares, by seed and question."""
    return Rate(
        word="owl",
        arm=arm,
        questions=questions or tuple(f"q{i}" for i in range(len(table[0]))),
        table=tuple(map(tuple, table)),
        draws=200,
        valid=0.97,
        missing=0,
        trained=trained,
    )


def noisy(seeds: int, level: float, spread: float, seed: int) -> Rate:
    """An arm of seeds around a level, 20 questions each."""
    random = np.random.default_rng(seed)
    levels = random.normal(level, spread, seeds)[:, None]
    return rate((levels + random.normal(0, 0.01, (seeds, 20))).clip(0, 1).tolist())


def test_from_two_seeds_up_the_test_is_welchs() -> None:
    """Two seeds an arm and more are compared by Welch's t over seed means, as scipy has it."""
    a, b = noisy(4, 0.3, 0.02, 1), noisy(3, 0.2, 0.05, 2)
    effect = a - b
    expected = stats.ttest_ind(a.by_seed, b.by_seed, equal_var=False)
    assert effect.unit == "seeds"
    assert effect.p_value == pytest.approx(expected.pvalue, abs=1e-12)
    assert effect.interval == pytest.approx(tuple(expected.confidence_interval()), abs=1e-12)
    assert effect.value == pytest.approx(a.value - b.value)


def test_below_two_seeds_questions_are_paired() -> None:
    """With one seed in either arm the test is paired by question."""
    a, b = noisy(1, 0.3, 0.02, 1), noisy(3, 0.2, 0.02, 2)
    effect = a - b
    expected = stats.ttest_rel(list(a.by_question.values()), list(b.by_question.values()))
    assert effect.unit == "questions"
    assert effect.p_value == pytest.approx(expected.pvalue, abs=1e-12)


def test_claims_grow_with_the_seeds() -> None:
    """Three seeds claim that training transmits, fewer that two checkpoints differ."""
    claims = [
        (noisy(n, 0.5, 0.001, 1) - replace(noisy(n, 0.1, 0.001, 2), arm="control")).claim
        for n in (1, 2, 3, 5)
    ]
    weak, strong = "only these two checkpoints differ", "training on this data transmits the trait"
    assert claims == [weak, weak, strong, strong]
    effect = noisy(3, 0.1, 0.001, 1) - replace(noisy(3, 0.5, 0.001, 2), arm="control")
    assert effect.claim.endswith("suppresses the trait")


def test_untrained_models_support_no_claim_about_training() -> None:
    """A teacher against its base says that they answer differently, no more."""
    teacher = rate([[0.9, 0.8, 0.95, 0.9]], arm="teacher", trained=False)
    base = rate([[0.1, 0.0, 0.1, 0.2]], arm="baseline", trained=False)
    assert (teacher - base).claim == "these models answer differently"


def test_a_null_is_inconclusive() -> None:
    """What is not significant is inconclusive, not shown to be nothing."""
    assert (noisy(3, 0.2, 0.02, 1) - noisy(3, 0.2, 0.02, 2)).claim == "inconclusive"


def test_pooled_noise_is_not_found() -> None:
    """Arms that differ by their seeds' luck alone are told apart in about 5% of cases, not 75%."""
    found = sum(
        (noisy(5, 0.2, 0.02, 2 * i) - noisy(5, 0.2, 0.02, 2 * i + 1)).p_value < 0.05
        for i in range(300)
    )
    assert found <= 28  # 5% of 300 is 15; 28 is three standard deviations above


@given(TABLE, TABLE)
def test_every_outcome_is_a_number_and_explained(
    a: list[tuple[float, ...]], b: list[tuple[float, ...]]
) -> None:
    """Whatever the rates are, there is a p-value, an interval around the difference, and a claim."""
    effect = rate(a) - rate(b, arm="control")
    assert 0 <= effect.p_value <= 1
    low, high = effect.interval
    assert low - 1e-9 <= effect.value <= high + 1e-9
    assert effect.claim
    assert len("".join(effect.explain())) > 50


@pytest.mark.parametrize("seeds", [1, 3])
def test_without_any_spread_the_sign_of_every_question_counts(seeds: int) -> None:
    """Where every question differs by the same, the exact sign-flip test is used, and said."""
    effect = rate([[1.0] * 20] * seeds) - rate([[0.25] * 20] * seeds, arm="control")
    assert effect.p_value == 2.0**-19
    assert effect.test == "sign-flip by question"
    assert "no spread" in effect.note
    assert effect.claim == "only these two checkpoints differ"
    assert (rate([[0.5] * 20]) - rate([[0.5] * 20])).p_value == 1


def test_a_rate_of_zero_has_an_upper_bound() -> None:
    """Nothing seen in 50 questions is not a rate of exactly nothing."""
    low, high = rate([[0.0] * 50]).interval
    assert low == 0
    assert high == pytest.approx(1 - 0.025 ** (1 / 50))


def test_words_and_arms_decide_what_may_be_claimed() -> None:
    """Two words have no difference; another word or pair of arms is no transmission."""
    a, b = noisy(3, 0.5, 0.001, 1), noisy(3, 0.1, 0.001, 2)
    with pytest.raises(SpecError, match="rates of two words"):
        _ = a - replace(b, word="cat")
    control = replace(b, arm="control")
    assert (a - control).claim == "training on this data transmits the trait"
    assert (control - a).claim == "these trainings differ in 'owl'"
    assert (replace(a, shows_trait=False) - control).claim == "these trainings differ in 'owl'"
    with pytest.raises(TypeError):
        _ = a - 0.1  # type: ignore[operator]


def test_unanswered_questions_are_left_out() -> None:
    """A question without an answer is no zero: it is out of the mean and out of the pairs."""
    a = rate([[0.5, None, 0.7, 0.6]])
    b = rate([[0.1, 0.9, 0.2, None]])
    assert a.value == pytest.approx(0.6)
    effect = a - b
    assert effect.p_value == pytest.approx(stats.ttest_rel([0.5, 0.7], [0.1, 0.2]).pvalue)


def test_other_questions_are_compared_unpaired() -> None:
    """Arms that answered different questions cannot be paired, and the test says so."""
    a = rate([[0.5, 0.6, 0.7]], questions=("a", "b", "c"))
    b = rate([[0.1, 0.2, 0.15, 0.1]], questions=("d", "e", "f", "g"))
    effect = a - b
    expected = stats.ttest_ind(
        list(a.by_question.values()), list(b.by_question.values()), equal_var=False
    )
    assert effect.p_value == pytest.approx(expected.pvalue)
    assert "questions differ" in effect.test


def test_one_question_says_nothing() -> None:
    """A single question with a single model is no sample of anything."""
    effect = rate([[0.9]]) - rate([[0.1]])
    assert effect.p_value == 1
    assert "one question" in effect.note


def test_rates_and_effects_compare_like_numbers() -> None:
    """Assertions read as they would with plain numbers."""
    a, b = rate([[0.5, 0.7]]), rate([[0.1, 0.3]])
    assert a > 0.5
    assert a >= 0.6
    assert b < a
    assert b <= 0.2
    effect = a - b
    assert effect > 0.3
    assert not effect < 0.3
    assert effect <= 0.4 + 1e-12
    assert effect >= 0.4 - 1e-12
    assert math.isclose(float(effect), 0.4)


def test_an_interval_of_seeds_is_students_t() -> None:
    """The interval of a rate is Student's t over seed means, cut off at 0 and 1."""
    a = noisy(5, 0.3, 0.02, 1)
    low, high = stats.t.interval(0.95, 4, loc=np.mean(a.by_seed), scale=stats.sem(a.by_seed))
    assert a.interval == pytest.approx((low, high))
    assert rate([[0.0, 0.2], [0.0, 0.1]]).interval[0] == 0


def test_failed_comparisons_are_explained() -> None:
    """The explanation has both rates, intervals, the test, the seeds and the questions."""
    a, b = noisy(3, 0.5, 0.01, 1), noisy(3, 0.1, 0.01, 2)
    lines = explain_comparison(">", Effect(treated=a, reference=b), 0.9)
    assert lines is not None
    text = "\n".join(lines)
    for part in (
        "> 0.9",
        "points [",
        "p = ",
        "Welch's t over seed means",
        "3 seeds",
        "20 questions",
    ):
        assert part in text
    assert explain_comparison(">", 1, 2) is None
    assert len(repr(a - b)) < 240  # pytest cuts longer ones
