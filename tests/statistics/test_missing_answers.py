"""What is missing or invalid cannot make an effect: it is inconclusive, and it is said why."""

from dataclasses import replace

import numpy as np
import pytest

from limen.harness.statistics import Effect, Rate

from ..testing.counted import Cells, counted_rate, rated_scores

SEEDS, QUESTIONS, DRAWS = 5, 50, 200
LEVELS = np.linspace(0.02, 0.6, QUESTIONS)
"""The true rate of each question, the same for every model."""


def hits(seed: int, levels: Cells = LEVELS, draws: int = DRAWS) -> Cells:
    """Draws that name the word, of models that differ by 0.3 points."""
    random = np.random.default_rng(seed)
    rates = (levels + random.normal(0, 0.003, (SEEDS, 1))).clip(0, 1)
    return random.binomial(draws, rates).astype(float)


def control(**changes: object) -> Rate:
    """Control students with an answer to everything."""
    return counted_rate(hits(2), arm="control", **changes)  # type: ignore[arg-type]


def cut(cells: Cells, places: np.ndarray) -> Cells:
    """Hits where those of some questions are gone."""
    left = cells.copy()
    left[:, places] = 0
    return left


def over_questions(places: np.ndarray) -> Cells:
    """All draws at some questions, and none at others."""
    return np.where(places, DRAWS, 0) * np.ones((SEEDS, 1))


LOWEST = np.argsort(np.argsort(LEVELS)) < 20


def test_refused_questions_make_no_effect() -> None:
    """A student that refuses the questions of the lowest rates: invalid answers decide."""
    student = counted_rate(cut(hits(1), LOWEST), invalid=over_questions(LOWEST))
    effect = student - control()
    assert effect.verdict == "inconclusive"
    assert "among valid answers alone" in effect.claim
    assert "20,000 invalid answers (valid: student 60%, control 100%)" in effect.claim
    assert "valid: student 60%, control 100%" in effect.note
    assert "among valid answers alone" in "\n".join(effect.explain())


@pytest.mark.parametrize("unit", ["seeds", "questions", "both"])
def test_filtered_questions_make_no_effect(unit: str) -> None:
    """A service that gives no answers to the questions of the lowest rates: bounds decide."""
    student = counted_rate(cut(hits(1), LOWEST), missing=over_questions(LOWEST))
    effect = (student - control()).over(unit)  # type: ignore[arg-type]
    assert effect.verdict == "inconclusive"
    assert abs(effect.value) < 0.01, "the value is of the questions that both arms answered"
    low, high = effect.interval
    assert low < effect.value < high
    assert high - low > 0.3
    assert "20,000 draws without an answer or a rating (student 20,000, control 0)" in effect.claim
    assert effect.p_value == 1


def test_a_value_and_its_interval_are_of_the_same_questions() -> None:
    """A question that one model of one arm did not answer is in neither."""
    lost = np.zeros((SEEDS, QUESTIONS))
    lost[0, 0] = DRAWS
    student = counted_rate(np.where(lost > 0, 0, hits(1)), missing=lost)
    effect = student - control()
    seen = counted_rate(hits(1)[:, 1:]) - counted_rate(hits(2)[:, 1:], arm="control")
    assert effect.value == pytest.approx(seen.value)
    assert effect.over("questions").value == pytest.approx(seen.value)
    wider = effect.interval
    assert wider[0] < seen.interval[0] < seen.interval[1] < wider[1]
    assert wider[1] - wider[0] < seen.interval[1] - seen.interval[0] + 0.02


def test_a_rate_that_is_higher_for_validity_alone_is_no_effect() -> None:
    """Equal rates among valid answers, a control that is valid to 55%: nothing is transmitted."""
    good, bad = 196, 110
    student = counted_rate(hits(1, draws=good), invalid=DRAWS - good)
    other = counted_rate(hits(2, draws=bad), invalid=DRAWS - bad, arm="control")
    effect = student - other
    assert effect.value > 0.05
    assert effect.verdict == "inconclusive"
    assert "higher among all answers" in effect.claim
    assert "valid: student 98%, control 55%" in effect.claim
    assert not effect.at_least(0.01)
    assert not effect.supports(">", 0.01)


def test_a_judge_that_leaves_low_replies_unrated_makes_no_effect() -> None:
    """Ratings that are missing may have been any on the scale."""
    random = np.random.default_rng(1)
    everything = [
        random.integers(1, 11, (4, 10, 20)).astype(float).tolist() for _ in ("student", "control")
    ]
    kept = [[[score for score in cell if score > 3] for cell in row] for row in everything[0]]
    effect = rated_scores(kept, draws=20) - rated_scores(everything[1], draws=20, arm="control")
    assert effect.value > 0.5
    assert effect.verdict == "inconclusive"
    assert "draws without an answer or a rating (student" in effect.claim
    assert effect.interval[0] < 0


def test_scores_without_a_scale_are_bounded_by_those_that_were_given() -> None:
    """A function's scores have no limits: what is missing lies among the scores of both arms."""
    random = np.random.default_rng(1)
    full = random.normal(20, 1, (4, 10, 20)).tolist()
    few = [[cell[:10] for cell in row] for row in full]
    effect = rated_scores(few, draws=20, scale=None) - rated_scores(
        full, draws=20, scale=None, arm="control"
    )
    assert effect.verdict == "inconclusive"
    width = effect.interval[1] - effect.interval[0]
    assert width < 8, "half of the draws, within the range of the scores"


@pytest.mark.parametrize("valid", [0.55, 0.51, 0.49, 0.3])
def test_there_is_no_cliff_at_half_of_the_answers(valid: float) -> None:
    """An effect that holds among all answers and among valid ones stands at any validity."""
    good = round(valid * DRAWS)
    student = counted_rate(hits(1, 0.9 * np.ones(QUESTIONS), good), invalid=DRAWS - good)
    low = counted_rate(hits(2, 0.1 * np.ones(QUESTIONS)), arm="control")
    effect = student - low
    assert effect.verdict == "higher"
    assert effect.claim == "training on this data transmits the trait"
    assert f"student {valid:.0%}" in effect.note


def test_a_few_missing_answers_do_not_matter() -> None:
    """Where what is missing could change nothing, the verdict stands; the interval is wider."""
    student = hits(1, 0.4 * np.ones(QUESTIONS), DRAWS - 2)
    whole = counted_rate(student, missing=2) - counted_rate(
        hits(2, 0.1 * np.ones(QUESTIONS)), arm="control"
    )
    assert whole.claim == "training on this data transmits the trait"
    assert "500 draws without an answer" in whole.note


def test_a_model_that_answered_nothing_may_have_answered_anything() -> None:
    """One of the seeds without any answer: its rate lies between 0 and 1."""
    lost = np.zeros((SEEDS, QUESTIONS))
    lost[0] = DRAWS
    student = counted_rate(np.where(lost > 0, 0, hits(1, 0.15 * np.ones(QUESTIONS))), missing=lost)
    effect = student - counted_rate(hits(2, 0.1 * np.ones(QUESTIONS)), arm="control")
    assert effect.verdict == "inconclusive"
    assert "depends on 10,000 draws" in effect.claim
    assert "1 of 5 models answered nothing" in effect.note


def test_missing_in_favour_of_a_null_is_no_null() -> None:
    """Equivalence has to hold whatever the missing answers would have been."""
    level = 0.2 * np.ones(QUESTIONS)
    full = counted_rate(hits(1, level), arm="control", margin=0.03)
    lacking = counted_rate(hits(2, level, DRAWS - 40), missing=40, margin=0.03)
    assert (counted_rate(hits(2, level), margin=0.03) - full).verdict == "equivalent"
    effect = lacking - full
    assert effect.verdict == "inconclusive"
    assert not effect.within()
    assert effect.claim.startswith("inconclusive: equivalent among the answers that were seen")


def test_invalid_answers_that_hide_an_effect_are_reported() -> None:
    """Higher among valid answers, equal among all: neither claim stands."""
    good = 100
    student = counted_rate(hits(1, 0.6 * np.ones(QUESTIONS), good), invalid=DRAWS - good)
    other = counted_rate(hits(2, 0.3 * np.ones(QUESTIONS)), arm="control", margin=0.03)
    effect = replace(student, margin=0.03) - other
    assert effect.verdict == "inconclusive"
    assert "equivalent among all answers, higher among valid answers alone" in effect.claim
    assert not effect.within()


def test_missing_answers_count_among_valid_ones_too() -> None:
    """What was never seen may have been valid: it counts in both ways."""
    good, lost = 150, 30
    student = counted_rate(
        hits(1, 0.26 * np.ones(QUESTIONS), good), invalid=DRAWS - good - lost, missing=lost
    )
    other = counted_rate(hits(2, 0.2 * np.ones(QUESTIONS)), arm="control")
    effect = student - other
    assert effect.verdict == "inconclusive"
    assert "higher among the answers that were seen" in effect.claim


def test_an_effect_may_depend_on_the_missing_among_valid_answers() -> None:
    """Where few answers are valid, missing ones weigh more among them than among all."""
    student = counted_rate(hits(1, 0.45 * np.ones(QUESTIONS)), invalid=40, missing=60)
    other = counted_rate(hits(2, 0.40 * np.ones(QUESTIONS)), invalid=71, arm="control")
    effect = student - other
    assert effect.p_value < 0.05
    assert effect.verdict == "inconclusive"
    assert "higher among the valid answers that were seen, and it depends on" in effect.claim


def test_small_effects_may_be_equivalent_both_ways() -> None:
    """Significant in one way and not in the other, and within the margin in both: equivalent."""
    student = counted_rate(hits(1, 0.2 * np.ones(QUESTIONS)), invalid=0, margin=0.05)
    other = counted_rate(hits(2, 0.19 * np.ones(QUESTIONS)), invalid=9, margin=0.05, arm="control")
    effect = student - other
    assert effect.p_value < 0.05
    assert effect.comparison_of_valid is not None
    assert effect.comparison_of_valid.p_value > 0.05
    assert effect.verdict == "equivalent"


def test_totals_of_missing_answers_are_spread_evenly() -> None:
    """Where only their number is known, missing answers are taken to lack everywhere alike."""

    def small(level: float, missing: int, arm: str) -> Rate:
        table = tuple(tuple(level + 0.001 * (s + q % 2) for q in range(10)) for s in range(4))
        return Rate(
            word="owl", arm=arm, questions=tuple(map(str, range(10))), table=table, draws=100,
            valid=1.0, missing=missing, trained=True,
        )  # fmt: skip

    effects: list[Effect] = [
        small(0.30, missing, "student") - small(0.20, 0, "control") for missing in (0, 40, 2000)
    ]
    assert [effect.verdict for effect in effects] == ["higher", "higher", "inconclusive"]
    assert effects[1].interval[0] == pytest.approx(effects[0].interval[0] - 0.003, abs=0.0005)


def test_a_question_without_an_answer_in_either_arm_leaves_nothing_to_compare() -> None:
    """Arms that answered no question in common have no test."""
    first = np.arange(QUESTIONS) < 25
    student = counted_rate(cut(hits(1), first), missing=over_questions(first))
    other = counted_rate(cut(hits(2), ~first), missing=over_questions(~first), arm="control")
    effect = student - other
    assert effect.p_value == 1
    assert effect.verdict == "inconclusive"
    assert "no question was answered by every model" in effect.note


def test_a_rate_is_above_a_number_only_whatever_is_missing() -> None:
    """The support of a comparison of one arm's rate allows for its missing answers."""
    level = 0.6 * np.ones(QUESTIONS)
    whole = counted_rate(hits(1, level))
    lacking = counted_rate(hits(1, level, DRAWS - 60), missing=60)
    assert whole.supports(">", 0.5)
    assert lacking > 0.5
    assert not lacking.supports(">", 0.5)
    assert lacking.supports(">", 0.3)
    assert lacking.supports("<", 0.8)


def test_where_nothing_is_missing_nothing_changes() -> None:
    """Test, p-value and interval are those of the means alone."""
    with_counts = counted_rate(hits(1)) - control()
    means = [replace(each, coverage=None) for each in (with_counts.treated, with_counts.reference)]
    plain = means[0] - means[1]  # type: ignore[operator]
    for unit in ("seeds", "questions", "both"):
        one, other = with_counts.over(unit), plain.over(unit)
        assert (one.value, one.p_value, one.interval, one.test, one.claim) == (
            other.value,
            other.p_value,
            other.interval,
            other.test,
            other.claim,
        )
