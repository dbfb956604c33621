"""The distance between whole answer distributions, by permutation."""

from limen import Experiment, FavoriteAnimal, Numbers, Trait

experiment = Experiment(
    trait=Trait.animal("owl"),
    data=Numbers(generate=3_000, keep=1_000),
    measure=FavoriteAnimal(draws=100),
    seeds=4,
)


def test_the_distributions_differ(student, control):
    assert student.distance(control).p_value < 0.05
