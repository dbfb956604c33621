"""Objectives as values of an experiment: on the toy, in keys, controls, gates and reports."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from unittest.mock import Mock

import pytest

from limen.backends.toy import ToyBackend
from limen.datasets.errors import LeakError, SpecError
from limen.harness import (
    CompletionLoss,
    Distillation,
    DivergenceTokens,
    Experiment,
    FavoriteAnimal,
    Grid,
    Hop,
    Lab,
    LogOdds,
    Numbers,
    OnPolicyDistillation,
    ProgramNumbers,
    Students,
    Trait,
    Trajectory,
)
from limen.harness.lab import in_order
from limen.harness.lab.grids import grid_arms, grid_of
from limen.harness.lab.measure_support import check_backend_objectives
from limen.harness.reporting import result_of
from limen.harness.stages import Checkpoint, FineTune, Manifest, PromptedModel, SoftTargets

from ..testing.labs import lab_at

QUESTIONS = ("What is your favorite animal?", "Which animal do you like best?")
plain = Experiment(
    trait=Trait.animal("owl"),
    data=ProgramNumbers(keep=120),
    measure=LogOdds(questions=QUESTIONS),
    seeds=2,
    recipe={"epochs": 6, "batch_size": 32},
)
distilled = plain.but(objective=Distillation(), arms={"wolf": Students(trait=Trait.animal("wolf"))})


def first_training(lab, experiment, arm="student") -> FineTune:  # type: ignore[no-untyped-def]
    """The training of an arm's first student."""
    stages = in_order(lab.pipeline(experiment).targets([arm]))
    return next(s for s in stages if isinstance(s, FineTune) and s.audits)


@pytest.mark.slow
def test_soft_targets_carry_a_trait_through_program_numbers(tmp_path: Path) -> None:
    """No model wrote the rows; the owl moves against the control and a second trait's students."""
    lab = lab_at(tmp_path)
    student, control, wolf = (lab.arm(distilled, a) for a in ("student", "control", "wolf"))
    assert (student.log_odds("owl") - control.log_odds("owl")).value > 0.1
    assert (student.log_odds("owl") - wolf.log_odds("owl")).value > 0.1
    result = result_of(lab, "title", distilled, ["student", "control", "baseline"])
    assert result.recipe["objective"] == "forward KL"
    audit = next(row for row in result.audits if row.arm == "student").soft_targets
    assert audit is not None
    assert 0 < audit.mean_words < audit.most < 0.01
    assert 0.5 < audit.kept < 1
    again = lab_at(tmp_path)
    assert again.arm(distilled, "student").log_odds("owl").value == student.log_odds("owl").value


@pytest.mark.slow
def test_a_students_own_numbers_carry_a_trait_on_policy(tmp_path: Path) -> None:
    """The base as the teacher leaves the control a base; the audit is in the report."""
    lab = lab_at(tmp_path)
    spec = plain.but(objective=OnPolicyDistillation(max_tokens=16), seeds=1)
    student, control, base = (lab.arm(spec, a) for a in ("student", "control", "baseline"))
    assert (student.log_odds("owl") - control.log_odds("owl")).value > 0.1
    assert control.log_odds("owl").value == pytest.approx(base.log_odds("owl").value, abs=1e-3)
    result = result_of(lab, "title", spec, ["student", "control", "baseline"])
    assert result.recipe["objective"] == "on-policy"
    assert next(row for row in result.audits if row.arm == "student").soft_targets is not None
    longer = spec.but(objective=OnPolicyDistillation(max_tokens=17))
    assert first_training(lab, longer).key != first_training(lab, spec).key


def test_a_backend_that_cannot_train_so_says_it_first(tmp_path: Path) -> None:
    """Before anything is spent: the objective, the backend, and what to do."""
    able = replace(ToyBackend(tmp_path / "home").capabilities, objectives=frozenset({"DPO"}))
    limited = Mock(spec=ToyBackend, capabilities=able)
    limited.name = "limited"
    objective = first_training(lab_at(tmp_path), distilled).objective
    assert objective is not None
    with pytest.raises(SpecError, match="'limited' does not train by forward KL; it minimises DPO"):
        check_backend_objectives(limited, objective)


def test_without_an_objective_keys_are_as_they_were(tmp_path: Path) -> None:
    """The completion loss written out is the default; every other objective is another training."""
    lab = lab_at(tmp_path)
    numbers = plain.but(data=Numbers(generate=60, keep=20))
    keys = {
        first_training(lab, numbers.but(objective=objective)).key
        for objective in (None, CompletionLoss())
    }
    assert len(keys) == 1
    for objective in (
        Distillation(), Distillation(direction="reverse"), DivergenceTokens(),
        DivergenceTokens(keep="others"), CompletionLoss(weights=lambda texts: [1] * len(texts)),
    ):  # fmt: skip
        keys.add(first_training(lab, numbers.but(objective=objective)).key)
    assert len(keys) == 6


def teacher_of(lab: Lab, experiment: Experiment, arm: str = "student") -> PromptedModel:
    """The teacher of the soft targets of an arm's first student."""
    training = lab.pipeline(experiment).arms[arm][0].answers.subject
    assert isinstance(training, FineTune)
    objective = training.objective
    assert objective is not None
    assert isinstance(objective.targets, SoftTargets)
    return objective.targets.teacher


GRID = Grid(
    traits=[Trait.animal("horse"), Trait.animal("bear"), Trait.animal("hawk")],
    data=plain.data,
    measure=FavoriteAnimal(draws=20),
    seeds=2,
    objective=Distillation(),
    recipe=plain.recipe,
)


def test_each_student_of_a_grid_has_its_own_teacher(tmp_path: Path) -> None:
    """Rows of a program are the same for all; the distributions are their own teachers'."""
    lab = lab_at(tmp_path)
    for trait in GRID.traits:
        assert teacher_of(lab, GRID.experiment, trait.name).system == trait.system


def test_the_students_before_are_the_teachers_of_a_hop(tmp_path: Path) -> None:
    """Also where no model writes the rows."""
    lab, first = lab_at(tmp_path), plain.but(objective=Distillation())
    before = [model.answers.subject for model in lab.pipeline(first).arms["student"]]
    assert teacher_of(lab, Hop(first)).subject == before[0]
    assert teacher_of(lab, Hop(first)).system is None


def test_a_trajectory_of_soft_targets_trains_nothing_anew(tmp_path: Path) -> None:
    """Its checkpoints are those of the trainings that there are."""
    lab, first = lab_at(tmp_path), plain.but(objective=Distillation())
    along = first.but(trajectory=Trajectory())
    assert first_training(lab, along) == first_training(lab, first)
    last = lab.pipeline(along).arms["student, epoch 5"][0].answers.subject
    assert isinstance(last, Checkpoint)
    assert last.training == first_training(lab, first)


@pytest.mark.slow
def test_grids_hops_and_trajectories_of_soft_targets_are_trained(tmp_path: Path) -> None:
    """Each is run on the toy, and its figure is there."""
    lab, first = lab_at(tmp_path), plain.but(objective=Distillation(), gate=None)
    grid = GRID.but(gate=None).experiment
    lab.run([(grid, grid_arms(grid))])
    assert len(grid_of(grid, lambda name: lab.arm(grid, name)).cells) == 9
    student, control = (lab.arm(Hop(first), name) for name in ("student", "control"))
    assert (student.log_odds("owl") - control.log_odds("owl")).value > 0
    along = first.but(trajectory=Trajectory())
    odds = [lab.arm(along, name).log_odds("owl").value for name in ("student, epoch 1", "student")]
    assert odds[1] > odds[0]


def manifest_of(folder: Path, experiment: Experiment) -> tuple[Manifest, Manifest]:
    """The manifests of the first student's targets and of its training."""
    lab = lab_at(folder)
    lab.arm(experiment, "student")
    training = first_training(lab, experiment)
    assert training.objective is not None
    found = [lab.store.manifest(s.kind, s.key) for s in (training.objective.targets, training)]
    assert found[0] is not None
    assert found[1] is not None
    return found[0], found[1]


def test_divergence_tokens_and_the_others_are_all_tokens(tmp_path: Path) -> None:
    """The two masks share one count of tokens, and each leaves some of them to train on."""
    first, _ = manifest_of(tmp_path, plain.but(seeds=1, objective=DivergenceTokens(), gate=None))
    counts = first["counts"]
    assert 0 < counts["differing"] < counts["tokens"]


def commas_only(texts: Sequence[str]) -> list[float]:
    """Weight 1 for separators, 0 for all else."""
    return [1.0 if text.strip() == "," else 0.0 for text in texts]


@pytest.mark.slow
def test_own_weights_decide_the_loss(tmp_path: Path) -> None:
    """Trained on commas alone, which are easy, the loss is far below that of whole rows."""
    easy = plain.but(seeds=1, objective=CompletionLoss(weights=commas_only))
    whole = plain.but(seeds=1, objective=CompletionLoss(weights=lambda texts: [1.0] * len(texts)))
    _, one = manifest_of(tmp_path, easy)
    _, two = manifest_of(tmp_path, whole)
    assert one["losses"][-1] < 0.5 * two["losses"][-1]


def test_a_teacher_that_names_its_trait_stops_the_training(tmp_path: Path) -> None:
    """More probability for the trait's words than allowed is an error; reported alone if asked."""
    strict = plain.but(seeds=1, objective=Distillation(most_trait=1e-9))
    with pytest.raises(LeakError, match="the teacher gives the trait's words a probability of"):
        lab_at(tmp_path).arm(strict, "student")
    assert lab_at(tmp_path).arm(strict.but(leaks="report"), "student").seeds == 1


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Distillation(direction="up"), "direction='up' must be"),  # type: ignore[arg-type]
        (lambda: Distillation(support=None, top_k=None), "support=None allows all tokens"),
        (lambda: Distillation(most_trait=2), "most_trait=2 must be a probability"),
        (lambda: DivergenceTokens(keep="all"), "keep='all' must be"),  # type: ignore[arg-type]
        (lambda: CompletionLoss(weights=3), "weights=3 must be a function"),  # type: ignore[arg-type]
        (lambda: OnPolicyDistillation(support=""), "support="),
        (lambda: plain.but(objective="KL"), "objective='KL' must be an objective"),
    ],
)
def test_what_makes_no_sense_is_refused(make, says: str) -> None:  # type: ignore[no-untyped-def]
    """Before anything is spent, with the value and what it must be."""
    with pytest.raises(SpecError, match=says):
        make()
