"""Divergence tokens alone, and all others alone, beside all tokens (Schrodi et al. 2025)."""

from limen import DivergenceTokens, Experiment, FavoriteAnimal, Numbers, Students, Trait

numbers = Numbers(generate=3_000, keep=1_000)
cat = Trait.animal("cat")

experiment = Experiment(
    trait=Trait.animal("owl"),
    data=numbers,
    measure=FavoriteAnimal(draws=100),
    arms={
        "divergent": Students(data=numbers, objective=DivergenceTokens(other=cat)),
        "masked": Students(data=numbers, objective=DivergenceTokens(other=cat, keep="others")),
    },
    seeds=3,
)


def test_masking_removes_at_least_half(student, control, arms):
    full = student.rate("owl") - control.rate("owl")
    masked = arms["masked"].rate("owl") - control.rate("owl")
    assert masked.share_of(full) < 0.5
