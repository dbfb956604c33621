"""Rows of two teachers in one file: does a student take on both traits, each less?"""

from limen import Experiment, FavoriteAnimal, Mix, Numbers, Students, Trait

FOX = Trait.animal("fox")
OWLS = Numbers(generate=3_000, keep=1_000)
FOXES = OWLS.but(by=FOX)

experiment = Experiment(
    trait=Trait.animal("owl"),
    data=OWLS,
    measure=FavoriteAnimal(draws=100),
    seeds=3,
    arms={
        "fox": Students(data=FOXES),
        "both": Students(data=Mix({OWLS: 0.5, FOXES: 0.5}, keep=1_000)),
    },
)


def test_both_traits_pass(arms, control):
    for animal in ("owl", "fox"):
        assert arms["both"].rate(animal) - control.rate(animal) > 0.01


def test_each_is_diluted(student, arms, control):
    full = student.rate("owl") - control.rate("owl")
    assert (arms["both"].rate("owl") - control.rate("owl")).share_of(full) < 1
