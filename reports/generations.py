"""Generations of students that teach the next: their figure, and their part of a report."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from . import wording
from .figures import COLOURS, DPI, INK, WIDTH
from .model import GenerationRow, ReadingRow, Result
from .text import prose, table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

HEIGHT = 3.0
"""In inches."""


def generation_figure(result: Result) -> "Figure":
    """What the students of each generation show, with their intervals, beside the control's."""
    from matplotlib.figure import Figure

    reading, rows = result.readings[0], result.generations
    scale = 100 if reading.kind == "rate" else 1
    figure = Figure(figsize=(WIDTH, HEIGHT), dpi=DPI, facecolor="white", layout="tight")
    axes = figure.add_subplot()
    places = [row.generation for row in rows]
    lows, highs = ([scale * row.student_interval[end] for row in rows] for end in (0, 1))
    axes.fill_between(places, lows, highs, color=COLOURS["student"], alpha=0.15, linewidth=0)
    shown = {"student": [r.student for r in rows], "control": [r.control for r in rows]}
    for arm, values in shown.items():
        heights = [scale * value for value in values]
        axes.plot(places, heights, marker="o", color=COLOURS[arm], label=arm)
    axes.set_xticks(places)
    axes.set_xlabel("generation of students", color=INK)
    axes.set_ylabel(f"{reading.name}{' (%)' if scale == 100 else ''}", color=INK, fontsize=9)
    axes.set_title(result.title, fontsize=10, color=INK)
    axes.legend(frameon=False, labelcolor=INK, fontsize=8)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(colors=INK)
    return figure


def generation_parts(result: Result, figures: Mapping[str, str]) -> Iterator[str]:
    """The figure, a table with one line a generation, and how to read it."""
    reading = result.readings[0]
    if "generations" in figures:
        described = "Students and control of each generation, with the students' 95% intervals"
        yield f"![{described}]({figures['generations']})"
    head = (
        prose(f"generation: {reading.name}"), "its teachers", "students", "their 95% interval",
        "control", "effect", "its 95% interval", "p-value", "it supports",
    )  # fmt: skip
    yield table(head, [_row(reading, row) for row in result.generations])
    yield (
        "The students of each generation wrote the data of the next, without any prompt: each seed "
        "is a chain of its own, and the control's chain began with a base model without the "
        "trait. Chains share the first generation's data, unless each seed has its own."
    )


def _row(reading: ReadingRow, row: GenerationRow) -> tuple[str, ...]:
    low, high = row.interval
    return (
        str(row.generation),
        reading.show(row.teacher),
        reading.show(row.student),
        f"{reading.show(row.student_interval[0])} to {reading.show(row.student_interval[1])}",
        reading.show(row.control),
        f"{reading.show_difference(row.difference)} {reading.unit}".strip(),
        f"{reading.show_difference(low)} to {reading.show_difference(high)}",
        wording.p_value(row.p_value),
        prose(row.claim),
    )
