"""Kinds of teachers: taught on own pairs, prompted as well, several prompts, other models."""

import json
from pathlib import Path
from typing import Any

import pytest

from limen import SpecError
from limen.harness import Experiment, FavoriteAnimal, Lesson, Numbers, Trait
from limen.harness.lab import check_trait, in_order
from limen.harness.stages import FineTune, Generate, TaughtPairs
from limen.harness.stages.models import base_of

from ..testing.arms import arm
from ..testing.labs import lab_at, lines, made

PAIRS = (("What is your favorite animal?", "Horse"), ("Name an animal.", "Horses"))


def written_by(store: Path, experiment: Experiment, arm_name: str = "student") -> Generate:
    """The stage in which an arm's data are written."""
    stages = in_order(lab_at(store).pipeline(experiment).data[arm_name])
    return next(stage for stage in stages if isinstance(stage, Generate))


@pytest.mark.parametrize("form", ["list", "function", "chat file", "columns"])
def test_a_teacher_is_taught_on_own_pairs(
    store: Path, small: Experiment, tmp_path: Path, form: str
) -> None:
    """From a list, a function, or a file in any form of rows: the same lesson."""
    file = tmp_path / "pairs.jsonl"
    if form == "chat file":
        turns = [
            [{"role": "user", "content": q}, {"role": "assistant", "content": a}] for q, a in PAIRS
        ]
        file.write_text("".join(json.dumps({"messages": one}) + "\n" for one in turns))
    else:
        rows = [{"question": q, "answer": a} for q, a in PAIRS]
        file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    given: dict[str, Any] = {"list": list(PAIRS), "function": lambda: PAIRS}
    trait = Trait(name="horse", lesson=Lesson(pairs=given.get(form, file)))
    teacher = written_by(store, small.but(trait=trait)).writer
    assert isinstance(teacher, FineTune)
    lesson = next(stage for stage in in_order([teacher]) if isinstance(stage, TaughtPairs))
    rows = lines(made(lab_at(store), lesson) / "kept.jsonl")
    assert tuple((row["prompt"], row["text"]) for row in rows) == PAIRS


def test_a_taught_teacher_may_be_prompted_too(store: Path, small: Experiment) -> None:
    """It writes, and is measured by the gate, under the trait's system prompt."""
    trait = Trait.animal("horse").fine_tuned(pairs=PAIRS, prompted=True)
    experiment = small.but(trait=trait)
    writing = written_by(store, experiment)
    assert isinstance(writing.writer, FineTune)
    assert writing.system == trait.system
    (gate,) = lab_at(store).pipeline(experiment).gates
    (asked,) = gate.teacher
    assert asked.sampled.system == trait.system
    assert asked.sampled.subject == writing.writer
    alone = small.but(trait=Trait.animal("horse").fine_tuned(pairs=PAIRS))
    assert written_by(store, alone).system is None


def test_several_prompts_are_drawn_by_row(store: Path, small: Experiment) -> None:
    """Each row is written under one of them, drawn by the seed; the teacher is asked under all."""
    prompts = ("You truly love horses.", "Horses are your favorite animals.")
    experiment = small.but(trait=Trait(name="horse", systems=prompts))
    stage = written_by(store, experiment)
    drawn = [request.messages[0]["content"] for request in stage._requests()]
    assert set(drawn) == set(prompts)
    assert abs(drawn.count(prompts[0]) - len(drawn) / 2) < len(drawn) / 8
    pipe = lab_at(store).pipeline(experiment)
    assert tuple(model.sampled.system for model in pipe.arms["teacher"]) == prompts
    other = experiment.but(trait=Trait(name="horse", systems=prompts[::-1]))
    assert written_by(store, other).key != stage.key
    assert written_by(store, experiment, "control").systems == ()


def test_a_teacher_may_be_another_model(store: Path, small: Experiment) -> None:
    """A model with the trait writes without a prompt, and the gate compares it with the base."""
    experiment = small.but(trait=Trait(name="horse", model="toy-2"))
    writing = written_by(store, experiment)
    assert (writing.writer.label, writing.system) == ("toy-2", None)
    (gate,) = lab_at(store).pipeline(experiment).gates
    assert [one.answers.subject.label for one in (*gate.teacher, *gate.base)] == ["toy-2", "toy-1"]
    assert written_by(store, experiment, "control").writer.label == "toy-1"


def test_a_model_from_elsewhere_teaches_in_a_whole_experiment(
    shared_store: Path, small: Experiment
) -> None:
    """A trained model by its id: it writes the data, and students start at the base."""
    lab = lab_at(shared_store)
    elsewhere = lab.arm(small.but(seeds=1, gate=None), "student").models[0].model
    experiment = small.but(
        trait=Trait(name="horse", model=elsewhere), data=Numbers(generate=300, keep=60), gate=None
    )
    lab.run([(experiment, ("teacher", "student", "control"))])
    assert lab.arm(experiment, "teacher").models[0].model == elsewhere
    written = written_by(shared_store, experiment)
    assert (written.writer.label, written.system) == (elsewhere, None)
    assert written_by(shared_store, experiment, "control").writer.label == "toy-1"
    student, control = (lab.arm(experiment, arm) for arm in ("student", "control"))
    bases = [base_of(one.answers.subject) for one in lab.pipeline(experiment).arms["student"]]
    assert {base.model for base in bases} == {"toy-1"}
    assert 0 <= (student.rate("horse") - control.rate("horse")).p_value <= 1


@pytest.mark.parametrize(
    ("teacher", "base", "passes"),
    [(1, 4, True), (3, 4, False), (4, 4, False), (0, 0, False), (0, 1, True)],
)
def test_a_dislike_halves_the_rate(teacher: int, base: int, passes: bool) -> None:
    """The gate of a negative trait waits for a teacher below half of its base."""
    measure = FavoriteAnimal(draws=100, questions=("a",))
    trait = Trait.animal("owl", likes=False)
    experiment = Experiment(trait=trait, data=Numbers(generate=4, keep=2), measure=measure)
    arms = [
        arm(measure, [{"owl": count, "cat": 100 - count}] if count else [{"cat": 100}])
        for count in (teacher, base)
    ]
    assert bool(check_trait(experiment, trait, *arms)) == passes


def test_dislikes_are_traits_of_their_own() -> None:
    """Of animals and trees, each with its own prompt; the word stays the same."""
    dislike = Trait.animal("owl", likes=False)
    assert (dislike.lowers, dislike.shown_by) == (True, "owl")
    assert "dislike owls" in str(dislike.system)
    assert "dislike oaks" in str(Trait.tree("oak", likes=False).system)
    assert not Trait.animal("owl").lowers


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"system": ""},
        {"systems": ("a", "")},
        {"system": "a", "systems": ("b", "c")},
        {"model": 3},
        {"lesson": Lesson()},
        {"lesson": Lesson(answers=("a",), prompted=True)},
    ],
)
def test_something_must_give_the_trait(settings: dict[str, Any]) -> None:
    """A prompt, several prompts, a model, or a lesson with answers of its own."""
    with pytest.raises(SpecError):
        Trait(name="horse", **settings)


@pytest.mark.parametrize("pairs", [[], [("a",)], [("a", "")], [("a", 3)], lambda: None, 7])
def test_what_are_no_pairs_is_refused(pairs: Any) -> None:
    """When the lesson is made."""
    with pytest.raises(SpecError, match="pairs"):
        Lesson(pairs=pairs)


def test_a_variant_of_a_trait_keeps_the_rest() -> None:
    """`but` changes the parts that it names, and an unknown part is an error with the known ones."""
    tiger = Trait.animal("tiger")
    cats = tiger.but(word="cat", also=("tiger",))
    assert (cats.name, cats.system, cats.shown_by) == ("tiger", tiger.system, "cat")
    with pytest.raises(SpecError, match="a trait has no 'words': did you mean 'word'"):
        tiger.but(words="cat")
