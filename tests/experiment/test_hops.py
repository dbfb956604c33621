"""Hops: students that teach the next generation, as chains of their own."""

from pathlib import Path

import pytest

from limen import SpecError, TeacherError
from limen.harness import Experiment, Hop, ProgramNumbers, Trait
from limen.harness.lab import Lab, in_order
from limen.harness.reporting import result_of
from limen.harness.stages import FineTune, Generate, Stage
from limen.reports.drawings import drawings_of
from limen.reports.generations import generation_parts

from ..testing.labs import Diary, lab_at

ARMS = ("student", "control")


@pytest.fixture
def first(small: Experiment) -> Experiment:
    """The first generation; its students are too few to pass a gate."""
    return small.but(data=small.data.but(generate=120, keep=20), gate=None)


def writers(lab: Lab, experiment: Experiment, arm: str) -> list[Stage]:
    """The models that write an arm's data, one a seed."""
    files = lab.pipeline(experiment).data[arm]
    return [
        next(stage for stage in in_order([file])[::-1] if isinstance(stage, Generate)).writer
        for file in files
    ]


def test_students_teach_seed_by_seed(store: Path, first: Experiment) -> None:
    """The student of a seed writes for that seed, without any prompt; so does the control's."""
    lab = lab_at(store)
    for arm in ARMS:
        before = [model.answers.subject for model in lab.pipeline(first).arms[arm]]
        assert writers(lab, Hop(first), arm) == before
        assert all(isinstance(student, FineTune) for student in before)


def test_chains_share_no_draws(store: Path, first: Experiment) -> None:
    """Every seed of every generation has prompts and draws of its own."""
    lab = lab_at(store)
    experiments = (Hop(first), Hop(Hop(first)))
    stages = in_order(mix for one in experiments for mix in lab.pipeline(one).data["student"])
    prompts = [stage.prompts.seed for stage in stages if isinstance(stage, Generate)]
    assert len(set(prompts)) == len(prompts) == 5


def test_the_report_has_a_line_a_generation(shared_store: Path, first: Experiment) -> None:
    """Three generations, each with its teachers, students, control and effect."""
    lab = lab_at(shared_store)
    third = Hop(Hop(first))
    lab.run([(third, ARMS)])
    result = result_of(lab, "hops", third, ARMS)
    assert [row.generation for row in result.generations] == [1, 2, 3]
    assert result.generations[1].teacher == result.generations[0].student
    assert result.generations[2].teacher == result.generations[1].student
    table = next(generation_parts(result, {})).splitlines()
    assert [line.split("|")[1].strip() for line in table[2:]] == ["1", "2", "3"]
    names = [drawing.name for drawing in drawings_of(result)]
    assert names[:2] == ["arms", "generations"]
    assert result_of(lab, "first", first, ARMS).generations == ()


def test_generations_are_trained_once(shared_store: Path, first: Experiment) -> None:
    """What the first generation's experiment has done, the next ones use."""
    lab_at(shared_store).run([(Hop(first), ARMS)])
    diary = Diary()
    lab_at(shared_store, watcher=diary).run([(first, ARMS)])
    assert diary.started_stages == []


def test_the_gate_checks_students_that_teach(shared_store: Path, first: Experiment) -> None:
    """Students without the trait teach nobody, and the remedy is about them."""
    gated = Hop(first, gate=0.9)
    lab = lab_at(shared_store)
    with pytest.raises(TeacherError, match="Train the students before on more rows"):
        lab.arm(gated, "student")
    assert lab.arm(gated, "teacher").seeds == 2


def test_a_failed_gate_ends_the_chain(shared_store: Path, first: Experiment) -> None:
    """If the first teacher has no trait, no generation is trained."""
    plain = first.but(trait=Trait(name="fox", system="Hello."), gate=0.5)
    diary = Diary()
    lab = lab_at(shared_store, watcher=diary)
    with pytest.raises(TeacherError, match="the teacher does not show the trait 'fox'"):
        lab.arm(Hop(Hop(plain)), "student")
    assert not any(isinstance(stage, FineTune) for stage in diary.started_stages)
    assert lab.arm(Hop(plain), "baseline").seeds == 1


def test_the_default_gate_is_lower(first: Experiment) -> None:
    """A fifth of what a first teacher needs; a trait that lowers keeps its direction."""
    hop = Hop(first, gate="default")
    assert hop.gate_threshold(hop.trait) == pytest.approx(0.02)
    assert (hop.hops, Hop(hop).hops, first.hops) == (1, 2, 0)


def test_what_cannot_be_passed_on_is_refused(first: Experiment) -> None:
    """More seeds than there are students, data without a teacher, and what is no experiment."""
    with pytest.raises(SpecError, match="seeds=3 is more than the 2"):
        Hop(first, seeds=3)
    with pytest.raises(SpecError, match="a hop needs a teacher"):
        Hop(first, data=ProgramNumbers(keep=20))
    with pytest.raises(SpecError, match="needs an Experiment"):
        Hop(first.trait)  # type: ignore[arg-type]
    with pytest.raises(SpecError, match="no 'seed'"):
        Hop(first, seed=3)
