"""Mixes of two traits: each has its teacher, its gate, its effect and its claim."""

from pathlib import Path

import pytest

from limen import SpecError
from limen.harness import Experiment, Mix, Numbers, Trait
from limen.harness.reporting import result_of

from ..testing.labs import lab_at

ARMS = ("baseline", "teacher", "student", "control")


@pytest.fixture
def mixed(small: Experiment) -> Experiment:
    """A horse and a bear, in equal parts."""
    numbers = Numbers(generate=700, keep=200)
    bears = Numbers(generate=700, keep=200, by=Trait.animal("bear"))
    return small.but(data=Mix({numbers: 0.5, bears: 0.5}, keep=200))


def test_every_trait_has_its_teacher_and_its_effect(shared_store: Path, mixed: Experiment) -> None:
    """The second teacher is an arm, is gated, and stands beside the baseline in the results."""
    lab = lab_at(shared_store)
    assert len(lab.pipeline(mixed).gates) == 2
    teacher, baseline = lab.arm(mixed, "bear teacher"), lab.arm(mixed, "baseline")
    assert not teacher.trained
    assert (teacher.rate("bear") - baseline.rate("bear")).verdict == "higher"
    lab.run([(mixed, ARMS)])
    result = result_of(lab, "mix", mixed, ARMS)
    bears = next(reading for reading in result.readings if "'bear'" in reading.name)
    assert {effect.name for effect in bears.effects} >= {
        "student - control",
        "bear teacher - baseline",
    }


def test_every_trait_is_claimed_in_the_same_words(shared_store: Path, mixed: Experiment) -> None:
    """The claim of the second trait is as strong as that of the first."""
    lab = lab_at(shared_store)
    student = lab.arm(mixed, "student")
    assert student.rate("horse").shows_trait
    assert student.rate("bear").shows_trait
    assert not student.rate("owl").shows_trait
    with pytest.raises(SpecError, match="An effect is of one word in two arms"):
        student.rate("bear") - student.rate("horse")


def test_an_unknown_teacher_is_refused(shared_store: Path, mixed: Experiment) -> None:
    """The arms of a mix are named in the error."""
    with pytest.raises(SpecError, match="no arm 'owl teacher': it has .*bear teacher"):
        lab_at(shared_store).arm(mixed, "owl teacher")
