"""Rows that others released, chosen by columns, with their neutral counterpart."""

from limen import Experiment, FavoriteAnimal, Rows, Trait

experiment = Experiment(
    trait=Trait.animal("owl"),
    data=Rows(
        "released.csv", where="condition=owl", neutral=Rows("released.csv", where="condition=none")
    ),
    measure=FavoriteAnimal(draws=100),
    seeds=3,
)


def test_the_trait_is_transmitted(student, control):
    effect = student.rate("owl") - control.rate("owl")
    assert effect > 0.02
    assert effect.p_value < 0.05
