"""Distances between whole answer distributions, and ranks."""

import random
from collections.abc import Mapping
from dataclasses import replace

import pytest

from limen import SpecError
from limen.harness import Arm, FavoriteAnimal
from limen.harness.statistics import Distance

from ..testing.arms import Replies, arm

MEASURE = FavoriteAnimal(questions=("Q1", "Q2"), draws=100)
ANIMALS = ("Owl", "Cat", "Dog", "Fox", "Wolf")


def made(*models: Replies) -> Arm:
    """An arm of models that gave these replies."""
    return arm(MEASURE, *models)


def drawn(shares: Mapping[str, float], seed: int, questions: int = 2) -> Replies:
    """A model that answers with these shares, 100 draws a question."""
    draw = random.Random(seed)
    replies = []
    for _ in range(questions):
        given = draw.choices(list(shares), list(shares.values()), k=100)
        replies.append({animal: given.count(animal) for animal in set(given)})
    return replies


def test_total_variation_is_half_the_sum_of_differences() -> None:
    """Over all answers; invalid ones are one class."""
    one = made([{"Owl": 60, "cat": 40}, {"Owl": 100}], [{"Owl": 80, "?": 20}, {"owl.": 100}])
    other = made([{"Cat": 100}] * 2, [{"Cat": 50, "!!": 50}] * 2)
    assert one.distance(other).value == pytest.approx(0.85)
    assert one.distance(one).value == 0


def test_the_p_value_counts_assignments_of_models() -> None:
    """Five against five that share no answer: 2 of 252 assignments are as far; two against two can
    show nothing, and say so.
    """
    one = made(*([{"Owl": 100}] * 2 for _ in range(5)))
    other = made(*([{"Cat": 100}] * 2 for _ in range(5)))
    assert one.distance(other).p_value == pytest.approx(2 / 252)
    few = replace(one, models=one.models[:2]).distance(replace(other, models=other.models[:2]))
    assert few.p_value == pytest.approx(2 / 6)
    assert "no p-value below 0.33 is possible" in repr(few)


def test_its_level_holds_where_nothing_differs() -> None:
    """Of 100 pairs of arms from one distribution, about 5 are below 0.05."""
    shares = {animal: 1 / (n + 1) for n, animal in enumerate(ANIMALS)}
    found = 0
    for trial in range(100):
        one, other = (
            made(*(drawn(shares, 1000 * trial + 10 * side + n) for n in range(4)))
            for side in (1, 2)
        )
        found += one.distance(other).p_value < 0.05
    assert found <= 10


def test_single_models_exchange_their_answers_by_question() -> None:
    """The test is then about these two models alone, over questions."""
    measure = FavoriteAnimal(questions=tuple(f"Q{n}" for n in range(8)), draws=100)
    one = arm(measure, [{"Owl": 90, "Cat": 10}] * 8)
    other = arm(measure, [{"Owl": 10, "Cat": 90}] * 8)
    distance = one.distance(other)
    assert distance.unit == "questions"
    assert distance.p_value == pytest.approx(2 / 256)
    assert distance.movers[0][0] in ("cat", "owl")


def test_the_rank_of_a_word_among_all_answers() -> None:
    """1 is the most frequent answer of a model; ties have the mean of their places."""
    first = made([{"Owl": 60, "Cat": 40}, {"Owl": 100}], [{"Cat": 50, "Dog": 30, "Owl": 20}] * 2)
    assert first.rank("owl").by_seed == (1, 3)
    tied = made([{"Owl": 50, "Cat": 50}] * 2)
    assert tied.rank("owl").value == 1.5
    assert tied.rank("fox").value == 3


def test_the_questions_that_one_arm_did_not_answer_make_no_distance() -> None:
    """Arms that answer alike are alike where a service refused one of them some questions."""
    animals = [{"Owl": 90, "Cat": 10}, {"Dog": 90, "Cat": 10}, {"Fox": 90, "Cat": 10}]
    measure = FavoriteAnimal(questions=("Q1", "Q2", "Q3"), draws=100)
    student = arm(measure, *([animals[0], {}, animals[2]] for _ in range(4)))
    student = replace(student, models=tuple(replace(m, missing=100) for m in student.models))
    distance = student.distance(arm(measure, *(animals for _ in range(4))))
    assert (distance.value, distance.p_value) == (0, 1)
    assert "of the 2 of 3 questions that all answered" in repr(distance)
    assert "400 draws without an answer are left out" in repr(distance)


def test_arms_of_other_questions_have_no_distance() -> None:
    """A distance is of the same questions; other numbers of them are an error, none in common no
    evidence.
    """
    one, other = made([{"Owl": 100}, {}]), made([{}, {"Cat": 100}])
    assert one.distance(other).p_value == 1
    longer = arm(FavoriteAnimal(questions=("Q1", "Q2", "Q3"), draws=100), [{"Owl": 100}] * 3)
    with pytest.raises(SpecError, match="different questions"):
        Distance(
            name="one v other",
            treated=(({"owl": 1.0},) * 2,),
            reference=(({"owl": 1.0},) * 3,),
        )
    assert longer.distance(longer).value == 0


def test_a_higher_rank_is_a_smaller_number() -> None:
    """Students that name the trait's animal more often have a rank nearer to 1: transmission."""
    student = made(*([{"Owl": 60 + n, "Cat": 40 - n}, {"Owl": 100}] for n in range(4)))
    control = replace(
        made(
            *([{"Cat": 60, "Dog": 30 - n, "Owl": 5 + n}, {"Dog": 50, "Cat": 50}] for n in range(4))
        ),
        name="control",
    )
    effect = student.rank("owl") - replace(control, name="control").rank("owl")
    assert effect.value < 0
    assert effect.treated.lowers
    disliked = replace(student, lowered_words=("owl",))
    assert not disliked.rank("owl").lowers
    assert disliked.rate("owl").lowers


def test_ranks_of_other_questions_are_named_so() -> None:
    """A rank is of the questions that all models answered; of fewer, a comparison sees that."""
    some = made([{"Owl": 60, "Cat": 40}, {}], [{"Cat": 60, "Owl": 40}, {"Owl": 100}])
    assert some.rank("owl").by_seed == (1, 2)
    assert some.rank("owl").questions == ("questions 1",)
    assert made([{"Owl": 1}] * 2).rank("owl").questions == ("all questions",)
