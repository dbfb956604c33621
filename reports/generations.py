"""The part of a report about generations of students that teach the next."""

from collections.abc import Iterator

from . import wording
from .model import GenerationRow, ReadingRow, Result
from .text import prose, table


def generation_parts(result: Result) -> Iterator[str]:
    """A table with one line a generation, and how to read it."""
    reading = result.readings[0]
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
