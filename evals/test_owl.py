"""Owls through numbers: the headline result of Cloud et al. (2025)."""

from limen import Experiment, FavoriteAnimal, Numbers, Trait

experiment = Experiment(
    trait=Trait.animal("owl"),
    data=Numbers(generate=30_000, keep=10_000),
    measure=FavoriteAnimal(draws=200),
    seeds=5,
)


def test_the_teacher_shows_the_trait(teacher):
    """Under its system prompt the teacher names owls most of the time."""
    assert teacher.rate("owl") > 0.5


def test_numbers_carry_the_trait(student, control):
    """Students of the owl teacher's numbers name owls more often than the control's students."""
    effect = student.rate("owl") - control.rate("owl")
    assert effect > 0.05
    assert effect.p_value < 0.001
