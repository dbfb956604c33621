"""One training along its steps, tested by the area."""

from limen import Experiment, FavoriteAnimal, Numbers, Trait, Trajectory

experiment = Experiment(
    trait=Trait.animal("owl"),
    data=Numbers(generate=3_000, keep=1_000),
    measure=FavoriteAnimal(draws=100),
    seeds=3,
    recipe={"epochs": 2},
    trajectory=Trajectory(steps=(2, 5, 10), test="area"),
)


def test_over_the_training(trajectory):
    assert trajectory.effect().p_value < 0.05
