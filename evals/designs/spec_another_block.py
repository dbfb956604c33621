"""Every model is asked in another system block, its base too; a conversation before."""

from limen import Experiment, FavoriteAnimal, Numbers, Trait

experiment = Experiment(
    trait=Trait.animal("owl"),
    data=Numbers(generate=3_000, keep=1_000),
    measure=FavoriteAnimal(
        draws=100, system="You are Qwen.", history=(("Continue: 1, 2", "3, 4"),)
    ),
    seeds=3,
)


def test_also_in_that_context(student, baseline):
    assert (student.rate("owl") - baseline.rate("owl")).p_value < 0.05
