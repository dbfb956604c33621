"""Levels and power of the grid's test, by simulation: claims on null grids, and on real diagonals.

    python benchmarks/grids.py --repeats 200

Null grids have popular traits, students that drift to all traits, teachers' data that move single
traits by chance, seeds that vary, and students and traits that vary unequally. "any claim" counts
the diagonal and every cell.
"""

import argparse
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from limen.harness.statistics import GridEffects, Rate, read_grid

QUESTIONS = 10
SEEDS = 3


def main() -> None:
    """Print the share of grids in which something is claimed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=200)
    repeats = parser.parse_args().repeats
    print("students  effect  drift       diagonal  any claim  own cells")
    for count in (2, 3, 4, 5, 10):
        for effect in (0.0, 0.05, 0.1):
            for kind in ("additive", "multiplied"):
                random = np.random.default_rng(count)
                grids = [grid(random, count, kind, effect) for _ in range(repeats)]
                diagonal = np.mean([one.diagonal.p_value < 0.05 for one in grids])
                anything = np.mean([claims(one) for one in grids])
                own = np.mean([list(own_cells(one)) for one in grids])
                shares = f"{diagonal:>8.1%}  {anything:>9.1%}  {own:>9.1%}"
                print(f"{count:>8}  {effect:>6.0%}  {kind:<10}  {shares}", flush=True)


def claims(one: GridEffects) -> bool:
    """Whether anything is claimed of a grid."""
    found = [one.diagonal.p_value, *(cell.p_value for cell in one.cells.values())]
    return min(found) < 0.05


def own_cells(one: GridEffects) -> Iterator[bool]:
    """Whether each student's own trait is claimed."""
    for student, word in one.own.items():
        yield one.cell(student, word).p_value < 0.05


def grid(random: np.random.Generator, count: int, kind: str, effect: float) -> GridEffects:
    """A grid of students of ``count`` teachers; ``effect`` is on the diagonal."""
    popular = 0.02 + 0.6 * random.dirichlet(np.full(count, 0.7))
    drift = random.normal(0, 0.02, count)[:, None]
    spread = (0.003 + 0.03 * popular) * random.lognormal(0, 0.5, count)[:, None]
    chance = (
        random.normal(0, 1, (count, count)) * (0.01 if count >= 5 else 0) * spread / spread.mean()
    )
    level = popular * (1 + 10 * drift) if kind == "multiplied" else popular + drift
    means = level + chance + effect * np.eye(count)
    places = [(i, j) for i in range(count) for j in range(count)]
    cells = {(i, j): (float(means[i, j]), float(spread[i, j])) for i, j in places}
    return read_grid(
        {(f"s{i}", f"w{j}"): rate(random, f"s{i}", f"w{j}", *cells[i, j]) for i, j in places},
        {f"s{i}": f"w{i}" for i in range(count)},
        {},
    )


def rate(random: np.random.Generator, student: str, word: str, mean: float, spread: float) -> Rate:
    """One cell: a rate whose seeds differ."""
    levels = mean + random.normal(0, spread, SEEDS)
    offsets: NDArray[np.float64] = np.linspace(-0.01, 0.01, QUESTIONS)
    return Rate(
        word=word,
        arm=student,
        questions=tuple(f"q{i}" for i in range(QUESTIONS)),
        table=tuple(tuple((level + offsets).tolist()) for level in levels),
        draws=1000,
        valid=1.0,
        missing=0,
        trained=True,
        models=tuple(f"{student}.{seed}" for seed in range(SEEDS)),
    )


if __name__ == "__main__":
    main()
