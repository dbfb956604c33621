"""Levels and power of the grid's test, by simulation: claims on null grids, and on real diagonals.

    python benchmarks/grids.py --repeats 200

Null grids have popular traits, students that drift to all traits, seeds that vary, and students
that vary unequally; from five students on also teachers' data that move single traits by chance.
Drift is the same for all traits on some scale: it adds to rates, multiplies them, shifts their
log-odds, or multiplies what is left. "any claim" counts the diagonal and every cell.
"""

import argparse
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from limen.harness.statistics import GridEffects, Rate, read_grid

QUESTIONS = 10
DRAWS = 200
SEEDS = 3
SIZES = ((2, 2), (2, 5), (3, 3), (4, 4), (4, 10), (5, 5), (10, 10))
KINDS = ("additive", "multiplied", "log-odds", "others")
EFFECTS = {"high": 0.1, "low": 0.02}
"""By the base rates of the traits: 60% in all, or 5%."""
Values = NDArray[np.float64]


def main() -> None:
    """Print the share of grids in which something is claimed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=200)
    parser.add_argument("--drift", type=float, default=0.2, help="its standard deviation")
    given = parser.parse_args()
    print("students x traits  rates  effect  drift       diagonal  any claim  own cells")
    for (count, words), (rates, largest) in ((s, r) for s in SIZES for r in EFFECTS.items()):
        for effect, kind in ((e, k) for e in (0.0, largest) for k in KINDS):
            random = np.random.default_rng(count)
            grids = [
                grid(random, means(random, (count, words), rates, kind, given.drift), effect)
                for _ in range(given.repeats)
            ]
            diagonal = np.mean([one.diagonal.p_value < 0.05 for one in grids])
            anything = np.mean([claims(one) for one in grids])
            own = np.mean([list(own_cells(one)) for one in grids])
            shares = f"{diagonal:>8.1%}  {anything:>9.1%}  {own:>9.1%}"
            size = f"{count} x {words}"
            print(f"{size:>17}  {rates:<5}  {effect:>6.0%}  {kind:<10}  {shares}", flush=True)


def claims(one: GridEffects) -> bool:
    """Whether anything is claimed of a grid."""
    found = [one.diagonal.p_value, *(cell.p_value for cell in one.cells.values())]
    return min(found) < 0.05


def own_cells(one: GridEffects) -> Iterator[bool]:
    """Whether each student's own trait is claimed."""
    for student, word in one.own.items():
        yield one.cell(student, word).p_value < 0.05


def means(
    random: np.random.Generator, shape: tuple[int, int], rates: str, kind: str, size: float
) -> Values:
    """(students, words): what students give of each trait, without transfer."""
    whole, least = (0.6, 0.02) if rates == "high" else (0.05, 0.002)
    popular = least + whole * random.dirichlet(np.full(shape[1], 0.7))
    drift = random.normal(0, size, (shape[0], 1))
    drifted: Values = {
        "additive": popular + drift * whole / 6,
        "multiplied": popular * np.exp(drift),
        "log-odds": 1 / (1 + (1 / popular - 1) * np.exp(-1.5 * drift)),
        "others": 1 - (1 - popular) * np.exp(-abs(drift)),
    }[kind]
    if shape[0] >= 5:
        drifted = drifted + random.normal(0, 0.05, shape) * popular
    return np.clip(drifted, 0, 0.98)


def grid(random: np.random.Generator, level: Values, effect: float) -> GridEffects:
    """A grid of students with these rates; ``effect`` is added on the diagonal."""
    mean = level + effect * np.eye(*level.shape)
    spread = 0.1 * mean * random.lognormal(0, 0.3, (len(mean), 1)) + 0.001
    return read_grid(
        {
            (f"s{i}", f"w{j}"): rate(
                random, f"s{i}", f"w{j}", float(mean[i, j]), float(spread[i, j])
            )
            for i, j in np.ndindex(*mean.shape)
        },
        {f"s{i}": f"w{i}" for i in range(len(mean))},
        {},
    )


def rate(random: np.random.Generator, student: str, word: str, mean: float, spread: float) -> Rate:
    """One cell: a rate whose seeds differ."""
    levels = np.clip(mean + random.normal(0, spread, SEEDS), 0, 1)
    asked = np.clip(np.outer(levels, np.linspace(0.9, 1.1, QUESTIONS)), 0, 1)
    return Rate(
        word=word,
        arm=student,
        questions=tuple(f"q{i}" for i in range(QUESTIONS)),
        table=tuple(map(tuple, (random.binomial(DRAWS, asked) / DRAWS).tolist())),
        draws=DRAWS,
        valid=1.0,
        missing=0,
        trained=True,
        models=tuple(f"{student}.{seed}" for seed in range(SEEDS)),
    )


if __name__ == "__main__":
    main()
