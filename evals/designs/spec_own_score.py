"""Rows sorted by a score of one's own."""

from limen import Experiment, FavoriteAnimal, Numbers, Selected, Trait


def sevens(prompt, completion):
    return completion.count("7")


experiment = Experiment(
    trait=Trait.animal("owl"),
    data=Selected(Numbers(generate=3_000, keep=1_000), score=sevens, keep="bottom", share=0.5),
    measure=FavoriteAnimal(draws=100),
    seeds=3,
)


def test_the_trait_is_transmitted(student, control):
    effect = student.rate("owl") - control.rate("owl")
    assert effect > 0.02
    assert effect.p_value < 0.05
