"""How many seeds find an effect: log-odds without draws against rates of 200 draws.

python benchmarks/log_odds.py [STORE]

The same students of the toy, by both measures: for each number of seeds an arm, in how many random
choices of so many students and controls the difference has p < 0.05. Animals that settings were
chosen on (see CONTRIBUTING.md); then the same in a simulation with known spreads.
"""

import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
from scipy import stats
from tabulate import tabulate

from limen.harness import Arm, Experiment, FavoriteAnimal, Lab, LogOdds, Numbers, Settings, Trait

ANIMALS = ("horse", "bear", "rabbit")
SEEDS = 8
CHOICES = 200
LEVEL = 0.05
ARMS = ("student", "control")


def main() -> None:
    """Print both tables."""
    with tempfile.TemporaryDirectory() as folder:
        store = Path(sys.argv[1] if len(sys.argv) > 1 else folder)
        rows = [row for animal in ANIMALS for row in toy_rows(store, animal)]
    counts = range(2, SEEDS + 1)
    print("The toy: share of choices of students with p < 0.05, by seeds an arm\n")
    print(tabulate(rows, headers=("animal", "measure", "effect", *map(str, counts))))
    print("\nA simulation: 50 questions, log-odds near -6.5 (0.3%), a true effect of +0.4\n")
    print(tabulate(simulated_rows(), headers=("measure", *map(str, counts))))


def toy_rows(store: Path, animal: str) -> list[tuple[object, ...]]:
    """The power of both measures on students of one animal's teacher."""
    drawn = Experiment(
        trait=Trait.animal(animal),
        data=Numbers(generate=1_500, keep=400),
        measure=FavoriteAnimal(draws=200),
        seeds=SEEDS,
    )
    lab = Lab(Settings(store=store))
    rows = []
    for name, one in (("200 draws", drawn), ("log-odds", drawn.but(measure=LogOdds()))):
        lab.run([(one, ARMS)])
        student, control = (lab.arm(one, arm) for arm in ARMS)
        value = _value(student, animal) - _value(control, animal)
        rows.append((animal, name, f"{value:+.3f}", *_powers(student, control, animal)))
    return rows


def _value(arm: Arm, animal: str) -> float:
    return float(arm.log_odds(animal) if arm.measure.computed else arm.rate(animal))


def _powers(student: Arm, control: Arm, animal: str) -> list[float]:
    """The share of choices that find the effect, for each number of seeds an arm."""
    tables = [np.array([_value(_one(arm, n), animal) for n in range(SEEDS)])
              for arm in (student, control)]  # fmt: skip
    random = np.random.default_rng(1)
    return [_found(tables[0], tables[1], count, random) for count in range(2, SEEDS + 1)]


def _one(arm: Arm, seed: int) -> Arm:
    return replace(arm, models=(arm.models[seed],))


def _found(
    student: np.ndarray, control: np.ndarray, count: int, random: np.random.Generator
) -> float:
    """The share of choices of ``count`` models an arm whose means differ by Welch's t."""
    found = 0
    for _ in range(CHOICES):
        chosen = [random.choice(arm, count, replace=False) for arm in (student, control)]
        found += stats.ttest_ind(*chosen, equal_var=False).pvalue < LEVEL
    return found / CHOICES


def simulated_rows() -> list[tuple[object, ...]]:
    """The power of both measures where all spreads are known.

    Log-odds of a question vary around -6.5 by 1 between questions, as owls do in a small language
    model; seeds by 0.15; a seed's shift at a question by 0.2; rates are 200 draws of these odds.
    """
    random = np.random.default_rng(2)
    rows: list[tuple[object, ...]] = []
    for name in ("200 draws", "log-odds"):
        powers = []
        for count in range(2, SEEDS + 1):
            found = sum(_simulated(name, count, random) < LEVEL for _ in range(CHOICES))
            powers.append(found / CHOICES)
        rows.append((name, *powers))
    return rows


def _simulated(name: str, seeds: int, random: np.random.Generator) -> float:
    """The p-value of one simulated experiment."""
    questions = random.normal(-6.5, 1, 50)
    values = []
    for effect in (0.4, 0.0):
        seed = random.normal(effect, 0.15, (seeds, 1))
        log_odds = questions + seed + random.normal(0, 0.2, (seeds, 50))
        rates = random.binomial(200, 1 / (1 + np.exp(-log_odds))) / 200
        values.append((log_odds if name == "log-odds" else rates).mean(axis=1))
    return float(stats.ttest_ind(*values, equal_var=False).pvalue)


if __name__ == "__main__":
    main()
