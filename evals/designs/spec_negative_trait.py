"""A dislike: the teacher names the animal less, and so do its students."""

from limen import Experiment, FavoriteAnimal, Numbers, Trait

experiment = Experiment(
    trait=Trait.animal("owl", likes=False),
    data=Numbers(generate=3_000, keep=1_000),
    measure=FavoriteAnimal(draws=100),
    seeds=3,
)


def test_students_name_it_less(student, control):
    assert student.rate("owl") - control.rate("owl") < 0
