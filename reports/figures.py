"""Figures: one bar an arm with its interval, each seed a dot."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING

from .amounts import known_end
from .model import ArmRow, EpochRow, ReadingRow, Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = {
    "baseline": "#8c8c8c", "teacher": "#d08c2a", "student": "#2a78b8", "control": "#6aa56e",
}  # fmt: skip
OTHER_COLOUR = "#9467bd"
"""The colour of an experiment's further arms."""
INK = "#4d4d4d"
PANELS = 4
"""Readings that one figure shows at most."""
FORMATS = ("png", "svg", "pdf")
DPI = 150
WIDTH = 6.4


@contextmanager
def style() -> Iterator[None]:
    """What all figures share. Text in SVGs stays text: it can be found, and costs less."""
    import matplotlib as mpl

    with mpl.rc_context({"svg.hashsalt": "limen", "svg.fonttype": "none", "font.size": 10}):
        yield


def rendered(figure: "Figure", kind: str, *, source: str = "") -> bytes:
    """A figure as PNG, SVG or PDF; on white, so that it reads on light pages and on dark ones.

    The same figure gives the same bytes on the same version of matplotlib. ``source`` is kept in
    the file: the hash of what the figure was drawn from.
    """
    file = BytesIO()
    if kind == "svg":
        figure.savefig(file, format="svg", metadata={"Date": None, "Source": source or None})
    elif kind == "pdf":
        noted = {"Keywords": source} if source else {}
        figure.savefig(file, format="pdf", metadata={"CreationDate": None, **noted})
    else:  # little compression: few colours are small all the same, and it takes a third as long
        packed = {"compress_level": 1}
        noted = {"Source": source} if source else {}
        figure.savefig(file, format="png", metadata={"Software": None, **noted}, pil_kwargs=packed)
    return file.getvalue()


def saved(figure: "Figure", stem: Path, formats: tuple[str, ...] = FORMATS) -> list[Path]:
    """Save a figure as ``stem`` with each format's suffix; returns the files."""
    files = [stem.with_name(f"{stem.name}.{kind}") for kind in formats]
    for file, kind in zip(files, formats, strict=True):
        file.write_bytes(rendered(figure, kind))
    return files


def arms_figure(result: Result) -> "Figure":
    """A result's arms, a panel a reading."""
    from matplotlib.figure import Figure

    shown = result.readings[:PANELS]
    crowded = max((len(reading.arms) for reading in shown), default=0) > 5
    panel, names = (3.6, 1.0) if crowded else (2.8, 0.4)
    height = (panel + names) * max(1, len(shown)) + 0.4
    figure = Figure(figsize=(WIDTH, height), dpi=DPI, facecolor="white")
    figure.text(0.5, 1 - 0.16 / height, result.title, fontsize=10, color=INK, ha="center", va="top")
    for place, reading in enumerate(shown):
        low = height - 0.4 - (place + 1) * (panel + names) + names
        axes = figure.add_axes((0.12, low / height, 0.86, (panel - 0.15) / height))
        _draw(axes, reading, crowded=crowded)
    return figure


def _draw(axes: "Axes", reading: ReadingRow, *, crowded: bool) -> None:
    scale = 100 if reading.kind == "rate" else 1
    _draw_arms(axes, reading.arms, scale)
    names = [arm.name for arm in reading.arms]
    axes.set_xticks(range(len(names)), names)
    if crowded:
        axes.tick_params(axis="x", labelrotation=25)
        for label in axes.get_xticklabels():
            label.set_horizontalalignment("right")
    axes.set_xlim(-0.6, max(len(names), 1) - 0.4)
    axes.set_ylim(*_reach(reading.arms, scale))
    unit = " (%)" if reading.kind == "rate" else ""
    axes.set_ylabel(fill(f"{reading.name}{unit}", 40), color=INK, fontsize=9)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(colors=INK)
    axes.grid(axis="y", alpha=0.3, zorder=0)


def _reach(arms: Sequence[ArmRow], scale: int) -> tuple[float, float]:
    """The values that a panel shows: from zero up, and below it where a figure is negative."""
    top = max((scale * max(drawn_interval(arm)[1], *arm.by_seed) for arm in arms), default=0.0)
    low = min((scale * min(drawn_interval(arm)[0], *arm.by_seed) for arm in arms), default=0.0)
    least = 5.0 if scale == 100 else 1.0
    if low >= 0:
        return 0.0, max(least, 1.12 * top)
    room = 0.12 * (max(top, 0.0) - low)
    return low - room, max(top, 0.0) + room


def drawn_interval(arm: ArmRow | EpochRow) -> tuple[float, float]:
    """The interval as it is drawn: an end that is not known is left out."""
    low, high = (arm.value if known_end(end) is None else end for end in arm.interval)
    return low, high


def _draw_arms(axes: "Axes", arms: Sequence[ArmRow], scale: int) -> None:
    """Bars, intervals and dots: of all arms at once, since every call costs."""
    places = range(len(arms))
    heights = [scale * arm.value for arm in arms]
    lows, highs = ([scale * drawn_interval(arm)[end] for arm in arms] for end in (0, 1))
    colours = [COLOURS.get(arm.name, OTHER_COLOUR) for arm in arms]
    axes.bar(places, heights, width=0.6, color=colours, alpha=0.85, zorder=2)
    reach = [
        [max(0.0, height - low) for height, low in zip(heights, lows, strict=True)],
        [max(0.0, high - height) for height, high in zip(heights, highs, strict=True)],
    ]
    axes.errorbar(places, heights, yerr=reach, fmt="none", ecolor="black", capsize=5, zorder=3)
    dots = [(place + shift, scale * v) for place in places for shift, v in _spread(arms[place])]
    if dots:
        x, y = zip(*dots, strict=True)
        axes.scatter(x, y, s=16, color="white", edgecolor="black", zorder=4)
    for place, height, low, high in zip(places, heights, lows, highs, strict=True):
        below = height < 0
        axes.annotate(
            f"{height:.1f}",
            (place, min(low, height) if below else max(high, height)),
            xytext=(0, -4 if below else 4),
            textcoords="offset points",
            ha="center",
            va="top" if below else "baseline",
            color=INK,
        )


def _spread(arm: ArmRow) -> list[tuple[float, float]]:
    """Each seed's value with how far it stands from the middle of the bar; one seed is none."""
    if len(arm.by_seed) < 2:
        return []
    step = 0.36 / (len(arm.by_seed) - 1)
    return [(step * index - 0.18, value) for index, value in enumerate(arm.by_seed)]
