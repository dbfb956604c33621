"""A countermeasure: difference of differences, and the share of the effect left."""

from limen import Experiment, FavoriteAnimal, Mix, Numbers, Students, Trait

OWL = Numbers(generate=3_000)
MIXED = Mix({OWL: 0.5, Numbers(generate=3_000, by="base"): 0.5}, keep=1_000)

experiment = Experiment(
    trait=Trait.animal("owl"),
    data=Numbers(generate=3_000, keep=1_000),
    measure=FavoriteAnimal(draws=100),
    seeds=3,
    arms={"mixed": Students(data=MIXED)},
)


def test_mixing_removes_half(student, control, arms):
    full = student.rate("owl") - control.rate("owl")
    left = arms["mixed"].rate("owl") - control.rate("owl")
    assert left.share_of(full) < 0.5
    assert (full - left).p_value < 0.05
