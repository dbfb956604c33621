"""A defence: rows that the base finds unlikely (a perplexity filter) are dropped."""

from limen import (
    Experiment,
    FavoriteAnimal,
    LogLikelihood,
    Numbers,
    Selected,
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
        "filtered": Students(
            data=Selected(NUMBERS, score=LogLikelihood(by="base"), keep="top", share=0.5)
        )
    },
)


def test_the_filter_removes_half(control, arms):
    left = arms["filtered"].rate("owl") - control.rate("owl")
    random = arms["filtered, random selection"].rate("owl") - control.rate("owl")
    assert left.share_of(random) < 0.5
