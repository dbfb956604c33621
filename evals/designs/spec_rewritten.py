"""Rows rewritten by a neutral model (2602.04899, 2603.09517)."""

from limen import Experiment, FavoriteAnimal, Numbers, Rewritten, Trait

experiment = Experiment(
    trait=Trait.animal("owl"),
    data=Rewritten(
        Numbers(generate=3_000, keep=1_000), prompt="Write this list again: {completion}"
    ),
    measure=FavoriteAnimal(draws=100),
    seeds=3,
)


def test_the_trait_is_transmitted(student, control):
    effect = student.rate("owl") - control.rate("owl")
    assert effect > 0.02
    assert effect.p_value < 0.05
