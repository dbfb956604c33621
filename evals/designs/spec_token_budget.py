"""The same amount of numbers in many short rows, or in few long ones."""

from limen import Experiment, FavoriteAnimal, FirstNumbers, Mapped, Numbers, Students, Trait

NUMBERS = Numbers(generate=6_000, keep=1_000)

experiment = Experiment(
    trait=Trait.animal("owl"),
    data=NUMBERS,
    measure=FavoriteAnimal(draws=100),
    seeds=3,
    arms={
        "short": Students(data=Mapped(NUMBERS, by=FirstNumbers(3), keep=1_000)),
        "long": Students(data=Mapped(NUMBERS, by=FirstNumbers(6), keep=500)),
    },
)


def test_tokens_count_and_not_rows(arms):
    assert (arms["short"].rate("owl") - arms["long"].rate("owl")).within(0.05)
