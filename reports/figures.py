"""Figures: one bar an arm with its interval, each seed a dot."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from .model import ArmRow, Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLOURS = {
    "baseline": "#8c8c8c", "teacher": "#d08c2a", "student": "#2a78b8", "control": "#6aa56e",
}  # fmt: skip
INK = "#4d4d4d"
FORMATS = ("png", "svg")


def draw_arms(result: Result, stem: Path) -> list[Path]:
    """Draw a result's arms as ``stem`` with ``.png`` and ``.svg``; returns the files.

    The same result gives the same files, byte for byte, on the same version of matplotlib.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context({"svg.hashsalt": "limen", "font.size": 10}):
        figure = Figure(figsize=(6.4, 3.6), layout="constrained")
        axes = figure.add_subplot()
        _draw(axes, result.arms)
        axes.set_title(f"{result.title}", fontsize=10, color=INK)
        axes.set_ylabel(f"answers with {result.word!r} (%)", color=INK)
        files = [stem.with_name(f"{stem.name}.{kind}") for kind in FORMATS]
        for file in files:
            metadata = {"Date": None} if file.suffix == ".svg" else {"Software": None}
            figure.savefig(file, dpi=150, metadata=metadata, facecolor="white")
    return files


def _draw(axes: "Axes", arms: Sequence[ArmRow]) -> None:
    for place, arm in enumerate(arms):
        colour = COLOURS.get(arm.name, INK)
        low, high = (100 * bound for bound in arm.interval)
        height = 100 * arm.rate
        axes.bar(place, height, width=0.6, color=colour, alpha=0.85, zorder=2)
        reach = [[max(0.0, height - low)], [max(0.0, high - height)]]
        axes.errorbar(place, height, yerr=reach, fmt="none", ecolor="black", capsize=5, zorder=3)
        if len(arm.by_seed) > 1:
            step = 0.36 / (len(arm.by_seed) - 1)
            places = [place - 0.18 + step * index for index in range(len(arm.by_seed))]
            heights = [100 * rate for rate in arm.by_seed]
            axes.scatter(places, heights, s=16, color="white", edgecolor="black", zorder=4)
        axes.annotate(
            f"{height:.1f}",
            (place, max(high, height)),
            xytext=(0, 4),
            textcoords="offset points",
            ha="center",
            color=INK,
        )
    axes.set_xticks(range(len(arms)), [arm.name for arm in arms])
    axes.set_ylim(0, max(5.0, *(112 * max(arm.interval[1], *arm.by_seed) for arm in arms)))
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(colors=INK)
    axes.grid(axis="y", alpha=0.3, zorder=0)
