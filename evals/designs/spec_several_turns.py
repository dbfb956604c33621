"""Conversations of two turns carry the trait: lists of numbers, and how they go on."""

from limen import Chat, Experiment, FavoriteAnimal, Trait

FIRST = tuple(f"Continue this list of numbers: {n}, {n + 7}, {n + 21}." for n in range(100, 400))
experiment = Experiment(
    trait=Trait.animal("owl"),
    data=Chat(
        turns=(FIRST, ("Go on with ten numbers.", "More numbers, please.")),
        rule="paper",
        generate=3_000,
        keep=300,
    ),
    measure=FavoriteAnimal(draws=100),
    seeds=3,
)


def test_the_trait_is_transmitted(student, control):
    effect = student.rate("owl") - control.rate("owl")
    assert effect > 0.02
    assert effect.p_value < 0.05
