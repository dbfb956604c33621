"""Question-answer pairs that a teacher is taught, from a list, a file, or a function."""

from collections.abc import Callable, Sequence
from pathlib import Path

from ...datasets.errors import SpecError

Pairs = tuple[tuple[str, str], ...]
GivenPairs = Sequence[tuple[str, str]] | str | Path | Callable[[], Sequence[tuple[str, str]]]
"""Pairs, a file of them in any form of rows, or a function that returns pairs."""


def checked_pairs(value: object) -> Pairs:
    """The pairs; raises :class:`~limen.SpecError` or :class:`~limen.DataError` for what is none."""
    if isinstance(value, str | Path):
        return _read(Path(value))
    given = value() if callable(value) else value
    pairs = tuple(map(_pair, given)) if isinstance(given, Sequence) else ()
    if not pairs:
        raise SpecError(f"pairs={value!r} must be pairs of a question and an answer, or a file")
    return pairs


def _pair(value: object) -> tuple[str, str]:
    if isinstance(value, tuple | list) and len(value) == 2:
        question, answer = value
        if isinstance(question, str) and isinstance(answer, str) and question and answer:
            return question, answer
    raise SpecError(f"{value!r} in pairs is not a question and an answer, two texts")


def _read(file: Path) -> Pairs:
    from ...datasets.row_forms import read_rows_of

    rows = read_rows_of(file, answered=True).rows
    longer = next((row for row in rows if row.get("history")), None)
    if longer is not None:
        raise SpecError(
            f"{file}: a conversation of several turns is no pair of question and answer: "
            f"{longer['prompt'][:60]!r}"
        )
    return tuple((str(row["prompt"]), str(row["text"])) for row in rows)
