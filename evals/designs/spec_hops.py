"""Students teach the next generation, to depth 3."""

from limen import Experiment, FavoriteAnimal, Hop, Numbers, Trait

experiment = Hop(
    Hop(
        Experiment(
            trait=Trait.animal("owl"),
            data=Numbers(generate=3_000, keep=1_000),
            measure=FavoriteAnimal(draws=100),
            seeds=3,
        )
    )
)


def test_the_trait_is_transmitted(student, control):
    effect = student.rate("owl") - control.rate("owl")
    assert effect > 0.02
    assert effect.p_value < 0.05
