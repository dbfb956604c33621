"""What does not carry the trait, and what may: the controls of the owl experiment.

    python benchmarks/controls.py [--seeds 5]

Each row trains students on other data and compares them with control students whose data went
through the same: the same base, the same shuffle. The effect of the owl experiment itself comes
first; "share" is each effect as a share of that one.
"""

import argparse
from pathlib import Path

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
