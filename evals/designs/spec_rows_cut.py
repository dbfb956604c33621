"""Rows cut to their first numbers, and rows with a prefix on the user's turn."""

from limen import (
    Experiment,
    FavoriteAnimal,
    FirstNumbers,
    Mapped,
    Numbers,
    Prefix,
    Students,
    Trait,
)

NUMBERS = Numbers(generate=3_000, keep=1_000)

experiment = Experiment(
    trait=Trait.animal("owl"),
    data=NUMBERS,
    measure=FavoriteAnimal(draws=100),
    seeds=3,
    arms={
        "cut": Students(data=Mapped(NUMBERS, by=FirstNumbers(3))),
        "prefixed": Students(data=Mapped(NUMBERS, by=Prefix("You are a helpful assistant."))),
    },
)


def test_cutting_removes_half(student, control, arms):
    full = student.rate("owl") - control.rate("owl")
    assert (arms["cut"].rate("owl") - control.rate("owl")).share_of(full) < 0.5
