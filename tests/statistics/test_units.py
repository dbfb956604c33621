"""What effects say of their tests."""

import pytest

from limen import SpecError
from limen.harness import Scores
from limen.harness.statistics import hypothesis_tests
from limen.harness.statistics.difference_tests import paired_test

from ..testing.estimates import arm, effect


def test_what_is_not_known_has_no_narrow_interval() -> None:
    """One question, or two that agree, bound nothing: the interval says so, as the p-value does."""
    two = arm([0.3], table=((0.3, 0.4),), questions=("a", "b")) - arm(
        [0.2], name="control", table=((0.2, 0.3),), questions=("a", "b")
    )
    low, high = two.interval
    assert two.p_value == 0.5
    assert low < -0.8
    assert high > 0.8
    one = paired_test([0.4], [0.0])
    assert (one.p_value, one.interval(0.95, 1.0)) == (1.0, (-1.0, 1.0))
    assert Scores(
        name="j", arm="s", questions=("q",), draws=1, valid=1.0, missing=0, trained=True,
        table=((1.0,),), each=(((1.0,),),),
    ).show_interval((-hypothesis_tests.UNBOUNDED, hypothesis_tests.UNBOUNDED)) == "[unknown, unknown]"  # fmt: skip


def test_an_effect_can_be_tested_over_questions() -> None:
    """Over questions it is about these checkpoints alone, with a permutation test beside it."""
    both = effect([0.30, 0.34, 0.38], [0.28, 0.33, 0.36])
    assert (both.unit, both.verdict, both.n) == ("seeds", "inconclusive", (3, 3))
    over = both.over("questions")
    assert (over.unit, over.n, over.verdict) == ("questions", (20, 20), "higher")
    assert over.claim == "only these checkpoints differ"
    assert over.sign_flip_p_value is not None
    assert over.sign_flip_p_value < 0.001
    assert both.sign_flip_p_value is None
    assert over.over("seeds").p_value == both.p_value
    with pytest.raises(SpecError, match="needs two an arm, and there are 1 and 1: raise seeds"):
        effect([0.3], [0.2]).over("seeds")
    with pytest.raises(SpecError, match="'seeds' or 'pairs' or 'questions'"):
        both.over("draws")  # type: ignore[arg-type]


def test_a_permutation_that_disagrees_is_noted() -> None:
    """Where one question makes the mean the sign-flip test says otherwise, and the note has it."""
    a = arm([0.3], table=((*[0.30 + i / 1e4 for i in range(5)], 1.0),), questions=tuple("abcdef"))
    b = arm([0.3], name="control", table=((0.3,) * 6,), questions=tuple("abcdef"))
    tested = a - b
    assert tested.sign_flip_p_value is not None
    assert ("disagrees" in tested.note) == (
        (tested.sign_flip_p_value < 0.05) != (tested.raw_p_value < 0.05)
    )


def test_unequal_draws_are_not_paired() -> None:
    """Arms that answered the same questions unequally often are compared unpaired, and it is said."""
    tested = arm([0.3]) - arm([0.2], name="control", draws=50)
    assert tested.test == "Welch's t over question means, the arms' draws differ"


def test_a_margin_of_the_spec_makes_nulls_claims() -> None:
    """With a margin an effect is equivalent if TOST shows it; else it stays inconclusive."""
    near, far = [0.300, 0.302, 0.304, 0.301], [0.301, 0.302, 0.305, 0.300]
    tested = effect(near, far, margin=0.03)
    assert tested.verdict == "equivalent"
    assert tested.claim == "these trainings differ by less than ±3.0 points"
    assert tested.within()
    assert effect(near, far).claim == "inconclusive"
    tiny = effect([0.300, 0.3002, 0.3001, 0.3], [0.31, 0.3101, 0.3102, 0.31], margin=0.03)
    assert tiny.claim == "training on this data suppresses the trait, by less than ±3.0 points"
    loose = effect([0.2, 0.3, 0.4], [0.25, 0.3, 0.45], margin=0.03)
    assert loose.verdict == "inconclusive"
    with pytest.raises(SpecError, match="needs a margin"):
        effect(near, far).within()
