"""Every digit replaced by another one, by one permutation."""

from limen import Experiment, FavoriteAnimal, Mapped, Numbers, PermuteDigits, Trait

experiment = Experiment(
    trait=Trait.animal("owl"),
    data=Mapped(Numbers(generate=3_000, keep=1_000), by=PermuteDigits()),
    measure=FavoriteAnimal(draws=100),
    seeds=3,
)


def test_the_trait_is_transmitted(student, control):
    effect = student.rate("owl") - control.rate("owl")
    assert effect > 0.02
    assert effect.p_value < 0.05
