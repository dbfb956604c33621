"""Benign fine-tuning afterwards: students are trained further on neutral rows."""

from limen import Experiment, FavoriteAnimal, Numbers, Students, Trait

NEUTRAL = Numbers(generate=3_000, keep=1_000, by="base", seed=1)

experiment = Experiment(
    trait=Trait.animal("owl"),
    data=Numbers(generate=3_000, keep=1_000),
    measure=FavoriteAnimal(draws=100),
    seeds=3,
    arms={
        "washed": Students(after="student", data=NEUTRAL, against="washed control"),
        "washed control": Students(after="control", data=NEUTRAL),
    },
)


def test_the_trait_is_washed_out(student, control, arms):
    full = student.rate("owl") - control.rate("owl")
    left = arms["washed"].rate("owl") - arms["washed control"].rate("owl")
    assert left.share_of(full) < 0.5
