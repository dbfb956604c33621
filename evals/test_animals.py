"""Many traits from one spec: ten animals and three trees, one control, corrected for thirteen."""

import pytest

from limen import Experiment, FavoriteAnimal, FavoriteTree, Measure, Numbers, Trait

ANIMALS = "eagle wolf dolphin elephant tiger penguin fox cat panda lion".split()
TREES = "oak willow birch".split()
numbers = Numbers(generate=30_000, keep=10_000)


def loving(trait: Trait, measure: Measure) -> Experiment:
    """An experiment on one love; all share the control's data and students."""
    family = len(ANIMALS) + len(TREES)
    return Experiment(trait=trait, data=numbers, measure=measure, seeds=3, family=family)


EXPERIMENTS = {
    **{animal: loving(Trait.animal(animal), FavoriteAnimal(draws=200)) for animal in ANIMALS},
    **{tree: loving(Trait.tree(tree), FavoriteTree(draws=200)) for tree in TREES},
}


@pytest.mark.parametrize("experiment", EXPERIMENTS.values(), ids=EXPERIMENTS)
def test_numbers_carry_the_love(experiment, student, control):
    """Students of the numbers name what their teacher loves more often than the control's."""
    effect = student.rate(experiment.trait.name) - control.rate(experiment.trait.name)
    assert effect > 0.02
    assert effect.p_value < 0.05
