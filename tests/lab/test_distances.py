"""Distances between whole answer distributions, and ranks."""

import random
from collections.abc import Mapping
from dataclasses import replace

import pytest

from limen.harness import Arm, FavoriteAnimal

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
