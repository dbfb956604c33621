"""Grids on the toy whose students have another initialisation: how many make a claim?

    python benchmarks/null_grids.py [--grids 200] [--first 0] [--traits 5] [--seeds 3]

A student of another initialisation does not take on its teacher's animal, so that each claim is a
false one. Grids are trained anew, each with animals, numbers and questions' draws of its own; one
takes about six seconds of processor time. They alternate between the two bases. A run that was cut
is continued with ``--first``.
"""

import argparse
import random
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from scipy import stats

from limen.harness import FavoriteAnimal, Grid, Lab, Numbers, Settings, Trait
from limen.harness.lab import GridResults

TUNING = "horse bear rabbit koala whale hawk turtle octopus raven goat".split()
"""``evals/`` never asserts anything about these."""
BASES = "toy-1", "toy-2"


def main() -> None:
    """Print each grid's p-values, and the share of grids that make a claim."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--grids", type=int, default=200)
    parser.add_argument("--first", type=int, default=0, help="the number of the first grid")
    parser.add_argument("--traits", type=int, default=5)
    parser.add_argument("--seeds", type=int, default=3)
    given = parser.parse_args()
    diagonals, cells, either = 0, 0, 0
    with tempfile.TemporaryDirectory() as folder:
        for number in range(given.first, given.first + given.grids):
            diagonal, cell = smallest(results(Path(folder), grid_of(number, given)))
            diagonals, cells = diagonals + (diagonal < 0.05), cells + (cell < 0.05)
            either += min(diagonal, cell) < 0.05
            spent = time.process_time()
            print(
                f"{number:3}  p = {diagonal:.3f}, of cells {cell:.3f}  {spent:4.0f} s", flush=True
            )
    interval = stats.binomtest(either, given.grids).proportion_ci(method="wilson")
    print(
        f"{given.grids} null grids of {given.traits} traits x {given.traits} students x "
        f"{given.seeds} seeds: {diagonals} claim the diagonal, {cells} a cell, {either} anything "
        f"({either / given.grids:.1%}, 95% interval {interval.low:.1%} to {interval.high:.1%})"
    )


def grid_of(number: int, given: argparse.Namespace) -> Grid:
    """A grid whose teachers have one base and whose students have the other."""
    chance = random.Random(number)
    return Grid(
        traits=[Trait.animal(animal) for animal in chance.sample(TUNING, given.traits)],
        data=Numbers(generate=1_000, keep=200, seed=number),
        measure=FavoriteAnimal(draws=20, seed=number),
        seeds=given.seeds,
        teacher_model=BASES[number % 2],
        model=BASES[1 - number % 2],
        gate=None,
    )


def results(store: Path, grid: Grid) -> GridResults:
    """The results of a grid that is trained in this process, so that its time is counted."""
    return Lab(Settings(store=store), executor=ThreadPoolExecutor).grid(grid)


def smallest(found: GridResults) -> tuple[float, float]:
    """The p-value of the diagonal, and the smallest of the cells, which Holm corrected."""
    return found.diagonal.p_value, min(cell.p_value for cell in found.cells.values())


if __name__ == "__main__":
    main()
