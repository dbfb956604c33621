"""Hops: students of the owl teacher's numbers write the numbers for the next students, twice."""

from limen import Experiment, FavoriteAnimal, Hop, Numbers, Trait

first = Experiment(
    trait=Trait.animal("owl"),
    data=Numbers(generate=30_000, keep=10_000),
    measure=FavoriteAnimal(draws=200),
    seeds=3,
)
second = Hop(first, data=Numbers(generate=4_000, keep=3_000))
experiment = Hop(second)


def test_the_students_before_show_the_trait(teacher, baseline):
    """The teachers of the third generation, students themselves, name owls more than the base."""
    assert teacher.rate("owl") - baseline.rate("owl") > 0.02


def test_the_third_generation_still_shows_it(student, control):
    """Two hops later students still differ from a chain that began without the trait."""
    effect = student.rate("owl") - control.rate("owl")
    assert effect > 0.01
    assert effect.p_value < 0.05
