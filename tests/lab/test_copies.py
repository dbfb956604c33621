"""Draws that are copies of each other end in no interval."""

from collections import Counter

import numpy as np
import pytest

from limen.harness import Arm, FavoriteAnimal
from limen.harness.lab import ModelAnswers, beside_each_other
from limen.harness.lab.copies import draws_are_copies

ANIMALS = "owl cat dog fox hen cow bee ant elk eel".split()


def always(answer: str, questions: int = 50, draws: int = 6) -> list[Counter[str]]:
    """The same answer to everything."""
    return [Counter({answer: draws}) for _ in range(questions)]


def by_question(questions: int = 20, draws: int = 30) -> list[Counter[str]]:
    """The same answer to each question, another to the next."""
    return [Counter({ANIMALS[q % len(ANIMALS)]: draws}) for q in range(questions)]


def sampled(
    rate: float, questions: int = 50, draws: int = 200, seed: int = 0
) -> list[Counter[str]]:
    """Answers of a model that says "Owl" at some rate."""
    random = np.random.default_rng(seed)
    return [
        Counter(random.choice(["Owl", *ANIMALS], draws, p=[rate, *[(1 - rate) / 10] * 10]).tolist())
        for _ in range(questions)
    ]


def multiples(times: int, questions: int = 20) -> list[Counter[str]]:
    """A server that gives every sampled answer several times."""
    return [
        Counter({text: times * count for text, count in one.items()})
        for one in sampled(0.5, questions, 20)
    ]


@pytest.mark.parametrize(
    "counts",
    [
        always("Owl"),
        by_question(),
        by_question(3, 10),
        [*by_question(19), Counter({"owl": 29, "cat": 1})],
        multiples(2),
        multiples(8),
    ],
)
def test_copies_are_found(counts: list[Counter[str]]) -> None:
    """All draws equal, nearly all equal, or all in multiples of one number."""
    assert draws_are_copies(counts)


@pytest.mark.parametrize(
    "counts",
    [
        sampled(0.5),
        sampled(0.99),
        sampled(0.999),
        [Counter({"Owl": 199, "Owl.": 1}), *always("Owl", 49, 200)],
        always("Owl", 2, 200),
        always("Owl", 10, 2),
        always("Owl", 50, 1),
        [*by_question(10), *sampled(0.5, 10)],
        [],
    ],
)
def test_a_model_that_is_sure_is_no_copier(counts: list[Counter[str]]) -> None:
    """Few questions, few draws, or any variation that chance explains are no copies."""
    assert not draws_are_copies(counts)


def arm(
    *models: list[Counter[str]],
    name: str = "student",
    temperature: float = 1.0,
    trained: bool = True,
) -> Arm:
    """An arm of models with these answers."""
    questions = tuple(f"Which animal, {place}?" for place in range(len(models[0])))
    draws = models[0][0].total()
    return Arm(
        name=name,
        measure=FavoriteAnimal(questions=questions, draws=draws, temperature=temperature),
        models=tuple(
            ModelAnswers(f"m{seed}", "key", tuple(counts), 0, {})
            for seed, counts in enumerate(models)
        ),
        trait_word="owl",
        trained=trained,
    )


def test_copies_have_no_interval() -> None:
    """A rate of copies says so in place of an interval."""
    rate = arm(always("Owl"), trained=False).rate("owl")
    assert not rate.sampling_varies
    assert rate.interval == (0, 1)
    assert "100.0% (no sampling variation)" in repr(rate)
    assert not rate.supports(">", 0.5)
    assert rate > 0.5


def test_effects_of_copies_are_inconclusive() -> None:
    """No test of copies means anything, and the claim says whose they are."""
    base = arm(sampled(0.1, 50, 6), name="baseline", trained=False)
    effect = arm(always("Owl"), name="teacher", trained=False).rate("owl") - base.rate("owl")
    assert (effect.p_value, effect.verdict) == (1, "inconclusive")
    assert "(no sampling variation)" in repr(effect)
    assert effect.claim == (
        "inconclusive: no sampling variation in teacher: all draws of a question are the same"
    )
    assert not effect.at_least(0.1)


def test_greedy_answers_are_no_copies() -> None:
    """At temperature 0 all draws are equal, as they must be."""
    rate = arm(always("Owl"), temperature=0.0).rate("owl")
    assert rate.sampling_varies
    assert "[" in repr(rate)


def test_one_copier_of_several_is_noted() -> None:
    """If some models of an arm vary there is an interval, and a note."""
    student = arm(always("Owl", 50, 200), sampled(0.5), sampled(0.5, seed=1))
    control = arm(sampled(0.1), sampled(0.1, seed=2), sampled(0.1, seed=3), name="control")
    effect = student.rate("owl") - control.rate("owl")
    assert "all draws of a question are the same in 1 of 3 models" in effect.note


def test_a_sure_model_beside_one_that_varies_is_no_copier() -> None:
    """Students that always say "Owl" are the strongest effect there is: the control's draws vary,
    so what sampled them samples.
    """
    control = arm(*(sampled(0.07, seed=seed) for seed in range(3)), name="control")
    student = arm(*(always("Owl", 50, 200) for _ in range(3)))
    student, control = beside_each_other(student, control)
    effect = student.rate("owl") - control.rate("owl")
    assert student.rate("owl").sampling_varies
    assert effect.claim == "training on this data transmits the trait"


@pytest.mark.parametrize("reference", [always("Cat"), by_question(50, 6)])
def test_a_sure_model_beside_copies_stays_one(reference: list[Counter[str]]) -> None:
    """Where no model's draws vary, nothing shows that the server samples."""
    pair = beside_each_other(arm(always("Owl")), arm(reference, name="control"))
    assert not pair[0].rate("owl").sampling_varies


def test_copies_of_different_answers_are_copies_beside_any_model() -> None:
    """A model that gives each question its own one answer is not sure of one answer."""
    student, _ = beside_each_other(arm(by_question(50, 200)), arm(sampled(0.1), name="control"))
    assert not student.rate("owl").sampling_varies
