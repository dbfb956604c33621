"""From finished arms to the grid of an experiment whose arms are a grid's students."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ...datasets.errors import SpecError
from ..experiment import GridExperiment, Trait
from ..statistics import Contrast, Diagonal, GridCell, GridEffects, read_grid
from .arms import Arm


@dataclass(frozen=True)
class GridResults:
    """A finished grid, as tests see it; of several bases, a grid for each."""

    by_base: Mapping[str | None, GridEffects]

    def on(self, base: str) -> GridEffects:
        """The grid of the students of one base."""
        if base not in self.by_base:
            known = ", ".join(repr(each) for each in self.by_base if each is not None) or "none"
            raise SpecError(f"the grid has no base {base!r}: bases={known}")
        return self.by_base[base]

    @property
    def effects(self) -> GridEffects:
        """The grid, if it has one base."""
        if len(self.by_base) > 1:
            raise SpecError(
                f"the grid has several bases: take one, as in grid.on({next(iter(self.by_base))!r})"
            )
        return next(iter(self.by_base.values()))

    @property
    def diagonal(self) -> Diagonal:
        """Whether students take on their own teacher's trait more than other traits."""
        return self.effects.diagonal

    def cell(self, student: str, word: str) -> GridCell:
        """One student on one trait: see :meth:`GridEffects.cell`."""
        return self.effects.cell(student, word)

    @property
    def cells(self) -> dict[tuple[str, str], GridCell]:
        """All cells, by student and word, corrected by Holm's method."""
        return self.effects.cells

    def drift(self, student: str | None = None) -> Contrast:
        """How much more than the base a student gives the traits of others."""
        return self.effects.drift(student)

    def __repr__(self) -> str:
        return "; ".join(
            f"{base}: {effects!r}" if base else repr(effects)
            for base, effects in self.by_base.items()
        )


def grid_arms(experiment: GridExperiment) -> list[str]:
    """The arms that a grid is read from: its students, and the base if all have the same."""
    alone = ["baseline"] if set(experiment.grids) == {None} else []
    return [*alone, *(name for arms in experiment.grids.values() for name in arms)]


def grid_of(experiment: GridExperiment, arm: Callable[[str], Arm]) -> GridResults:
    """The grid of an experiment, from its finished arms."""
    base = arm("baseline") if "baseline" in grid_arms(experiment) else None
    return GridResults(
        {
            name: _effects(experiment, {one: arm(one) for one in students}, students, base)
            for name, students in experiment.grids.items()
        }
    )


def _effects(
    experiment: GridExperiment,
    arms: Mapping[str, Arm],
    students: Mapping[str, Trait],
    base: Arm | None,
) -> GridEffects:
    words = [trait.shown_by for trait in experiment.columns]
    readings = {word: experiment.measure.readings([word])[0] for word in words}
    return read_grid(
        {(name, word): arm.read(readings[word]) for name, arm in arms.items() for word in words},
        {name: trait.shown_by for name, trait in students.items()},
        {} if base is None else {word: base.read(readings[word]) for word in words},
    )
