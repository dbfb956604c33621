"""How much students differ by their seeds alone, of students that a store has."""

import json
import math
from pathlib import Path

import pytest

from limen.harness import (
    Choice,
    Distillation,
    Experiment,
    FavoriteAnimal,
    Lab,
    Numbers,
    Students,
    Trait,
)
from limen.harness.experiment import Reading
from limen.harness.reporting import known_spread

from ..testing.labs import describe_again, lab_at

HORSE = Reading(name="", word="horse")
ANIMALS = ("owl", "horse", "cat", "dog", "wolf", "lion", "bear", "eagle", "fox", "tiger")

spec = Experiment(
    trait=Trait.animal("horse"),
    data=Numbers(generate=60, keep=24),
    measure=FavoriteAnimal(draws=20),
    seeds=2,
    recipe={"epochs": 1, "batch_size": 8},
    gate=None,
    leaks="report",
)


def answer(lab: Lab, experiment: Experiment, *shares: float) -> None:
    """Have each control answer every prompt with this share of horses."""
    lab.arm(experiment, "control")
    for model, share in zip(lab.pipeline(experiment).arms["control"], shares, strict=True):
        stage = model.sampled
        file = lab.store.artifact(stage.kind, stage.key) / "tally.json"
        horses = round(share * stage.draws)
        given = {"horse": horses, "cat": stage.draws - horses}
        file.write_text(json.dumps([given for _ in stage.questions]))
        describe_again(lab, stage)


def expected(one: float, other: float, answers: int) -> float:
    """The deviation between two models' rates, less that of so many answers."""
    level = (one + other) / 2
    return math.sqrt((one - other) ** 2 / 2 - level * (1 - level) / answers)


def test_every_order_of_a_choice_counts_among_the_answers(store: Path) -> None:
    """A question is asked once an order: two draws of ten options are twenty answers."""
    choice = Choice(options=ANIMALS, questions=("Which?",), answers="texts", draws=2)
    lab, asked = lab_at(store), spec.but(measure=choice)
    answer(lab, asked, 1.0, 0.5)
    spread = known_spread(lab.store, lab.pipeline(asked), HORSE)
    assert spread.control == pytest.approx(expected(1.0, 0.5, 20))


def test_students_that_were_asked_more_often_are_corrected_by_their_own_draws(
    store: Path,
) -> None:
    """The plan's draws say nothing of how exact the store's rates are."""
    lab, few = lab_at(store), spec.but(measure=FavoriteAnimal(draws=2))
    answer(lab, spec, 0.5, 0.25)
    other = few.but(data=Numbers(generate=60, keep=24, seed=7))
    spread = known_spread(lab.store, lab.pipeline(other), HORSE)
    assert "controls: 2 models of other data" in spread.source
    assert spread.control == pytest.approx(expected(0.5, 0.25, 50 * 20))


@pytest.mark.parametrize(
    "variant",
    [
        spec.but(objective=Distillation()),
        spec.but(arms={"later": Students(after="student")}),
    ],
    ids=["distilled", "after"],
)
def test_seeds_of_one_training_are_pooled_whatever_it_minimises(
    store: Path, variant: Experiment
) -> None:
    """Each seed has targets, or an earlier training, of its own."""
    lab = lab_at(store)
    lab.arm(variant, "later" if variant.arms else "student")
    asked = spec.but(data=Numbers(generate=60, keep=24, seed=7))
    spread = known_spread(lab.store, lab.pipeline(asked), HORSE)
    assert "2 models of other data" in spread.source


def test_students_of_two_objectives_are_not_pooled(store: Path) -> None:
    """One seed of each is no pair of seeds."""
    lab = lab_at(store)
    for variant in (spec.but(seeds=1), spec.but(seeds=1, objective=Distillation())):
        lab.arm(variant, "student")
    asked = spec.but(data=Numbers(generate=60, keep=24, seed=7))
    spread = known_spread(lab.store, lab.pipeline(asked), HORSE)
    assert "in the store" not in spread.source
