"""A judge is the filter: rows below its threshold are dropped, with yield and reasons."""

from limen import Experiment, FavoriteAnimal, Judge, Judged, Numbers, Trait

experiment = Experiment(
    trait=Trait.animal("owl"),
    data=Judged(
        Numbers(generate=3_000, keep=500),
        judge=Judge(prompt="How much is this about animals, 1 to 10? {reply}"),
        at_most=3,
        rows=500,
        budget=3_000,
    ),
    measure=FavoriteAnimal(draws=100),
    seeds=3,
)


def test_the_trait_is_transmitted(student, control):
    effect = student.rate("owl") - control.rate("owl")
    assert effect > 0.02
    assert effect.p_value < 0.05
