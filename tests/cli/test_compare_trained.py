"""`limen compare` on answers of the store whose students had an objective, or trained before."""

import json
from pathlib import Path
from typing import Any

import pytest

from limen.harness import (
    DPO,
    Distillation,
    Experiment,
    FavoriteAnimal,
    Lab,
    Numbers,
    Objective,
    PreferencePairs,
    Students,
    Trait,
)
from limen.harness.stages import AskQuestions

from ..testing.commands import limen
from ..testing.labs import lab_at

numbers = Numbers(generate=60, keep=24)
plain = Experiment(
    trait=Trait.animal("horse"),
    data=numbers,
    measure=FavoriteAnimal(draws=2),
    seeds=3,
    recipe={"epochs": 1, "batch_size": 8},
    gate=None,
    leaks="report",
)
pairs = PreferencePairs(numbers, rejected=numbers.but(by="base"), keep=10)


def answers_of(lab: Lab, experiment: Experiment, arm: str) -> list[Path]:
    """The files of an arm's answers, seed by seed."""
    lab.arm(experiment, arm)
    stages = [model.answers for model in lab.pipeline(experiment).arms[arm]]
    assert all(isinstance(stage, AskQuestions) for stage in stages)
    return [lab.store.artifact(s.kind, s.key) / "answers.jsonl" for s in stages]


def compared(store: Path, treated: list[Path], reference: list[Path]) -> dict[str, Any]:
    """What `limen compare` prints as JSON."""
    found: dict[str, Any] = json.loads(
        limen("compare", *treated, "--to", *reference, "--word", "horse", "--json",
              "--store", store)
    )  # fmt: skip
    return found


@pytest.mark.parametrize(
    "variant",
    [
        plain.but(objective=Distillation()),
        plain.but(data=pairs, objective=DPO()),
        plain.but(arms={"later": Students(after="student")}),
    ],
    ids=["distilled", "dpo", "after"],
)
def test_students_of_one_training_are_compared_as_trained(store: Path, variant: Experiment) -> None:
    """Their seeds differ in data, targets and earlier trainings, and in nothing else."""
    lab = lab_at(store)
    arm = "later" if variant.arms else "student"
    treated, control = answers_of(lab, variant, arm), answers_of(lab, variant, "control")
    whole = compared(store, treated, [*control])
    assert not [note for note in whole["notes"] if "learned different data" in note]
    if arm == "student":
        assert not [note for note in whole["notes"] if "no claim about training" in note]
        assert whole["treated"]["name"] == "student"


@pytest.mark.parametrize(("objective", "data"), [(Distillation(), numbers), (DPO(), pairs)])
def test_students_of_two_objectives_make_no_claim(
    store: Path, objective: Objective, data: Any
) -> None:
    """Another objective is another training, although recipe, base model and rows are the same."""
    lab = lab_at(store)
    treated = answers_of(lab, plain.but(data=data, objective=objective), "student")
    control = answers_of(lab, plain.but(data=data), "control")
    notes = compared(store, treated, control)["notes"]
    assert "no claim about training, since the students differ in base model, recipe or" in str(
        notes
    )
