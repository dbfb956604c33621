"""Several prompts of one trait; teachers of another base as a control."""

from limen import OTHER, Experiment, FavoriteAnimal, Numbers, Students, Trait

experiment = Experiment(
    trait=Trait(name="owl", systems=("You love owls.", "Owls are your favorite animals.")),
    data=Numbers(generate=3_000, keep=1_000),
    measure=FavoriteAnimal(draws=100),
    seeds=3,
    arms={
        "other": Students(model=OTHER, against="other control"),
        "other control": Students(model=OTHER, plain=True),
    },
)


def test_only_within_one_base(student, control, arms):
    assert (student.rate("owl") - control.rate("owl")).p_value < 0.05
    assert not arms["other"].rate("owl") - arms["other control"].rate("owl") > 0.02
