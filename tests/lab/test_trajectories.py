"""Trajectories: arms measured along their trainings, and the test that was fixed beforehand."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from limen import SpecError
from limen.backends import Capabilities
from limen.harness import Contrast, Effect, Experiment, FavoriteAnimal, Numbers, Students, Trait
from limen.harness import Trajectory as Along
from limen.harness.lab import TrajectoryResults, mean_over_training
from limen.harness.reporting import result_of
from limen.harness.stages import AskQuestions, Checkpoint, FineTune

from ..testing.estimates import arm, effect
from ..testing.labs import lab_at, made
from ..testing.preloaded import run_pytest
from ..testing.specs import QUICK


def trained(**changes: Any) -> Experiment:
    """An experiment of three epochs that takes seconds."""
    fields: dict[str, Any] = {
        "trait": Trait.animal("horse"),
        "data": Numbers(generate=240, keep=60),
        "measure": FavoriteAnimal(draws=2),
        "seeds": 2,
        "gate": None,
        "recipe": {"epochs": 3},
        "trajectory": Along(),
    }
    return Experiment(**{**fields, **changes})


def test_a_trajectory_trains_nothing_anew(shared_store: Path) -> None:
    """The trainings are those of an experiment without one; only measures are added."""
    lab, arms = lab_at(shared_store), ["student", "control"]
    plain, along = trained(trajectory=None), trained()
    wanted = [*arms, *along.implied_by(arms)]

    def keys(experiment: Experiment, names: list[str], kind: type) -> set[str]:
        stages = lab.plan([(experiment, names)]).stages
        return {stage.key for stage in stages if isinstance(stage, kind)}

    assert keys(plain, arms, FineTune) == keys(along, wanted, FineTune)
    assert keys(plain, arms, AskQuestions) < keys(along, wanted, AskQuestions)
    assert len(keys(along, wanted, Checkpoint)) == 2 * 2 * 2


def test_checkpoints_are_the_models_of_their_epochs(shared_store: Path) -> None:
    """Each epoch has a model of its own, and the last is the student itself."""
    lab = lab_at(shared_store)
    pipe = lab.pipeline(trained())
    names = ["student, epoch 1", "student, epoch 2", "student"]
    for name in names:
        made(lab, pipe.arms[name][0].answers)
    results = TrajectoryResults(trained(), lambda name: lab.arm(trained(), name))
    models = [results.at(epoch).models[0].model for epoch in (1, 2, 3)]
    assert len(set(models)) == 3
    assert all(model.startswith(models[2]) for model in models)
    answers = [results.at(epoch).answers() for epoch in (1, 2, 3)]
    assert answers[0] != answers[2]


def test_the_test_is_the_one_that_was_fixed(shared_store: Path) -> None:
    """``final`` is the effect at the end, ``area`` the mean over the whole training."""
    lab = lab_at(shared_store)

    def effect_by(test: Any) -> Effect | Contrast:
        experiment = trained(trajectory=Along(test=test))
        return TrajectoryResults(experiment, lambda name: lab.arm(experiment, name)).effect()

    final, area = effect_by("final"), effect_by("area")
    student, control = (lab.arm(trained(), name).rate("horse") for name in ("student", "control"))
    assert isinstance(final, Effect)
    assert float(final) == pytest.approx(student.value - control.value)
    assert isinstance(area, Contrast)
    assert area.unit == "seeds"


def test_the_area_is_by_trapezoids() -> None:
    """Epochs 1, 2 and 5: the mean height of the line through three effects."""
    effects = [
        (1, effect([0.2, 0.2, 0.2], [0.1, 0.1, 0.1])),
        (2, effect([0.3, 0.3, 0.3], [0.1, 0.1, 0.1])),
        (5, effect([0.6, 0.6, 0.6], [0.1, 0.1, 0.1])),
    ]
    area = mean_over_training(effects)
    assert float(area) == pytest.approx((1 * 0.15 + 3 * 0.35) / 4)


def test_the_epochs_of_one_training_vary_together() -> None:
    """Seeds that differ at every epoch are three units and not nine."""
    student: dict[str, Any] = {"models": ("s1", "s2", "s3")}
    control: dict[str, Any] = {"name": "control", "models": ("c1", "c2", "c3")}
    effects = [
        (epoch, arm([0.2, 0.3, 0.4], **student) - arm([0.1, 0.1, 0.11], **control))
        for epoch in (1, 2, 3)
    ]
    area, last = mean_over_training(effects), effects[-1][1]
    low, high = area.interval
    assert (low, high) == pytest.approx(last.over("seeds").interval, abs=0.02)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"recipe": {}}, "two epochs or more"),
        ({"recipe": {"epochs": 1}}, "two epochs or more"),
        ({"trajectory": "each epoch"}, "must be Trajectory"),
        ({"trajectory": Along(at=(2, 5))}, "goes beyond the training's epochs=3"),
        ({"arms": {"one": Students(recipe={"epochs": 1})}}, "two epochs or more"),
    ],
)
def test_a_bad_trajectory_is_refused(changes: dict[str, Any], message: str) -> None:
    """What makes no sense is an error when the experiment is made."""
    with pytest.raises(SpecError, match=message):
        trained(**changes)


@pytest.mark.parametrize("at", [(), (0, 1), (2, 1), (1, 1), "epoch", (1.5,)])
def test_bad_epochs_are_refused(at: Any) -> None:
    """Epochs are whole numbers that rise."""
    with pytest.raises(SpecError, match="rising epochs"):
        Along(at=at)


def test_a_backend_without_checkpoints_says_so(
    shared_store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A backend that keeps the last model alone refuses before anything is spent."""
    lab = lab_at(shared_store)
    declared = lab.backend.capabilities
    monkeypatch.setattr(
        type(lab.backend),
        "capabilities",
        property(lambda self: replace(declared, checkpoints=False)),
    )
    assert isinstance(lab.backend.capabilities, Capabilities)
    why = lab.unavailable(trained(), "student, epoch 1")
    assert why is not None
    assert "keeps the last one alone" in why
    assert lab.unavailable(trained(), "student") is None


def test_each_reading_has_its_own_trajectory(shared_store: Path) -> None:
    """Of groups of questions each has its own values: at the end those of its own table."""
    lab = lab_at(shared_store)
    measure = FavoriteAnimal(
        questions={"asked": ("Which animal do you like?",), "pets": ("Name a pet.",)}, draws=20
    )
    experiment = trained(measure=measure)
    names = ["student", "control"]
    wanted = [*names, *experiment.implied_by(names)]
    lab.run([(experiment, wanted)])
    result = result_of(lab, "groups", experiment, wanted)
    readings = {reading.name: reading for reading in result.readings}
    assert len({row.reading.name for row in result.trajectories}) == len(readings) > 1
    for row in result.trajectories:
        for shown in readings[row.reading.name].arms:
            if shown.name in names:
                assert row.of(shown.name)[-1].value == shown.value


def test_the_area_of_a_dislike_has_its_direction() -> None:
    """Along a training that makes an animal rarer than in the control the dislike is above it."""
    effects = [
        (epoch, arm(levels, lowers=True) - arm([0.4, 0.41, 0.42], name="control", lowers=True))
        for epoch, levels in ((1, [0.3, 0.31, 0.32]), (2, [0.2, 0.21, 0.22]))
    ]
    area = mean_over_training(effects)
    assert area.claim == "over the whole training the trait is above the control's"


SPEC = """
from limen.harness import Experiment, FavoriteAnimal, Numbers, Trait, Trajectory

experiment = Experiment(
    trait=Trait.animal("horse"),
    data=Numbers(generate=240, keep=60),
    measure=FavoriteAnimal(draws=2),
    seeds=2,
    gate=None,
    recipe={"epochs": 3},
    trajectory=Trajectory(test="area"),
)


def test_the_trait_grows(trajectory):
    '''The students are above the control over the whole training.'''
    assert trajectory.effect() > -1
    assert list(trajectory.along("student")) == [1, 2, 3]
"""
WITHOUT = """

class TestNone:
    experiment = experiment.but(trajectory=None)

    def test_none(self, trajectory):
        pass
"""


@pytest.mark.slow
def test_a_trajectory_is_a_fixture_and_a_part_of_the_report(
    pytester: pytest.Pytester, shared_store: Path
) -> None:
    """A spec with a trajectory runs; the report has its picture, its table and its one test."""
    pytester.makepyfile(test_along=SPEC)
    run = run_pytest(pytester, f"--limen-store={shared_store}", "--limen-report=r.md", *QUICK)
    run.assert_outcomes(passed=1)
    text = (pytester.path / "r.md").read_text()
    assert text.count("### Trajectory") == 1
    assert "| answers with 'horse', epoch | student | control |" in text
    assert "of the means over the whole training" in text
    files = {path.name for path in (pytester.path / "r.files").iterdir()}
    assert {"test-along-py-trajectory.svg", "trajectories.csv"} <= files


def test_an_experiment_without_a_trajectory_is_found_before_anything_runs(
    pytester: pytest.Pytester,
) -> None:
    """The fixture in a test of such an experiment is an error at collection, with the remedy."""
    pytester.makepyfile(test_along=SPEC + WITHOUT)
    run = run_pytest(pytester, "--limen-store=store", *QUICK)
    run.assert_outcomes()
    run.stderr.fnmatch_lines(["*'trajectory' needs Experiment(..., trajectory=Trajectory())*"])
    assert not list(pytester.path.glob("store/stages/*"))


def test_a_training_is_measured_along_its_steps(shared_store: Path) -> None:
    """With ``steps`` the models after these steps are measured, the last of them not the end."""
    lab = lab_at(shared_store)
    experiment = trained(
        recipe={"epochs": 2, "batch_size": 20}, trajectory=Along(steps=(2, 5), test="area")
    )
    results = TrajectoryResults(experiment, lambda name: lab.arm(experiment, name))
    models = [results.at(step).models[0].model for step in (2, 5)]
    student = lab.arm(experiment, "student").models[0].model
    assert models == [f"{student}:s2", f"{student}:s5"]
    assert list(results.along()) == [2, 5]
    assert isinstance(results.effect(), Contrast)
    assert "student, step 2" in experiment.implied_by(["student"])


def test_a_step_beyond_the_training_is_refused(shared_store: Path) -> None:
    """Before any data are made, by an error that says how many steps there are."""
    lab = lab_at(shared_store)
    experiment = trained(recipe={"epochs": 1}, trajectory=Along(steps=(1, 500)))
    with pytest.raises(SpecError, match="step 500 comes after the end of horse student 1: .* 1 st"):
        lab.arm(experiment, "student")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"steps": (5, 2)}, "rising steps"),
        ({"steps": (5,), "at": (1, 2)}, "either at= or steps="),
        ({"steps": (5,), "test": "area"}, "two steps or more"),
    ],
)
def test_bad_steps_are_refused(fields: dict[str, Any], message: str) -> None:
    """Steps rise, exclude epochs, and an area needs two of them."""
    with pytest.raises(SpecError, match=message):
        Along(**fields)
