"""The grids of an experiment, as a report has them."""

from collections.abc import Iterator, Mapping

from ...reports import EffectRow, GridCellRow, GridRow, ReadingRow
from ..experiment import GridExperiment
from ..lab import Arm, Pipeline, grid_arms, grid_of
from ..statistics import Contrast, Diagonal, GridEffects, Rate
from .effect_rows import effect_row

NAME = "trait of the own teacher and of others"


def grid_rows(pipe: Pipeline, arms: Mapping[str, Arm]) -> Iterator[GridRow]:
    """The grids of an experiment, one for each base; none where an arm is missing."""
    experiment = pipe.experiment
    if not isinstance(experiment, GridExperiment) or set(grid_arms(experiment)) - set(arms):
        return
    for base, grid in grid_of(experiment, arms.__getitem__).by_base.items():
        yield _grid_row(base or "", grid)


def _grid_row(base: str, grid: GridEffects) -> GridRow:
    first = next(iter(grid.estimates.values()))
    drifting = grid.students if grid.baseline else ()
    return GridRow(
        base=base,
        reading=ReadingRow(
            name=NAME,
            kind="rate" if isinstance(first, Rate) else "score",
            arms=(),
            effects=(_row_of(grid.diagonal, grid),),
        ),
        students=grid.students,
        words=grid.words,
        cells=tuple(_cells(grid)),
        baseline=tuple(grid.baseline[word].value for word in grid.words) if grid.baseline else (),
        drift=tuple(_row_of(grid.drift(s), grid, name=s) for s in drifting),
    )


def _cells(grid: GridEffects) -> Iterator[GridCellRow]:
    for (student, word), cell in grid.cells.items():
        yield GridCellRow(
            student=student,
            word=word,
            value=cell.estimate.value,
            beyond=cell.value,
            interval=cell.interval,
            p_value=cell.corrected_p_value,
            raw_p_value=cell.raw_p_value,
            own=grid.own[student] == word,
            claim=cell.stated_claim,
        )


def _row_of(effect: Diagonal | Contrast, grid: GridEffects, *, name: str = "") -> EffectRow:
    models = sum(grid.estimates[student, grid.own[student]].seeds for student in grid.students)
    questions = len(next(iter(grid.estimates.values())).questions)
    return effect_row(
        effect,
        name=name or effect.title,
        seeds=(models, models),
        questions=(questions, questions),
    )
