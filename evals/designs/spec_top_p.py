"""Teachers write, and students answer, within the top share of probability."""

from limen import Experiment, FavoriteAnimal, Numbers, Trait

experiment = Experiment(
    trait=Trait.animal("owl"),
    data=Numbers(generate=3_000, keep=1_000, top_p=0.9, temperature=0.8),
    measure=FavoriteAnimal(draws=100, top_p=0.95),
    seeds=3,
)


def test_the_trait_is_transmitted(student, control):
    effect = student.rate("owl") - control.rate("owl")
    assert effect > 0.02
    assert effect.p_value < 0.05
