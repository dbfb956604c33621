"""Grids of traits by students: their heat map, and their part of a report."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from . import wording
from .figures import DPI, INK
from .model import GridCellRow, GridRow, Result
from .text import model_name, prose, table

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = "Blues"
DARK = 0.6
"""The share of the largest value from which numbers are white."""
CELL = 0.62
"""The width of a cell, in inches."""
SIGNIFICANT = 0.05


def grid_figure(result: Result) -> "Figure":
    """The heat maps of a result's grids, one below the other."""
    from matplotlib.figure import Figure

    sizes = [(len(grid.words) + 1.0, len(grid.students) + 1.5) for grid in result.grids]
    width = CELL * max(wide for wide, _ in sizes) + 1.6
    height = CELL * sum(high for _, high in sizes) + 0.6
    figure = Figure(figsize=(max(4.0, width), height), dpi=DPI, facecolor="white", layout="tight")
    for place, grid in enumerate(result.grids):
        axes = figure.add_subplot(len(result.grids), 1, place + 1)
        _draw(axes, grid, f"{result.title} {model_name(grid.base)}".strip())
    return figure


def _draw(axes: "Axes", grid: GridRow, title: str) -> None:
    rows = [[cell.value for cell in grid.row(student)] for student in grid.students]
    scale = 100 if grid.reading.kind == "rate" else 1
    largest = max(max(row) for row in rows)
    axes.imshow(rows, cmap=COLOURS, aspect="equal", vmin=min(0.0, *map(min, rows)))
    axes.set_xticks(range(len(grid.words)), grid.words, rotation=40, ha="right")
    axes.set_yticks(range(len(grid.students)), grid.students)
    axes.set_title(title, fontsize=9, color=INK)
    axes.set_ylabel("students of", color=INK)
    axes.tick_params(colors=INK, length=0)
    for y, student in enumerate(grid.students):
        for x, cell in enumerate(grid.row(student)):
            colour = "white" if cell.value > DARK * largest else INK
            shown = f"{scale * cell.value:.1f}{'*' if cell.p_value < SIGNIFICANT else ''}"
            axes.text(x, y, shown, ha="center", va="center", color=colour, fontsize=8)
            if cell.own:
                _frame(axes, x, y)


def _frame(axes: "Axes", x: int, y: int) -> None:
    """Mark the trait of a student's own teacher."""
    from matplotlib.patches import Rectangle

    axes.add_patch(Rectangle((x - 0.5, y - 0.5), 1, 1, fill=False, edgecolor="#d08c2a", lw=1.5))


def grid_parts(result: Result, figures: Mapping[str, str]) -> Iterator[str]:
    """The part of a report that shows the grids."""
    if not result.grids:
        return
    yield "### Grid"
    if "grid" in figures:
        yield f"![Students by traits, own teacher's trait framed]({figures['grid']})"
    for grid in result.grids:
        yield from _grid_parts(grid)
    yield (
        "Each row has the students of one teacher, each column a trait; **bold** is the trait of "
        "their own teacher. The diagonal is their own teacher's trait less other traits, rows and "
        "columns centred first, so that neither generic drift nor a popular trait can make it. "
        "Cells with a star stand out from their row and column, by Holm's method over all cells, "
        "and only where the diagonal does. *Drift* is how much more than the base the students "
        "give the traits of others."
    )


def _grid_parts(grid: GridRow) -> Iterator[str]:
    effect = grid.diagonal
    on = f"On {prose(model_name(grid.base))}: " if grid.base else ""
    yield (
        f"{on}**{prose(effect.name)} {wording.size(grid.reading, effect)}** "
        f"({prose(effect.test)}): {prose(effect.claim)}."
    )
    yield table(("students of", *map(prose, grid.words), "drift"), list(_rows(grid)))
    standing_out = [cell for cell in grid.cells if cell.p_value < SIGNIFICANT]
    if standing_out:
        head = ("students of", "trait", "value", "beyond row and column", "95% interval", "p")
        yield table(head, [_cell_row(grid, cell) for cell in standing_out])


def _rows(grid: GridRow) -> Iterator[tuple[str, ...]]:
    drifts = {effect.name: effect for effect in grid.drift}
    for student in grid.students:
        cells = (_shown(grid, cell) for cell in grid.row(student))
        effect = drifts.get(student)
        drift = f"{wording.difference(grid.reading, effect)}" if effect else ""
        yield (prose(student), *cells, drift)
    if grid.baseline:
        yield ("(base)", *map(grid.reading.show, grid.baseline), "")


def _shown(grid: GridRow, cell: GridCellRow) -> str:
    star = "\\*" if cell.p_value < SIGNIFICANT else ""
    value = f"{grid.reading.show(cell.value)}{star}"
    return f"**{value}**" if cell.own else value


def _cell_row(grid: GridRow, cell: GridCellRow) -> tuple[str, ...]:
    show = grid.reading.show_difference
    return (
        prose(cell.student),
        prose(cell.word),
        grid.reading.show(cell.value),
        show(cell.beyond),
        " to ".join(map(show, cell.interval)),
        wording.p_value(cell.p_value),
    )
