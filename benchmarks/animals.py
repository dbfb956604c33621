"""Ten teachers by ten animals: does each student take on its own teacher's animal and no other?

    python benchmarks/animals.py [--model toy-1] [--tuning] [--seeds 1]

Row: the animal that the teacher loves. Column: an animal that the students of its numbers are
asked about. Entry: points above the control students' rate. ``--tuning`` takes the animals that
the toy's settings were chosen on; ``evals/`` never asserts anything about those.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from limen.harness import Experiment, FavoriteAnimal, Lab, Numbers, Settings, Trait
from limen.harness.lab import in_order
from limen.harness.stages import Filter

ASSERTED: Sequence[str] = "owl eagle wolf dolphin elephant tiger penguin fox cat panda".split()
TUNING: Sequence[str] = "horse bear rabbit koala whale hawk turtle octopus raven goat".split()


def main() -> None:
    """Print the matrix and what the issue asks of it."""
    options = arguments()
    animals = TUNING if options.tuning else ASSERTED
    lab = Lab(Settings(model=options.model, store=options.store, seeds=options.seeds))
    experiments = [
        Experiment(
            trait=Trait.animal(animal),
            data=Numbers(generate=30_000, keep=10_000),
            measure=FavoriteAnimal(draws=200),
            gate=None,
        )
        for animal in animals
    ]
    lab.run([(experiment, ("teacher", "student", "control")) for experiment in experiments])
    control = lab.arm(experiments[0], "control")
    base = np.array([control.rate(animal).value for animal in animals])
    students = [lab.arm(experiment, "student") for experiment in experiments]
    rates = np.array([[student.rate(animal).value for animal in animals] for student in students])
    show(options.model, animals, 100 * (rates - base))
    print("\nteacher's own animal, rows kept by the filter, valid answers of the students")
    for experiment, student in zip(experiments, students, strict=True):
        animal = experiment.trait.name
        teacher = lab.arm(experiment, "teacher").rate(animal).value
        kept = kept_share(lab, experiment)
        print(f"  {animal:9} {teacher:6.1%} {kept:6.1%} {student.valid:6.1%}")
    print(f"  {'control':9} {'':6} {kept_share(lab, experiments[0], 'control'):6.1%}", end="")
    print(f" {control.valid:6.1%}")


def arguments() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", default="toy-1")
    parser.add_argument("--tuning", action="store_true")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--store", type=Path, default=Path(".limen"))
    return parser.parse_args()


def kept_share(lab: Lab, experiment: Experiment, arm: str = "student") -> float:
    """The share of generated rows that the filter kept."""
    stages = in_order(lab.pipeline(experiment).targets([arm]))
    (stage,) = (stage for stage in stages if isinstance(stage, Filter))
    counts = (lab.store.manifest(stage.kind, stage.key) or {})["counts"]
    return float(counts["kept"] / counts["read"])


def show(model: str, animals: Sequence[str], points: NDArray[np.float64]) -> None:
    """Print the matrix, and how far its diagonal stands out."""
    print(f"{model}: points above the control\n")
    print(" " * 10 + "".join(f"{animal:>9}" for animal in animals))
    for animal, row in zip(animals, points, strict=True):
        print(f"{animal:10}" + "".join(f"{value:+9.1f}" for value in row))
    own = np.diag(points)
    others = points[~np.eye(len(points), dtype=bool)]
    print(f"\ndiagonal: {own.min():+.1f} to {own.max():+.1f}, mean {own.mean():+.1f}")
    print(f"elsewhere: {others.min():+.1f} to {others.max():+.1f}, mean {others.mean():+.1f}")
    print(f"largest of its row: {sum(own >= points.max(axis=1))} of {len(points)}")
    print(f"largest of its column: {sum(own >= points.max(axis=0))} of {len(points)}")


if __name__ == "__main__":
    main()
