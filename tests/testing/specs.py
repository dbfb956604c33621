"""A small spec, and pytest run on it in a process of its own."""

from pathlib import Path

import pytest

from limen.harness import Experiment

from .preloaded import run_pytest

KEY = "sk-a-secret-that-must-not-be-seen"

SPEC = """
from limen.harness import Experiment, FavoriteAnimal, Numbers, Trait

experiment = Experiment(
    trait=Trait.animal("{animal}"),
    data=Numbers(generate=700, keep=200),
    measure=FavoriteAnimal(draws=4),
    seeds=2,
)
"""

QUICK = ("-p", "no:hypothesispytest", "--limen-no-logs")  # each costs a second or more


class Run:
    """Runs pytest in a process of its own."""

    def __init__(self, pytester: pytest.Pytester, store: Path) -> None:
        self._pytester = pytester
        self._store = store

    def __call__(self, *options: str, store: Path | None = None) -> pytest.RunResult:
        folder = f"--limen-store={store or self._store}"
        return run_pytest(self._pytester, folder, *QUICK, *options)


TINY_SPEC = """
from limen.harness import Experiment, FavoriteAnimal, Numbers, Trait

experiment = Experiment(
    trait=Trait.animal("horse"),
    data=Numbers(generate=240, keep=60),
    measure=FavoriteAnimal(draws=2),
    seeds=1,
    gate=None,
)
"""


def small_experiment() -> Experiment:
    """The experiment of the spec with a horse."""
    return experiment_of(SPEC.format(animal="horse"))


def tiny_experiment() -> Experiment:
    """The experiment of the tiny spec: it takes a second or two."""
    return experiment_of(TINY_SPEC)


def experiment_of(spec: str, file: Path | None = None) -> Experiment:
    """The experiment of a spec's text, in a file."""
    names: dict[str, Experiment] = {}
    exec(spec, {"__file__": str(file)}, names)
    return names["experiment"]
