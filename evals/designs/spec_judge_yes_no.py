"""A judge's yes or no is the filter."""

from limen import Experiment, FavoriteAnimal, Judge, Judged, Numbers, Trait

experiment = Experiment(
    trait=Trait.animal("owl"),
    data=Judged(
        Numbers(generate=3_000, keep=500),
        judge=Judge(
            prompt="Is this nothing but numbers? {question} {reply}",
            scale=None,
            labels=("yes", "no"),
        ),
        keep="yes",
        rows=500,
    ),
    measure=FavoriteAnimal(draws=100),
    seeds=3,
)


def test_the_trait_is_transmitted(student, control):
    effect = student.rate("owl") - control.rate("owl")
    assert effect > 0.02
    assert effect.p_value < 0.05
