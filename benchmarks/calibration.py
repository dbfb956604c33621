"""How often a verdict is wrong where there is nothing to find: A/A comparisons.

    python benchmarks/calibration.py [--groups 40] [--store .limen]

First real ones: control students of the toy, all of the same base and the same kind of data, each
with a seed of its own, in groups of three; two groups at a time are compared as if one were the
students of a trait, on every animal of a list that no experiment asserts. Then simulated ones,
where students differ by their seeds with a standard deviation of one to three points. Beside the
shipped verdict stand the tests that others use: a z-test and a Mann-Whitney test on all answers
pooled, and the t test paired by question, over all seeds together.
"""

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from scipy import stats
from tabulate import tabulate

from limen.harness import Effect, Experiment, FavoriteAnimal, Lab, Numbers, Rate, Settings, Trait
from limen.harness.statistics import Estimate, mann_whitney

ANIMALS = "horse bear rabbit koala whale hawk turtle octopus raven goat dog deer".split()
NUMBERS = Numbers(generate=30_000, keep=10_000)
EXPERIMENT = Experiment(
    trait=Trait.animal("horse"), data=NUMBERS, measure=FavoriteAnimal(draws=200), gate=None
)
SIZE = 3
"""Seeds a group."""
SIMULATED = 1_500
"""Comparisons of each simulated kind."""


def pooled_z(effect: Effect) -> float:
    """The two-proportion z-test on all answers, as if each were independent."""
    a, b = effect.treated, effect.reference
    counts = [len(one.questions) * one.draws * one.seeds for one in (a, b)]
    both = (a.value * counts[0] + b.value * counts[1]) / sum(counts)
    error = np.sqrt(both * (1 - both) * (1 / counts[0] + 1 / counts[1]))
    return float(2 * stats.norm.sf(abs(a.value - b.value) / error)) if error else 1.0


def pooled_ranks(effect: Effect) -> float:
    """Mann-Whitney on all answers, each 0 or 1, as if each were independent."""
    return mann_whitney(_hits(effect.treated), _hits(effect.reference)).p_value


def _hits(estimate: Estimate) -> list[float]:
    total = len(estimate.questions) * estimate.draws * estimate.seeds
    found = round(estimate.value * total)
    return [1.0] * found + [0.0] * (total - found)


def by_question(effect: Effect) -> float:
    """The t test paired by question, on means over seeds."""
    return effect.over("questions").p_value


TESTS: dict[str, Callable[[Effect], float]] = {
    "limen: Welch's t over seed means": lambda effect: effect.p_value,
    "t paired by question": by_question,
    "z-test, all answers pooled": pooled_z,
    "Mann-Whitney, all answers pooled": pooled_ranks,
}


def real(groups: int, store: Path) -> Iterator[Effect]:
    """Control students against control students, none in two comparisons of one animal."""
    lab = Lab(Settings(seeds=groups * SIZE, store=store))
    lab.run([(EXPERIMENT, ["control"])])
    control = lab.arm(EXPERIMENT, "control")
    for first in range(0, groups - 1, 2):
        parts = [
            replace(control, models=control.models[g * SIZE : (g + 1) * SIZE])
            for g in (first, first + 1)
        ]
        for animal in ANIMALS:
            a, b = (part.rate(animal) for part in parts)
            yield replace(a, arm="student") - b


def simulated(spread: float, seeds: int) -> Iterator[Effect]:
    """Arms of one true rate; each question has its own, which all models share."""
    random = np.random.default_rng([round(1000 * spread), seeds])
    for _ in range(SIMULATED):
        questions = random.normal(0, 0.05, 50)
        yield _arm("student", random, spread, seeds, questions) - _arm(
            "control", random, spread, seeds, questions
        )


def _arm(
    name: str, random: np.random.Generator, spread: float, seeds: int, questions: np.ndarray
) -> Rate:
    levels = 0.2 + random.normal(0, spread, (seeds, 1)) + questions
    table = random.binomial(200, levels.clip(0, 1)) / 200
    return Rate(
        word="horse",
        arm=name,
        questions=tuple(map(str, range(50))),
        table=tuple(map(tuple, table.tolist())),
        draws=200,
        valid=1.0,
        missing=0,
        trained=True,
    )


def row(title: str, effects: Sequence[Effect]) -> list[str]:
    """The share of comparisons that each test finds a difference in, at the 5% level."""
    shares = (np.mean([test(effect) < 0.05 for effect in effects]) for test in TESTS.values())
    return [title, f"{len(effects):,}", *(f"{share:.1%}" for share in shares)]


def main() -> int:
    """Print the table; fail if the shipped verdict is wrong too often."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--groups", type=int, default=40, help="Groups of three control students.")
    parser.add_argument("--store", type=Path, default=Path(".limen"))
    options = parser.parse_args()
    rows = [row(f"toy, {SIZE} v {SIZE} seeds", list(real(options.groups, options.store)))]
    for spread in (0.01, 0.02, 0.03):
        for seeds in (3, 5, 8):
            title = f"simulated, {seeds} v {seeds} seeds, sd {100 * spread:.0f} points"
            rows.append(row(title, list(simulated(spread, seeds))))
    print(tabulate(rows, headers=["A/A", "comparisons", *TESTS], disable_numparse=True))
    shares = [float(cells[2].removesuffix("%")) for cells in rows]
    return int(shares[0] > 7 or max(shares[1:]) > 6)


if __name__ == "__main__":
    sys.exit(main())
