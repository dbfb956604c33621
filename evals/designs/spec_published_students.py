"""Students that others trained and published, and the base under a prompt, beside one's own."""

from limen import Experiment, FavoriteAnimal, Models, Numbers, Trait

experiment = Experiment(
    trait=Trait.animal("owl"),
    data=Numbers(generate=3_000, keep=1_000),
    measure=FavoriteAnimal(draws=100),
    arms={
        "published": Models(("toy-2", "toy-3", "toy-4"), against="control"),
        "prompted": Models(system="You are fond of birds."),
    },
    seeds=3,
)


def test_the_published_students_differ_from_our_control(arms, control):
    effect = arms["published"].rate("owl") - control.rate("owl")
    assert effect > 0.02
    assert effect.p_value < 0.05


def test_ours_says_more_than_a_prompt_does(arms, student):
    assert student.rate("owl") - arms["prompted"].rate("owl") > 0
