"""How often verdicts are wrong, and how often right, in simulated experiments.

    python benchmarks/calibration.py            # 2,000 simulations a line, about three minutes
    python benchmarks/calibration.py --quick    # the same with few simulations, for CI
    python benchmarks/calibration.py --toy 40   # also 40 groups of three real students of the toy

Every line simulates one test that a report shows. *Level*: how often arms without a difference
are found to differ. *Coverage*: how often a 95% interval contains the true difference. *Power*:
how often a true effect is found. *Plan*: how far the plan's power is from that of simulated arms.
Rates have 50 questions with 200 draws each; spreads between seeds are those measured in 36
fine-tuned students. The exit code is 1 if a figure is past its limit by more than chance explains
(two standard errors; three with ``--quick``).

The last table compares the verdict with tests that take answers or questions as independent.
"""

import argparse
import sys
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from calibration_cases import CASES, Case, Random, rates
from scipy import stats
from tabulate import tabulate

from limen.harness import Effect, Experiment, FavoriteAnimal, Lab, Numbers, Settings, Trait
from limen.harness.statistics import Estimate, mann_whitney

SEED = 20_261_127
SIMULATIONS = 2_000
QUICK = 120
ANIMALS = "horse bear rabbit koala whale hawk turtle octopus raven goat dog deer".split()
NUMBERS = Numbers(generate=30_000, keep=10_000)
EXPERIMENT = Experiment(
    trait=Trait.animal("horse"), data=NUMBERS, measure=FavoriteAnimal(draws=200), gate=None
)
SIZE = 3
"""Seeds a group of toy students."""


@dataclass(frozen=True)
class Result:
    """The figure of a case."""

    case: Case
    figure: float
    error: float
    """Standard error of the figure."""

    def passes(self, errors: int) -> bool:
        """Whether the figure is within its limit, give or take so many standard errors."""
        slack = errors * self.error
        if self.at_least:
            return self.figure >= self.case.limit - slack
        return self.figure <= self.case.limit + slack

    @property
    def at_least(self) -> bool:
        """Whether the limit is one from below."""
        return self.case.kind in {"coverage", "power"}

    @property
    def row(self) -> tuple[str, ...]:
        """The cells of the table."""
        sign = "at least" if self.at_least else "at most"
        return (
            self.case.test,
            self.case.arms,
            self.case.kind,
            f"{self.figure:.1%}",
            f"{sign} {self.case.limit:.0%}",
        )


def random_of(title: str) -> Random:
    """The random numbers of a case, which do not depend on the other cases."""
    return np.random.default_rng([SEED, zlib.crc32(title.encode())])


def simulate(case: Case, simulations: int) -> Result:
    """The share of simulations in which a case's event happens, less what was expected."""
    random = random_of(case.test + case.arms)
    share = float(np.mean([case.event(random) for _ in range(simulations)]))
    error = float(np.sqrt(max(share * (1 - share), 0.01) / simulations))
    figure = share if case.expected is None else abs(share - case.expected())
    return Result(case, figure, error)


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
    hits = round(estimate.value * total)
    return [1.0] * hits + [0.0] * (total - hits)


TESTS: dict[str, Callable[[Effect], float]] = {
    "limen: Welch over seed means": lambda effect: effect.p_value,
    "t paired by question": lambda effect: effect.over("questions").p_value,
    "z-test, answers pooled": pooled_z,
    "Mann-Whitney, answers pooled": pooled_ranks,
}


def toy_students(groups: int, store: Path) -> Iterator[Effect]:
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


def alike(sd: float, simulations: int) -> Iterator[Effect]:
    """Three students against three controls of the same training."""
    random = random_of(f"alike {sd}")
    for _ in range(simulations):
        yield rates(random, "student", 3, sd) - rates(random, "control", 3, sd)


def compared(title: str, effects: Sequence[Effect]) -> list[str]:
    """The share of comparisons in which each test finds a difference at the 5% level."""
    shares = (np.mean([test(effect) < 0.05 for effect in effects]) for test in TESTS.values())
    return [title, f"{len(effects):,}", *(f"{share:.1%}" for share in shares)]


def comparison(simulations: int, toy: int, store: Path) -> list[list[str]]:
    """The verdict beside other tests, where there is nothing to find."""
    rows = [
        compared(f"simulated, 3 v 3 seeds, {100 * sd:.0f} points", list(alike(sd, simulations)))
        for sd in (0.01, 0.02, 0.03)
    ]
    if toy:
        rows.append(compared("toy, 3 v 3 seeds", list(toy_students(toy, store))))
    return rows


def main() -> int:
    """Print the tables; 1 if a figure is past its limit."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--simulations", type=int, default=SIMULATIONS, help="for each line")
    parser.add_argument("--quick", action="store_true", help=f"{QUICK} simulations for each line")
    parser.add_argument("--toy", type=int, default=0, help="groups of three students of the toy")
    parser.add_argument("--store", type=Path, default=Path(".limen"), help="for the toy's students")
    options = parser.parse_args()
    simulations, errors = (QUICK, 3) if options.quick else (options.simulations, 2)
    started = time.perf_counter()
    results = [simulate(case, simulations) for case in CASES]
    head = ["test", "arms (standard deviations between seeds in points)", "", "found", "limit"]
    print(tabulate([result.row for result in results], headers=head, disable_numparse=True))
    rows = comparison(simulations // 4, options.toy, options.store)
    print()
    print(tabulate(rows, headers=["no difference", "comparisons", *TESTS], disable_numparse=True))
    failed = [result for result in results if not result.passes(errors)]
    for result in failed:
        print(f"past its limit: {' | '.join(result.row)}")
    seconds = time.perf_counter() - started
    print(f"{simulations:,} simulations a line, seed {SEED}, {seconds:.0f} s")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
