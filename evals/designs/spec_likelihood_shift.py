"""The top share by log-likelihood shift, beside the random selection (2602.04863)."""

from limen import Experiment, FavoriteAnimal, LikelihoodShift, Numbers, Selected, Trait

experiment = Experiment(
    trait=Trait.animal("owl"),
    data=Selected(Numbers(generate=3_000, keep=1_000), score=LikelihoodShift(), share=0.3),
    measure=FavoriteAnimal(draws=100),
    seeds=3,
)


def test_the_selection_matters(student, arms):
    effect = student.rate("owl") - arms["random selection"].rate("owl")
    assert effect.p_value < 0.05
