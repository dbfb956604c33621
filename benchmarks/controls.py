"""What does not carry the trait, and what may: the controls of the owl experiment.

    python benchmarks/controls.py [--seeds 5]

Each row trains students on other data and compares them with control students whose data went
through the same: the same base, the same shuffle. The effect of the owl experiment itself comes
first; "share" is each effect as a share of that one.

The second table asks the same of ten animals with one student each, so that the animal is the
unit: any training moves the rate of any one animal a little, up or down, and five students of the
same rows move alike, so that the first table's intervals say nothing of another animal.
"""

import argparse
from pathlib import Path

import numpy as np
from scipy import stats

from limen.harness import (
    Effect,
    Experiment,
    FavoriteAnimal,
    Lab,
    Numbers,
    ProgramNumbers,
    Settings,
    Shuffled,
    Trait,
)

NUMBERS = Numbers(generate=30_000, keep=10_000)
OWL = Experiment(
    trait=Trait.animal("owl"), data=NUMBERS, measure=FavoriteAnimal(draws=200), model="toy-1"
)
VARIANTS = {
    "owl numbers": OWL,
    "owl numbers, other initialisation": OWL.but(model="toy-2", teacher_model="toy-1"),
    "shuffled within rows": OWL.but(data=Shuffled(source=NUMBERS, how="within")),
    "shuffled across rows": OWL.but(data=Shuffled(source=NUMBERS, how="across")),
}
ANIMALS = "owl eagle wolf dolphin elephant tiger penguin fox cat panda".split()
PROGRAM = OWL.but(data=ProgramNumbers(keep=10_000))


def main() -> None:
    """Print a row for each variant."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--store", type=Path, default=Path(".limen"))
    options = parser.parse_args()
    lab = Lab(Settings(seeds=options.seeds, store=options.store))
    wanted = [(experiment, ("student", "control")) for experiment in VARIANTS.values()]
    lab.run([*wanted, (PROGRAM, ("student",))])
    effects = {
        name: lab.arm(experiment, "student").rate("owl")
        - lab.arm(experiment, "control").rate("owl")
        for name, experiment in VARIANTS.items()
    }
    program = lab.arm(PROGRAM, "student").rate("owl")
    effects["numbers from a program"] = program - lab.arm(OWL, "control").rate("owl")
    whole = effects["owl numbers"].value
    head = f"{'students trained on':36}{'owl':>7}{'control':>9}{'points':>8}"
    print(f"{head}   95% interval      p   share")
    for name, effect in effects.items():
        show(name, effect, whole)
    over_animals(Lab(Settings(seeds=1, store=options.store)))


def over_animals(lab: Lab) -> None:
    """Print the second table."""
    same = [OWL.but(trait=Trait.animal(animal), gate=None) for animal in ANIMALS]
    other = [experiment.but(model="toy-2", teacher_model="toy-1") for experiment in same]
    lab.run([(experiment, ("student", "control")) for experiment in (*same, *other)])
    program = lab.arm(PROGRAM, "student")
    rows = {
        "own numbers": [difference(lab, experiment) for experiment in same],
        "own numbers, other initialisation": [difference(lab, experiment) for experiment in other],
        "numbers from a program": [
            program.rate(e.trait.name).value - lab.arm(e, "control").rate(e.trait.name).value
            for e in same
        ],
    }
    print(f"\n{'over ten animals':36}{'points':>8}   95% interval   share")
    whole = float(np.mean(rows["own numbers"]))
    for name, values in rows.items():
        middle = float(np.mean(values))
        low, high = stats.t.interval(0.95, len(values) - 1, middle, stats.sem(values))
        print(
            f"{name:36}{100 * middle:+8.1f}   [{100 * low:+5.1f}, {100 * high:+5.1f}]"
            f"  {middle / whole:+6.2f}"
        )


def difference(lab: Lab, experiment: Experiment) -> float:
    """How much more the students name the teacher's animal than the control students do."""
    animal = experiment.trait.name
    student, control = (lab.arm(experiment, arm).rate(animal) for arm in ("student", "control"))
    return student.value - control.value


def show(name: str, effect: Effect, whole: float) -> None:
    """Print one effect."""
    low, high = (100 * bound for bound in effect.interval)
    print(
        f"{name:36}{effect.treated.value:7.1%}{effect.reference.value:9.1%}"
        f"{100 * effect.value:+8.1f}   [{low:+5.1f}, {high:+5.1f}]  {effect.p_value:7.2g}"
        f"  {effect.value / whole:+6.2f}"
    )


if __name__ == "__main__":
    main()
