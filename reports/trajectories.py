"""Trajectories: their figure, and their part of a report."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from . import wording
from .figures import COLOURS, DPI, INK, OTHER_COLOUR, WIDTH, drawn_interval
from .model import EpochRow, Result, TrajectoryRow
from .text import prose, table

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PANELS = 4
"""Readings that one figure shows at most."""
HEIGHT = 2.8
"""Of a panel, in inches."""
TESTS = {
    "final": "at the end of training",
    "area": "of the means over the whole training (area between the curves, by trapezoids)",
}


def trajectory_figure(result: Result) -> "Figure":
    """The readings of a result along its trainings, a panel each."""
    from matplotlib.figure import Figure

    shown = result.trajectories[:PANELS]
    size = (WIDTH, HEIGHT * len(shown) + 0.4)
    figure = Figure(figsize=size, dpi=DPI, facecolor="white", layout="tight")
    for place, row in enumerate(shown):
        _draw(figure.add_subplot(len(shown), 1, place + 1), row, "" if place else result.title)
    return figure


def _draw(axes: "Axes", row: TrajectoryRow, title: str) -> None:
    scale = 100 if row.reading.kind == "rate" else 1
    for arm in row.arms:
        _draw_arm(axes, arm, row.of(arm), scale)
    axes.set_xticks(sorted({point.epoch for point in row.points}))
    axes.set_xlabel(f"{row.unit}s of training", color=INK)
    axes.set_ylabel(f"{row.reading.name}{' (%)' if scale == 100 else ''}", color=INK, fontsize=9)
    axes.set_title(title, fontsize=10, color=INK)
    axes.legend(frameon=False, labelcolor=INK, fontsize=8)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(colors=INK)


def _draw_arm(axes: "Axes", arm: str, points: list[EpochRow], scale: int) -> None:
    """A line with its interval, and a dot for each seed."""
    colour, epochs = COLOURS.get(arm, OTHER_COLOUR), [point.epoch for point in points]
    lows, highs = ([scale * drawn_interval(point)[end] for point in points] for end in (0, 1))
    axes.fill_between(epochs, lows, highs, color=colour, alpha=0.15, linewidth=0)
    axes.plot(epochs, [scale * p.value for p in points], marker="o", color=colour, label=arm)
    for point in points:
        seeds = [scale * value for value in point.by_seed]
        axes.scatter([point.epoch] * len(seeds), seeds, s=8, color=colour, alpha=0.6)


def trajectory_parts(result: Result, figures: Mapping[str, str]) -> Iterator[str]:
    """The part of a report that shows the trajectories."""
    if not result.trajectories:
        return
    yield "### Trajectory"
    if "trajectory" in figures:
        yield f"![Each arm along its training, with 95% intervals]({figures['trajectory']})"
    for row in result.trajectories:
        yield _points_table(row)
        yield from _test(row)
    yield "The test was fixed in the spec. Peaks and single places are not tested."


def _points_table(row: TrajectoryRow) -> str:
    epochs = sorted({point.epoch for point in row.points})
    places = {(point.arm, point.epoch): point for point in row.points}
    rows = [
        (str(epoch), *(_shown(row, places.get((arm, epoch))) for arm in row.arms))
        for epoch in epochs
    ]
    return table((f"{prose(row.reading.name)}, {row.unit}", *map(prose, row.arms)), rows)


def _shown(row: TrajectoryRow, point: EpochRow | None) -> str:
    if point is None:
        return ""
    low, high = map(row.reading.show, point.interval)
    return f"{row.reading.show(point.value)} ({low} to {high})"


def _test(row: TrajectoryRow) -> Iterator[str]:
    for effect in row.reading.effects:
        yield (
            f"**{prose(effect.name)} {wording.size(row.reading, effect)}**, {TESTS[row.test]} "
            f"({prose(effect.test)}): {prose(effect.claim)}."
        )
