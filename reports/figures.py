"""Figures: one bar an arm with its interval, each seed a dot."""

from pathlib import Path
from typing import TYPE_CHECKING

from .model import ArmRow, ReadingRow, Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLOURS = {
    "baseline": "#8c8c8c", "teacher": "#d08c2a", "student": "#2a78b8", "control": "#6aa56e",
}  # fmt: skip
FURTHER = "#9467bd"
"""The colour of an experiment's further arms."""
INK = "#4d4d4d"
PANELS = 4
"""Readings that one figure shows at most."""
FORMATS = ("png", "svg")


def draw_arms(result: Result, stem: Path) -> list[Path]:
    """Draw a result's arms, a panel a reading, as ``stem`` with ``.png`` and ``.svg``.

    Returns the files. The same result gives the same files, byte for byte, on the same version of
    matplotlib.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    shown = result.readings[:PANELS]
    crowded = max((len(reading.arms) for reading in shown), default=0) > 5
    height = (4.4 if crowded else 3.2) * max(1, len(shown)) + 0.4
    with mpl.rc_context({"svg.hashsalt": "limen", "font.size": 10}):
        figure = Figure(figsize=(6.4, height), layout="constrained")
        figure.suptitle(result.title, fontsize=10, color=INK)
        for place, reading in enumerate(shown, start=1):
            axes = figure.add_subplot(len(shown), 1, place)
            _draw(axes, reading, crowded=crowded)
        files = [stem.with_name(f"{stem.name}.{kind}") for kind in FORMATS]
        for file in files:
            metadata = {"Date": None} if file.suffix == ".svg" else {"Software": None}
            figure.savefig(file, dpi=150, metadata=metadata, facecolor="white")
    return files


def _draw(axes: "Axes", reading: ReadingRow, *, crowded: bool) -> None:
    scale = 100 if reading.kind == "rate" else 1
    for place, arm in enumerate(reading.arms):
        _draw_arm(axes, place, arm, scale)
    names = [arm.name for arm in reading.arms]
    axes.set_xticks(range(len(names)), names)
    if crowded:
        axes.tick_params(axis="x", labelrotation=25)
        for label in axes.get_xticklabels():
            label.set_horizontalalignment("right")
    tops = [scale * max(arm.interval[1], *arm.by_seed) for arm in reading.arms]
    axes.set_ylim(0, max(5.0 if scale == 100 else 1.0, *(1.12 * top for top in tops)))
    unit = " (%)" if reading.kind == "rate" else ""
    axes.set_ylabel(f"{reading.name}{unit}", color=INK, fontsize=9 if len(reading.name) < 34 else 7)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(colors=INK)
    axes.grid(axis="y", alpha=0.3, zorder=0)


def _draw_arm(axes: "Axes", place: int, arm: ArmRow, scale: int) -> None:
    colour = COLOURS.get(arm.name, FURTHER)
    low, high = (scale * bound for bound in arm.interval)
    height = scale * arm.value
    axes.bar(place, height, width=0.6, color=colour, alpha=0.85, zorder=2)
    reach = [[max(0.0, height - low)], [max(0.0, high - height)]]
    axes.errorbar(place, height, yerr=reach, fmt="none", ecolor="black", capsize=5, zorder=3)
    if len(arm.by_seed) > 1:
        step = 0.36 / (len(arm.by_seed) - 1)
        places = [place - 0.18 + step * index for index in range(len(arm.by_seed))]
        heights = [scale * value for value in arm.by_seed]
        axes.scatter(places, heights, s=16, color="white", edgecolor="black", zorder=4)
    axes.annotate(
        f"{height:.1f}",
        (place, max(high, height)),
        xytext=(0, 4),
        textcoords="offset points",
        ha="center",
        color=INK,
    )
