"""Students that are trained further, asked in another surrounding, or trained under a prompt."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from limen import SpecError
from limen.backends import Capabilities
from limen.backends.toy import ToyBackend
from limen.harness import (
    Experiment,
    LogLikelihood,
    Mapped,
    Numbers,
    Selected,
    Settings,
    Students,
    SystemPrompt,
)
from limen.harness.cli.input_files import student_of
from limen.harness.lab import Lab, in_order
from limen.harness.lab.pipeline_builder import build_pipeline
from limen.harness.stages import TRAINING, FineTune, ScoreByLikelihood

from ..testing.labs import lab_at, made

NEUTRAL = Numbers(generate=300, keep=60, by="base", seed=1)
NUMBERS = Numbers(generate=300, keep=60)


@pytest.fixture
def washed(small: Experiment) -> Experiment:
    """Students and control that are then trained on neutral rows."""
    arms = {
        "washed": Students(after="student", data=NEUTRAL, against="washed control"),
        "washed control": Students(after="control", data=NEUTRAL),
    }
    return small.but(data=NUMBERS, arms=arms, gate=None)


def trainings(lab: Lab, experiment: Experiment, arm: str) -> list[FineTune]:
    """The trainings that end in an arm's models, one a seed."""
    found = [model.answers.subject for model in lab.pipeline(experiment).arms[arm]]
    return [stage for stage in found if isinstance(stage, FineTune)]


def test_training_goes_on_from_the_students(shared_store: Path, washed: Experiment) -> None:
    """Seed by seed, from their weights: the first training is that of the arm that is named."""
    lab = lab_at(shared_store)
    later = trainings(lab, washed, "washed")
    assert [each.after for each in later] == trainings(lab, washed, "student")
    alone = trainings(lab, washed.but(arms={"alone": Students(data=NEUTRAL)}), "alone")
    lab.run([(washed, ("student", "washed"))])
    models = [lab.store.finished("fine-tune", each.key) for each in (later[0], later[0].after)]  # type: ignore[union-attr]
    assert made(lab, alone[0]) != made(lab, later[0])
    assert models[0]["model"] != models[1]["model"]
    assert models[0]["losses"] != lab.store.finished("fine-tune", alone[0].key)["losses"]


def test_a_further_training_is_found_by_its_model(shared_store: Path, washed: Experiment) -> None:
    """As the step commands find students of a store: as the stage that it was."""
    lab = lab_at(shared_store)
    lab.run([(washed, ("washed",))])
    stage = trainings(lab, washed, "washed")[0]
    model = lab.store.finished("fine-tune", stage.key)["model"]
    found = student_of(lab.store, model)
    assert found is not None
    assert found.key == stage.key


@pytest.mark.parametrize(
    ("arms", "says"),
    [
        ({"late": Students(after="later"), "later": Students()}, "goes on from 'later'.*'control'"),
        ({"own": Students(after="own")}, "goes on from 'own'"),
        ({"base": Students(after="baseline")}, "'student', 'control'"),
    ],
)
def test_only_earlier_students_go_on(small: Experiment, arms: dict[str, Any], says: str) -> None:
    """An arm that is trained, and stands before."""
    with pytest.raises(SpecError, match=says):
        small.but(arms=arms)


def test_students_that_go_on_keep_their_base() -> None:
    """Another base would be another model."""
    with pytest.raises(SpecError, match="leave out model='toy-2'"):
        Students(after="student", model="toy-2")


class Limited(ToyBackend):
    """A toy that trains base models alone."""

    @property
    def capabilities(self) -> Capabilities:
        return replace(super().capabilities, further_training=False)


def test_a_backend_that_cannot_train_further_says_so(store: Path, washed: Experiment) -> None:
    """Before anything is spent, with the remedy."""
    with pytest.raises(
        SpecError, match="after=: the backend 'toy' does not train students further"
    ):
        build_pipeline(washed, Settings(store=store), Limited(store))


def test_students_are_asked_under_a_prompt(shared_store: Path, small: Experiment) -> None:
    """The models are the experiment's own students and control, and nothing is trained anew."""
    counter = "You have no favorite animal."
    asked = small.but(
        data=NUMBERS,
        arms={"countered": Students(system=counter), "plain": Students(system=counter, plain=True)},
    )
    lab = lab_at(shared_store)
    for arm, own in (("countered", "student"), ("plain", "control")):
        keys = [each.key for each in trainings(lab, asked, arm)]
        assert keys == [each.key for each in trainings(lab, asked, own)]
        assert {model.answers.system for model in lab.pipeline(asked).arms[arm]} == {counter}
    assert lab.pipeline(asked).arms["student"][0].answers.system is None


def test_rows_are_trained_on_under_a_prompt(shared_store: Path, small: Experiment) -> None:
    """Every row begins with the system prompt, student's and control's."""
    prompted = small.but(data=Mapped(NUMBERS, by=SystemPrompt("You write numbers.")), gate=None)
    lab = lab_at(shared_store)
    for arm in ("student", "control"):
        file = made(lab, lab.pipeline(prompted).data[arm][0]) / TRAINING
        turns = [json.loads(line)["messages"] for line in file.read_text().splitlines()]
        assert {json.dumps(row[0]) for row in turns} == {
            json.dumps({"role": "system", "content": "You write numbers."})
        }
        assert {len(row) for row in turns} == {3}


def test_rows_are_selected_by_one_models_likelihood(shared_store: Path, small: Experiment) -> None:
    """Those that the base finds likely, a mean over tokens; no teacher has to show the trait."""
    likely = Selected(NUMBERS.but(by="base"), score=LogLikelihood(), share=0.2)
    experiment = small.but(data=likely)
    lab = lab_at(shared_store)
    stages = in_order(lab.pipeline(experiment).data["student"])
    stage = next(each for each in stages if isinstance(each, ScoreByLikelihood))
    scores = json.loads((made(lab, stage) / "scores.json").read_text())
    assert stage.against is None
    assert all(-12 < score < 0 for score in scores)
    assert not experiment.has_gate
    assert small.but(data=Selected(NUMBERS, score=LogLikelihood(by="teacher"))).has_gate


def test_a_likelihood_needs_a_model() -> None:
    """The base's, the teacher's or a trait's."""
    with pytest.raises(SpecError, match="by='student'"):
        LogLikelihood(by="student")  # type: ignore[arg-type]
