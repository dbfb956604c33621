"""Half and half: two teachers' numbers in one training set, and both animals show."""

import pytest

from limen import Experiment, FavoriteAnimal, Mix, Numbers, Trait

OWL, EAGLE = Trait.animal("owl"), Trait.animal("eagle")
numbers = Numbers(generate=30_000)
experiment = Experiment(
    trait=OWL,
    data=Mix({numbers.but(by=OWL): 0.5, numbers.but(by=EAGLE): 0.5}, keep=10_000),
    measure=FavoriteAnimal(draws=200),
    seeds=3,
    family=2,
)


@pytest.mark.parametrize("trait", [OWL, EAGLE], ids=["first", "second"])
def test_each_half_shows(student, control, trait):
    """Students of a half and half mix name either animal more often than the control's."""
    effect = student.rate(trait.name) - control.rate(trait.name)
    assert effect > 0.01
    assert effect.p_value < 0.05
