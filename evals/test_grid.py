"""Ten animals by the students of ten teachers: one claim, whose control is all other animals.

The data and students are those of ``test_animals.py``. Drift that all students share, and animals
that any student names, are taken off before the diagonal is tested.
"""

from limen import FavoriteAnimal, Grid, Numbers, Trait

ANIMALS = "eagle wolf dolphin elephant tiger penguin fox cat panda lion".split()
experiment = Grid(
    traits=[Trait.animal(animal) for animal in ANIMALS],
    data=Numbers(generate=30_000, keep=10_000),
    measure=FavoriteAnimal(draws=200),
    seeds=3,
)


def test_students_take_on_their_own_teachers_animal(grid):
    """Students name their own teacher's animal more than other students do."""
    assert grid.diagonal > 0.02
    assert grid.diagonal.p_value < 0.05


def test_transfer_is_more_than_drift(grid):
    """The diagonal is larger than how far all students moved towards others' animals."""
    assert grid.diagonal - grid.drift() > 0
