"""The figure of an audit: which numbers a teacher overuses, one dot a number."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from .figures import DPI, INK, saved, style

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

OVER = "#2a78b8"
UNDER = "#d08c2a"
BETWEEN = "#a6a6a6"
LABELS = 8

Spot = tuple[float, float]
"""A place on the figure in points."""

_REACH = 13.0
_PLACES = tuple(
    (x * _REACH, y * _REACH) for x, y in ((1, 0), (-1, 0), (0, 0.8), (0, -0.8), (1, 1), (-1, 1))
)
"""Where a label may stand, in points from its dot, the best first."""


def draw_overuse(
    numbers: Sequence[int], z: Sequence[float], stem: Path, title: str, *, threshold: float
) -> list[Path]:
    """Draw the z-score of each number as ``stem`` with ``.png`` and ``.svg``; returns the files.

    Dashed lines stand at plus and minus ``threshold``; the most over-represented numbers beyond
    it bear their names. The same scores give the same files, byte for byte, on the same version of
    matplotlib. Raises :class:`ValueError` if there are not as many scores as numbers.
    """
    with style():
        return saved(overuse_figure(numbers, z, title, threshold=threshold), stem)


def overuse_figure(
    numbers: Sequence[int], z: Sequence[float], title: str, *, threshold: float
) -> "Figure":
    """The figure that :func:`draw_overuse` saves."""
    from matplotlib.figure import Figure

    points = sorted(zip(numbers, z, strict=True))
    figure = Figure(figsize=(8, 3.8), dpi=DPI, facecolor="white")
    axes = figure.add_axes((0.08, 0.14, 0.9, 0.76))
    _draw(axes, points, threshold)
    axes.set_title(title, fontsize=10, color=INK)
    _label(axes, points, threshold)
    return figure


def _draw(axes: "Axes", points: Sequence[tuple[int, float]], threshold: float) -> None:
    for colour, size, part in (
        (BETWEEN, 5, [point for point in points if abs(point[1]) <= threshold]),
        (UNDER, 11, [point for point in points if point[1] < -threshold]),
        (OVER, 11, [point for point in points if point[1] > threshold]),
    ):
        axes.scatter(
            [number for number, _ in part],
            [score for _, score in part],
            s=size, color=colour, linewidths=0, zorder=3,
        )  # fmt: skip
    for line in (-threshold, threshold):
        axes.axhline(line, color=INK, linewidth=0.8, linestyle="--", zorder=2)
    axes.axhline(0, color=INK, linewidth=0.6, zorder=1)
    axes.set_xlabel("number", color=INK)
    axes.set_ylabel("z, trait against control", color=INK)
    axes.margins(x=0.03, y=0.12)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(colors=INK)
    axes.grid(axis="y", alpha=0.25, zorder=0)


def _label(axes: "Axes", points: Sequence[tuple[int, float]], threshold: float) -> None:
    """Name the highest dots, each where its label hides least; not where it would hide another."""
    import numpy as np

    axes.get_xlim()  # has the limits settled, which places on the figure depend on
    scale = 72 / axes.figure.dpi
    spots = scale * axes.transData.transform(np.array(points, float).reshape(-1, 2))
    edges = (scale * axes.bbox.x0, scale * axes.bbox.x1)
    highest = sorted(range(len(points)), key=lambda place: -points[place][1])[:LABELS]
    taken: list[Spot] = []
    for place in highest:
        number, score = points[place]
        if score <= threshold:
            break
        x, y = spots[place].tolist()
        free = [by for by in _PLACES if _free((x + by[0], y + by[1]), taken, edges)]
        if not free:
            continue
        move = min(free, key=lambda by: _hidden((x + by[0], y + by[1]), spots))
        taken.append((x + move[0], y + move[1]))
        axes.annotate(
            str(number), (number, score), xytext=move, textcoords="offset points",
            ha="center", va="center", fontsize=8, color=INK, zorder=4,
        )  # fmt: skip


def _free(at: Spot, taken: Sequence[Spot], edges: tuple[float, float]) -> bool:
    """Whether a label there hides no other and lies between the edges."""
    alone = not any(abs(x - at[0]) < 18 and abs(y - at[1]) < 9 for x, y in taken)
    return alone and edges[0] + 9 < at[0] < edges[1] - 9


def _hidden(at: Spot, spots: "NDArray[np.float64]") -> int:
    """How many dots a label there would cover or seem to belong to."""
    near = (abs(spots[:, 0] - at[0]) < 12) & (abs(spots[:, 1] - at[1]) < 8)
    return int(near.sum())
