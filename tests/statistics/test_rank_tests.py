"""Rank statistics of scores."""

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from limen.harness import ScoreEffect, Scores
from limen.harness.statistics.rank_tests import seed_ranks

from ..testing.estimates import scores

SEEDS, QUESTIONS, ANSWERS = 4, 6, 5


def graded(levels: Sequence[float], seed: int, *, name: str = "student") -> Scores:
    """An arm whose seeds have ratings around these levels, from 1 to 10."""
    random = np.random.default_rng(seed)
    center = np.reshape(levels, (-1, 1, 1)) + random.normal(0, 1, (1, QUESTIONS, 1))
    ratings = random.normal(center, 1.5, (len(levels), QUESTIONS, ANSWERS))
    return scores(ratings.round().clip(1, 10).tolist(), name=name)


def compared(a: Sequence[float], b: Sequence[float]) -> ScoreEffect:
    """The effect of two arms with these levels."""
    return graded(a, 1) - graded(b, 2, name="control")


def test_ranks_of_seeds_differ_by_cliffs_delta() -> None:
    """The difference of the arms' mean ranks is the mean over questions of Cliff's delta."""
    effect = compared([5, 6, 7], [4, 4.5, 5])
    a, b = seed_ranks(effect.treated.each, effect.reference.each)
    assert (len(a), len(b)) == (3, 3)
    assert np.mean(a) - np.mean(b) == pytest.approx(effect.delta)


def test_the_rank_test_is_over_seeds() -> None:
    """Its p-value and interval are those of Welch's t over the seeds' mean ranks."""
    effect = compared([5, 6, 7], [4, 4.5, 5])
    theirs = stats.ttest_ind(
        *seed_ranks(effect.treated.each, effect.reference.each), equal_var=False
    )
    assert effect.delta_p_value == pytest.approx(theirs.pvalue)
    low, high = theirs.confidence_interval()
    assert effect.delta_interval == pytest.approx((max(-1, low), min(1, high)))
    assert effect.rank_test.name == "Welch's t over seeds' mean ranks"


def test_between_two_models_ranks_are_tested_over_questions() -> None:
    """The questions' deltas are the values of the t test, also where questions were asked for."""
    for effect in (compared([5], [4]), compared([5, 5], [4, 4]).over("questions")):
        deltas = [one.delta for one in effect.by_question().values()]
        theirs = stats.ttest_1samp(deltas, 0)
        assert effect.delta_p_value == pytest.approx(theirs.pvalue)
        assert effect.rank_test.unit == "questions"


def test_several_models_against_one_have_no_rank_test() -> None:
    """The spread of a single model's arm is not known, and nothing is claimed."""
    effect = compared([5, 6, 7], [4])
    assert effect.delta_p_value == 1
    assert effect.ranks.startswith(f"Cliff's delta {effect.delta:+.2f}; as description")


def test_ranks_over_answers_are_description() -> None:
    """The text says what Mann-Whitney treats as independent, and shows no p-value of it."""
    effect = compared([5, 6, 7], [4, 4.5, 5])
    assert effect.ranks.count("p = ") == 1
    assert "as description, treating all answers as independent: Mann-Whitney U = " in effect.ranks
    assert effect.ranks in "\n".join(effect.explain())


@pytest.mark.parametrize(
    ("counts", "sds"), [((3, 3), (0.7, 0.7)), ((5, 5), (1, 0.1)), ((3, 8), (0.5, 0.5))]
)
def test_the_rank_test_holds_its_level(counts: tuple[int, int], sds: tuple[float, float]) -> None:
    """Judges' scores of the same training differ in at most 7% of cases, whatever the spreads."""
    random = np.random.default_rng(sum(counts))

    def wrong(case: int) -> bool:
        levels = [random.normal(5, sd, n).tolist() for sd, n in zip(sds, counts, strict=True)]
        effect = graded(levels[0], 2 * case) - graded(levels[1], 2 * case, name="control")
        return effect.delta_p_value < 0.05

    cases = 400
    assert np.mean([wrong(case) for case in range(cases)]) < 0.07 + 2 * math.sqrt(0.0475 / cases)


CELL = st.lists(st.sampled_from([1.0, 2.0, 5.0]), max_size=3)


@given(
    st.lists(st.tuples(CELL, CELL), min_size=1, max_size=3),
    st.lists(st.tuples(CELL, CELL), min_size=1, max_size=3),
)
def test_rank_tests_are_numbers_whatever_was_scored(
    a: list[tuple[list[float], list[float]]], b: list[tuple[list[float], list[float]]]
) -> None:
    """Missing answers, ties and seeds without any give no NaN and no interval beyond one."""
    effect = scores(a) - scores(b, name="control")
    assert 0 <= effect.delta_p_value <= 1
    low, high = effect.delta_interval
    assert -1 <= low <= high <= 1
    assert "nan" not in effect.ranks
