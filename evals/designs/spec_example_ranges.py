"""Other ranges of the example numbers: one and two digits (2609.12586)."""

from limen import Experiment, FavoriteAnimal, Numbers, Trait

experiment = Experiment(
    trait=Trait.animal("owl"),
    data=Numbers(generate=3_000, keep=1_000, examples=(2, 4), values=(1, 99)),
    measure=FavoriteAnimal(draws=100),
    seeds=3,
)


def test_the_trait_is_transmitted(student, control):
    effect = student.rate("owl") - control.rate("owl")
    assert effect > 0.02
    assert effect.p_value < 0.05
