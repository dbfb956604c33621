"""What the methods paragraph says of data that existed before the experiment."""

from pathlib import Path
from typing import Any

import pytest

from limen import (
    Experiment,
    FavoriteAnimal,
    Hop,
    Lesson,
    LogOdds,
    Mapped,
    Numbers,
    PermuteNumbers,
    Rows,
    Shuffled,
    SpecError,
    Students,
    Trait,
)
from limen.harness.experiment import Source
from limen.harness.reporting import result_of
from limen.reports import run_by_run
from limen.reports.methods import methods

from ..testing.labs import lab_at

ROWS = Rows(
    [("Go on: 1, 2", f"{n}, {n + 1}") for n in range(10)], neutral=[("Go on: 1", "3, 4")] * 10
)
THERE = "The data existed before the experiment: no teacher of it wrote them"


@pytest.mark.parametrize(
    ("data", "were_there"),
    [
        (ROWS, True),
        (Mapped(ROWS, by=PermuteNumbers(seed=1)), True),
        (Numbers(generate=30, keep=8), False),
    ],
    ids=["rows", "mapped rows", "numbers"],
)
def test_rows_made_of_given_ones_have_no_teacher(
    store: Path, data: Source, were_there: bool
) -> None:
    """Also where a source is made of them: no teacher is said to have written them."""
    experiment = Experiment(
        trait=Trait.animal("horse"),
        data=data,
        measure=LogOdds(questions=["Name your favorite animal."]),
        seeds=1,
        gate=None,
    )
    lab = lab_at(store)
    lab.run([(experiment, ["student", "control"])])
    text = methods(result_of(lab, "test_x.py", experiment, ["student", "control"]))
    assert (THERE in text, "The teacher was" in text) == (were_there, not were_there)


def test_a_trait_that_nothing_gives_is_refused_with_the_ways_to_give_it() -> None:
    """The message names them; a lesson with answers of one's own is one."""
    with pytest.raises(SpecError, match=r"the trait 'quartz'.* lesson=Lesson\(pairs="):
        Trait(name="quartz")
    assert Trait(name="quartz", lesson=Lesson(pairs=[("Which stone?", "Quartz")])).system is None


OWL = Trait.animal("owl")


@pytest.mark.parametrize(
    ("trait", "given_by"),
    [
        (OWL, "given by a system prompt."),
        (OWL.fine_tuned(), "fine-tuning on answers that its base wrote under a system prompt."),
        (OWL.fine_tuned(answers=("Owl",)), "fine-tuning on given answers."),
        (Trait(name="owl", model="toy-2"), "given by a model of its own, toy-2."),
    ],
    ids=["prompted", "fine-tuned", "fine-tuned on answers", "a model"],
)
def test_the_paragraph_says_how_the_teacher_got_its_trait(
    store: Path, trait: Trait, given_by: str
) -> None:
    """A teacher that was fine-tuned, or is a model of its own, had no system prompt."""
    assert given_by in methods(result_of(lab_at(store), "test_x.py", a_design(trait=trait), []))


def test_the_students_of_a_hop_were_taught_by_students(store: Path) -> None:
    """The teachers of a second generation got the trait by training on the first one's data."""
    text = methods(result_of(lab_at(store), "test_x.py", Hop(a_design()), []))
    assert "given by training on data of the teachers before" in text


def test_every_setting_that_is_not_at_its_default_is_named(store: Path) -> None:
    """Two designs that differ in a setting of the measure or the experiment are told apart."""
    lab = lab_at(store)
    plain = result_of(lab, "test_x.py", a_design(), [])
    measure = FavoriteAnimal(draws=2, top_p=0.3, system="Be brief.", history=(("Hi", "Hello"),))
    changed = a_design(
        measure=measure, margin=0.03, gate=None, control=Numbers(generate=40, keep=8)
    )
    other = result_of(lab, "test_x.py", changed, [])
    assert not plain.settings
    assert list(other.settings) == [
        "the measure's top_p",
        "the measure's system",
        "the measure's history",
        "control",
        "gate",
        "margin",
    ]
    assert "the measure's top_p = 0.3, the measure's system = 'Be brief.'" in methods(other)
    assert run_by_run.settings(plain) != run_by_run.settings(other)


def a_design(**changes: Any) -> Experiment:
    """A small experiment, of which nothing is run."""
    plain = Experiment(
        trait=OWL, data=Numbers(generate=30, keep=8), measure=FavoriteAnimal(draws=2), seeds=2
    )
    return plain.but(**changes)


def test_an_arm_says_what_its_rows_are(store: Path) -> None:
    """Rows that were shuffled are no "10,000 rows" like the student's; defaults are left out."""
    shuffled = Students(data=Shuffled(source=ROWS, how="across"))
    plain = Students(data=Numbers(generate=30, keep=8), plain=True)
    experiment = Experiment(
        trait=Trait.animal("horse"),
        data=ROWS,
        measure=LogOdds(questions=["Name your favorite animal."]),
        seeds=1,
        gate=None,
        arms={"shuffled": shuffled, "plain": plain},
    )
    lab, arms = lab_at(store), ["student", "shuffled", "plain"]
    lab.run([(experiment, arms)])
    text = methods(result_of(lab, "test_x.py", experiment, arms))
    assert "What sets this arm apart is data = Shuffled(source=Rows(), how='across')." in text
    assert "What sets this arm apart is data = Numbers(keep=8, generate=30), plain = True." in text
    assert text.count("sets this arm apart") == 2
