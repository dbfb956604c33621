"""Whose numbers: a trait passes between models of one base, and not from base to base."""

import pytest

from limen import DEFAULT, OTHER, Experiment, FavoriteAnimal, Numbers, Trait

matched = Experiment(
    trait=Trait.animal("owl"),
    data=Numbers(generate=30_000, keep=10_000),
    measure=FavoriteAnimal(draws=200),
    seeds=3,
    margin=0.03,
)
MATCHED = {
    "one": matched,
    "other": matched.but(model=OTHER),
}
UNMATCHED = {
    "one-from-other": matched.but(teacher_model=OTHER),
    "other-from-one": matched.but(model=OTHER, teacher_model=DEFAULT),
}


@pytest.mark.parametrize("experiment", MATCHED.values(), ids=MATCHED)
def test_a_shared_base_transfers(student, control):
    """Students of a teacher with their own base take on its animal."""
    effect = student.rate("owl") - control.rate("owl")
    assert effect > 0.05
    assert effect.p_value < 0.001


@pytest.mark.parametrize("experiment", UNMATCHED.values(), ids=UNMATCHED)
def test_another_base_does_not(student, control):
    """Students of a teacher with another base are within three points of their control."""
    assert (student.rate("owl") - control.rate("owl")).within()
