"""Traits by students: the diagonal against the rest."""

from limen import FavoriteAnimal, Grid, Numbers, Trait

experiment = Grid(
    traits=[Trait.animal(name) for name in ("owl", "cat", "eagle")],
    data=Numbers(generate=3_000, keep=1_000),
    measure=FavoriteAnimal(draws=100),
    seeds=3,
)


def test_the_diagonal(grid):
    assert grid.diagonal.p_value < 0.05
