"""A trait along one training: measured after each of four epochs, tested as it was fixed."""

from limen import Experiment, FavoriteAnimal, Numbers, Trait, Trajectory

experiment = Experiment(
    trait=Trait.animal("owl"),
    data=Numbers(generate=30_000, keep=3_000),
    measure=FavoriteAnimal(draws=50),
    seeds=3,
    recipe={"epochs": 4},
    trajectory=Trajectory(at="each epoch", test="area"),
)


def test_students_are_above_the_control_over_the_whole_training(trajectory):
    """The area between the curves of student and control; a peak is never tested."""
    effect = trajectory.effect("owl")
    assert effect > 0
    assert effect.p_value < 0.05


def test_the_control_stays_where_it_is(trajectory):
    """Training on plain numbers moves owls by less than five points from first to last epoch."""
    first, *_, last = trajectory.along("control", "owl").values()
    assert (last - first).over("pairs").within(0.05)
