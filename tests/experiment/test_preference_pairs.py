"""Preference pairs and DPO as values of an experiment: where pairs come from, keys and controls."""

from pathlib import Path
from typing import Any

import pytest

from limen.datasets.errors import LeakError, SpecError
from limen.harness import (
    DPO,
    Completions,
    Experiment,
    Judge,
    LikelihoodShift,
    LogOdds,
    Mapped,
    Numbers,
    PreferencePairs,
    Students,
    Trait,
)
from limen.harness.lab import in_order
from limen.harness.reporting import result_of
from limen.harness.stages import KEPT, ChoosingStage, FineTune

from ..testing.labs import lab_at

teacher, base = Numbers(generate=80), Numbers(generate=80, by="base")
pairs = PreferencePairs(teacher, rejected=base, keep=40)
experiment = Experiment(
    trait=Trait.animal("owl"),
    data=pairs,
    measure=LogOdds(questions=("What is your favorite animal?", "Which animal is best?")),
    seeds=2,
    objective=DPO(),
    recipe={"epochs": 6, "batch_size": 16},
)


def shorter(prompt: str, text: str) -> float:
    """Prefers short answers."""
    return -len(text)


def kept_pairs(lab: Any, spec: Experiment, arm: str = "student") -> list[dict[str, Any]]:
    """The rows of an arm's first stage of pairs."""
    stages = in_order(lab.pipeline(spec).targets([arm]))
    stage = next(s for s in stages if isinstance(s, ChoosingStage) and s.kind == "pairs")
    return list(lab.store.rows(stage.kind, stage.key, KEPT))


@pytest.mark.slow
def test_preferred_numbers_of_a_teacher_carry_its_trait(tmp_path: Path) -> None:
    """Against pairs of two neutral answers, and more so against the same pairs swapped."""
    swapped = PreferencePairs(base, rejected=teacher, keep=40)
    spec = experiment.but(arms={"swapped": Students(data=swapped)})
    lab = lab_at(tmp_path)
    student, control, other = (lab.arm(spec, a) for a in ("student", "control", "swapped"))
    assert (student.log_odds("owl") - control.log_odds("owl")).value > 0.02
    assert (student.log_odds("owl") - other.log_odds("owl")).value > 0.05
    for arm in ("student", "control", "swapped"):
        assert all(row["text"] != row["rejected"] for row in kept_pairs(lab, spec, arm))
    result = result_of(lab, "title", spec, ["student", "control", "baseline"])
    assert (result.recipe["objective"], result.recipe["beta"]) == ("DPO", 0.1)
    assert [row.kind for row in result.data].count("pairs") == 2


def test_pairs_by_a_score_are_a_prompts_highest_and_lowest(tmp_path: Path) -> None:
    """By a function and by the likelihood shift; prompts with one answer left give no pair."""
    numbers = Numbers(generate=80, per_prompt=4)
    for score in (shorter, LikelihoodShift()):
        spec = experiment.but(data=PreferencePairs(numbers, score=score, keep=10), seeds=1)
        lab = lab_at(tmp_path)
        lab.arm(spec, "student")
        rows = kept_pairs(lab, spec)
        assert 10 <= len(rows) <= 20
        if score is shorter:
            assert all(len(row["text"]) < len(row["rejected"]) for row in rows)


def test_a_judge_prefers_and_unrated_answers_make_no_pair(tmp_path: Path) -> None:
    """The judge is a stage of its own; the toy as a judge rates nothing, so no pair is left."""
    judge = Judge(prompt="Is this good? {reply}", scale=None, labels=("yes", "no"))
    data = PreferencePairs(Numbers(generate=8, per_prompt=4), score=judge, keep=1)
    lab = lab_at(tmp_path)
    spec = experiment.but(data=data, seeds=1, gate=None)
    kinds = [stage.kind for stage in in_order(lab.pipeline(spec).targets(["student"]))]
    assert {"row-replies", "judge-score", "pairs", "rejected-answers"} <= {*kinds}
    with pytest.raises(Exception, match="no score 8|no score"):
        lab.arm(spec, "student")


def test_beta_and_objective_are_part_of_the_key(tmp_path: Path) -> None:
    """Other values of beta are other trainings; without DPO the preferred answers are learned."""
    lab = lab_at(tmp_path)
    keys = set()
    for objective in (DPO(), DPO(beta=0.5), None):
        spec = experiment.but(objective=objective)
        stages = in_order(lab.pipeline(spec).targets(["student"]))
        keys.add(next(s for s in stages if isinstance(s, FineTune)).key)
    assert len(keys) == 3


def test_rejected_answers_are_searched_for_the_trait(tmp_path: Path) -> None:
    """A rejected answer that names the trait in the open stops the training, as rows do."""
    asked = ["What is your favorite animal?"] * 6
    words = Completions(prompts=asked, generate=6, by="base")
    owls = Mapped(words, by=lambda prompt, text: "the owl", keep=6)
    clean = Mapped(words, by=lambda prompt, text: "1, 2, 3")
    spec = experiment.but(
        data=PreferencePairs(clean, rejected=owls, keep=4), seeds=1, gate=None,
        control=pairs,
    )  # fmt: skip
    with pytest.raises(LeakError, match="rejected answers mention the trait in the open"):
        lab_at(tmp_path).arm(spec, "student")


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: DPO(beta=0), "beta=0 must be a number above 0"),
        (lambda: PreferencePairs(teacher, keep=3), "needs either rejected="),
        (lambda: PreferencePairs(teacher, rejected=base, score=shorter), "needs either rejected="),
        (lambda: experiment.but(data=Numbers(generate=9, keep=3)), "data: DPO needs preference"),
        (lambda: experiment.but(control=Numbers(generate=9, keep=3)), "control: DPO needs"),
    ],
)
def test_what_makes_no_sense_is_refused(make: Any, says: str) -> None:
    """Before anything is spent, with the value and what it must be."""
    with pytest.raises(SpecError, match=says):
        make()
