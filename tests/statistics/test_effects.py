import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from limen import SpecError
from limen.harness.statistics import Effect, Rate, Scores, explain_comparison, mann_whitney

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
    a, b = noisy(4, 0.3, 0.02, 1), noisy(4, 0.2, 0.05, 2)
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
    strong = "training on this data transmits the trait"
    two, several = "only these two checkpoints differ", "only these checkpoints differ"
    assert claims == [two, several, strong, strong]
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
    assert effect.claim == f"only these {'two ' if seeds == 1 else ''}checkpoints differ"
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


def test_of_a_trait_that_lowers_less_is_transmission() -> None:
    """Students that name a disliked animal less often than the control's have taken on the trait."""
    less, more = noisy(3, 0.1, 0.001, 1), noisy(3, 0.5, 0.001, 2)
    lowered = replace(less, lowers=True) - replace(more, arm="control", lowers=True)
    raised = replace(more, lowers=True) - replace(less, arm="control", lowers=True)
    assert (lowered.verdict, lowered.claim) == (
        "lower",
        "training on this data transmits the trait",
    )
    assert (raised.verdict, raised.claim) == (
        "higher",
        "training on this data suppresses the trait",
    )


def test_unanswered_questions_may_have_had_any_answer() -> None:
    """A question without an answer is no zero: it is out of the value, and the bounds allow for it."""
    a = rate([[0.5, None, 0.7, 0.6]])
    b = rate([[0.1, 0.9, 0.2, None]])
    assert a.value == pytest.approx(0.6)
    effect = a - b
    assert effect.value == pytest.approx(0.45)
    assert (effect.p_value, effect.interval) == (1, (-1, 1))
    assert effect.claim == (
        "inconclusive: nothing is shown among the answers that were seen, and it depends on 400 "
        "draws without an answer or a rating (student 200, student 200)"
    )


def test_other_questions_are_compared_unpaired() -> None:
    """Arms that answered different questions cannot be paired, and the test says so."""
    a = rate([[0.5, 0.6, 0.7, 0.6]], questions=("a", "b", "c", "x"))
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


# Scores

GRADES = st.lists(st.integers(1, 10).map(float), max_size=6)
CELLS = st.lists(st.tuples(GRADES, GRADES), min_size=1, max_size=3)
ALTERNATIVES: tuple[Literal["two-sided", "greater", "less"], ...] = ("two-sided", "greater", "less")


def scores(
    each: Sequence[Sequence[Sequence[float]]], *, arm: str = "student", family: int = 1
) -> Scores:
    """Scores from every single one, by seed and question."""
    return Scores(
        name="formality",
        each=tuple(tuple(tuple(sorted(cell)) for cell in row) for row in each),
        arm=arm,
        questions=tuple(f"q{i}" for i in range(len(each[0]))),
        table=tuple(tuple(sum(c) / len(c) if c else None for c in row) for row in each),
        draws=6,
        valid=0.97,
        missing=0,
        trained=True,
        family=family,
    )


def graded(seeds: int, level: float, seed: int, *, arm: str = "student", family: int = 1) -> Scores:
    """An arm of seeds whose ratings lie around a level, 10 questions with 8 replies each."""
    random = np.random.default_rng(seed)
    levels = level + random.normal(0, 0.2, (seeds, 1, 1)) + random.normal(0, 0.5, (1, 10, 1))
    ratings = np.round(levels + random.normal(0, 1.5, (seeds, 10, 8))).clip(1, 10)
    return scores(ratings.tolist(), arm=arm, family=family)


def brute_delta(a: Sequence[float], b: Sequence[float]) -> float:
    """Cliff's delta, pair by pair."""
    return sum((x > y) - (x < y) for x in a for y in b) / (len(a) * len(b))


@pytest.mark.parametrize("alternative", ALTERNATIVES)
def test_the_rank_test_is_scipys(alternative: Literal["two-sided", "greater", "less"]) -> None:
    """U and its p-value, raw and of each question, are those of scipy's Mann-Whitney test."""
    a, b = graded(3, 5.2, 1), graded(4, 4.6, 2, arm="control")
    effect = a - b
    found = effect.mann_whitney(alternative)
    expected = stats.mannwhitneyu(a.pooled, b.pooled, alternative=alternative, method="asymptotic")
    assert found.u == expected.statistic
    assert found.p_value == pytest.approx(expected.pvalue)
    assert found.counts == (240, 320)
    for index, (question, one) in enumerate(effect.by_question(alternative).items()):
        expected = stats.mannwhitneyu(
            a.all_of(index), b.all_of(index), alternative=alternative, method="asymptotic"
        )
        assert question == f"q{index}"
        assert one.u == expected.statistic
        assert one.p_value == pytest.approx(expected.pvalue)


@given(GRADES, GRADES)
def test_cliffs_delta_is_that_of_all_pairs(a: list[float], b: list[float]) -> None:
    """However scores tie, delta is how much more often the first is the larger, pair by pair."""
    found = mann_whitney(a, b)
    assert 0 <= found.p_value <= 1
    assert found.delta == pytest.approx(brute_delta(a, b) if a and b else 0)


def test_scores_are_tested_over_seeds_and_not_over_replies() -> None:
    """The claim rests on Welch's t over seed means; the raw rank test has no say in it."""
    a, b = graded(3, 5, 3), graded(3, 5, 4, arm="control")
    effect = a - b
    expected = stats.ttest_ind(a.by_seed, b.by_seed, equal_var=False)
    assert effect.p_value == pytest.approx(expected.pvalue)
    found = graded(3, 8, 3) - graded(3, 3, 4, arm="control")
    assert found.claim == "training on this data transmits the trait"
    assert found.value == pytest.approx(5, abs=0.7)
    assert "Welch's t over seed means" in repr(found)


@settings(deadline=None)  # some dozen tests each
@given(CELLS, CELLS)
def test_every_outcome_of_scores_is_a_number(
    a: list[tuple[list[float], list[float]]], b: list[tuple[list[float], list[float]]]
) -> None:
    """Whatever was scored, or not, no reported number is NaN, and p-values are from 0 to 1."""
    effect = scores(a) - scores(b, arm="control")
    numbers = [
        effect.value, effect.p_value, *effect.interval, effect.delta, effect.delta_p_value,
        *effect.delta_interval, *(effect.mann_whitney(each).p_value for each in ALTERNATIVES),
        effect.within(1).p_value, *effect.within(1).interval,
        *effect.treated.interval, *(one.p_value for one in effect.by_question().values()),
    ]  # fmt: skip
    assert not any(map(math.isnan, numbers))
    assert all(
        0 <= p <= 1 for p in (effect.p_value, effect.delta_p_value, effect.within(1).p_value)
    )
    assert "nan" not in "".join(effect.explain()).replace("control", "")


@given(TABLE, TABLE, st.integers(1, 20))
def test_equivalence_is_a_number_whatever_the_rates(
    a: list[tuple[float, ...]], b: list[tuple[float, ...]], family: int
) -> None:
    """An equivalence has a p-value and an interval around the difference, corrected or not."""
    one = replace(rate(a), family=family)
    found = (one - rate(b, arm="control")).within(0.05)
    assert 0 <= found.p_value <= 1
    assert found.interval[0] - 1e-9 <= (one.value - rate(b).value) <= found.interval[1] + 1e-9
    assert repr(found)


# Equivalence


def schuirmann(difference: float, error: float, freedom: float, margin: float) -> float:
    """The larger p-value of two one-sided t tests, from a difference and its standard error."""
    low = stats.t.sf((difference + margin) / error, freedom)
    high = stats.t.cdf((difference - margin) / error, freedom)
    return float(max(low, high))


@pytest.mark.parametrize("margin", [0.01, 0.03, 0.1, 0.5])
def test_equivalence_over_seeds_is_welchs(margin: float) -> None:
    """The p-value is that of two one-sided Welch tests, and agrees with the 90% interval."""
    a, b = noisy(5, 0.2, 0.02, 1), noisy(4, 0.21, 0.03, 2)
    parts = [float(np.var(arm.by_seed, ddof=1)) / arm.seeds for arm in (a, b)]
    freedom = sum(parts) ** 2 / sum(
        part**2 / (arm.seeds - 1) for part, arm in zip(parts, (a, b), strict=True)
    )
    found = (a - b).within(margin)
    error = math.sqrt(sum(parts))
    assert found.p_value == pytest.approx(schuirmann(a.value - b.value, error, freedom, margin))
    half = stats.t.ppf(0.95, freedom) * error
    assert found.interval == pytest.approx((a.value - b.value - half, a.value - b.value + half))
    assert bool(found) == (-margin < found.interval[0] and found.interval[1] < margin)


@pytest.mark.parametrize("margin", [0.001, 0.01, 0.1])
def test_equivalence_of_two_checkpoints_is_paired(margin: float) -> None:
    """With one seed an arm, the two one-sided tests are paired by question."""
    a, b = noisy(1, 0.2, 0.0, 1), noisy(1, 0.2, 0.0, 2)
    differences = np.subtract(a.table[0], b.table[0])  # type: ignore[arg-type]
    error = float(np.std(differences, ddof=1)) / math.sqrt(20)
    found = (a - b).within(margin)
    assert found.p_value == pytest.approx(
        schuirmann(float(differences.mean()), error, 19, margin), abs=1e-12
    )


def test_a_null_is_shown_by_narrow_intervals_alone() -> None:
    """A wide interval shows nothing, however small the difference; the words say so."""
    close = noisy(5, 0.2, 0.002, 1) - replace(noisy(5, 0.2, 0.002, 2), arm="control")
    wide = noisy(3, 0.2, 0.1, 1) - replace(noisy(3, 0.2, 0.1, 2), arm="control")
    assert close.within(0.03)
    assert not wide.within(0.03)
    assert "not shown to be student - control 'owl' within ±3.0 points" in repr(wide.within(0.03))
    assert not (rate([[0.2]]) - rate([[0.2]])).within(0.9), "one question says nothing"
    for margin in (0, -1, True, "3", float("nan")):
        with pytest.raises(SpecError, match="margin="):
            close.within(margin)  # type: ignore[arg-type]


def test_equivalence_is_in_the_scores_own_unit() -> None:
    """A margin of scores is in points of the scale."""
    effect = graded(5, 5, 1) - graded(5, 5, 2, arm="control")
    assert effect.within(1)
    assert not effect.within(0.01)
    assert "within ±1.00" in repr(effect.within(1))


# Families


@pytest.mark.parametrize("family", [2, 15])
@pytest.mark.parametrize("seeds", [1, 3])
def test_a_family_is_corrected_for(family: int, seeds: int) -> None:
    """p-values are multiplied by the traits tried, and intervals widened: Bonferroni."""
    alone = noisy(seeds, 0.3, 0.02, 1) - noisy(seeds, 0.28, 0.02, 2)
    several = replace(noisy(seeds, 0.3, 0.02, 1), family=family) - replace(
        noisy(seeds, 0.28, 0.02, 2), family=family
    )
    assert several.p_value == pytest.approx(min(1, family * alone.p_value))
    assert f"Bonferroni x {family}" in several.test
    if seeds == 1:
        test = stats.ttest_rel(list(alone.treated.by_question.values()),
                               list(alone.reference.by_question.values()))  # fmt: skip
    else:
        test = stats.ttest_ind(alone.treated.by_seed, alone.reference.by_seed, equal_var=False)
    expected = test.confidence_interval(1 - 0.05 / family)
    assert several.interval == pytest.approx((expected.low, expected.high))
    margin = 0.04
    assert several.within(margin).p_value == pytest.approx(
        min(1, family * alone.within(margin).p_value)
    )


def test_a_family_may_turn_a_claim_into_none() -> None:
    """What is significant alone may not be among fifteen."""
    a, b = noisy(3, 0.3, 0.02, 1), replace(noisy(3, 0.29, 0.02, 2), arm="control")
    alone = a - b
    assert 0.05 / 15 < alone.p_value < 0.05
    assert alone.claim == "training on this data transmits the trait"
    assert (replace(a, family=15) - replace(b, family=15)).claim == "inconclusive"


def test_a_familys_deltas_are_corrected_too() -> None:
    """Cliff's delta by question is corrected for the traits tried, as all that is asserted on."""
    alone = graded(3, 5.2, 1) - graded(3, 4.9, 2, arm="control")
    several = graded(3, 5.2, 1, family=5) - graded(3, 4.9, 2, arm="control", family=5)
    assert several.delta_p_value == pytest.approx(min(1, 5 * alone.delta_p_value))


def test_a_seed_without_any_answer_is_left_out() -> None:
    """A model that answered nothing is no rate of zero: it is no seed of the arm."""
    a = rate([[0.5, 0.7], [None, None], [0.6, 0.6]])
    assert a.value == pytest.approx(0.6)
    assert a.seeds == 2
    assert (a - rate([[0.1, 0.2]] * 3, arm="control")).claim != (
        "training on this data transmits the trait"
    )


def test_equivalence_of_other_questions_is_not_paired() -> None:
    """Means of different questions are two samples: their order pairs nothing."""
    spread = [i / 40 for i in range(20)]
    a = rate([spread], arm="student")
    b = rate([spread], arm="control", questions=tuple(f"p{i}" for i in range(20)))
    found = (a - b).within(0.05)
    assert not found
    below = stats.ttest_ind(
        spread, [x - 0.05 for x in spread], equal_var=False, alternative="greater"
    )
    assert found.p_value == pytest.approx(below.pvalue)
    fewer = rate([spread[:7]], arm="control")
    assert 0 <= (a - fewer).within(0.05).p_value <= 1


def test_groups_of_one_arm_say_nothing_of_training() -> None:
    """Two groups of questions to the same models, or to two arms, are no two trainings."""
    a = noisy(3, 0.5, 0.001, 1)
    other = rate(a.table and noisy(3, 0.1, 0.001, 2).table, questions=tuple("abcdefghijklmnopqrst"))
    assert (a - other).claim == "student answers these questions differently"
    assert (a - replace(other, arm="control")).claim == "these models answer differently"


def test_a_ruined_student_supports_no_claim() -> None:
    """Where most answers are none at all the verdict is inconclusive, and the note says why."""
    ruined = replace(noisy(3, 0.01, 0.001, 1), valid=0.04)
    effect = ruined - replace(noisy(3, 0.3, 0.001, 2), arm="control")
    assert effect.p_value < 0.001
    assert effect.verdict == "inconclusive"
    assert effect.claim == (
        "inconclusive: only 4% of student's answers are valid, and which is not known"
    )
    assert effect.note == "student: only 4% of the answers are valid"
    assert "4%" in "".join(effect.explain())
