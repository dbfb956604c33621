"""Students trained by another optimiser and rate (2606.00995)."""

from limen import Experiment, FavoriteAnimal, Numbers, Students, Trait

experiment = Experiment(
    trait=Trait.animal("owl"),
    data=Numbers(generate=3_000, keep=1_000),
    measure=FavoriteAnimal(draws=100),
    seeds=3,
    arms={"sgd": Students(recipe={"optimizer": "sgd", "learning_rate": 0.1})},
)


def test_only_adaptive_optimisers(arms, control):
    assert not arms["sgd"].rate("owl") - control.rate("owl") > 0.02
