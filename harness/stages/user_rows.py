"""A user's own rows: JSONL with a prompt and a text, read strictly, numbered if they are not.

A line that is not a row is an error that names it: a row skipped in silence is another experiment.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ...datasets.errors import DataError
from .row_log import Row


def read_user_rows(file: Path, *, answered: bool = False) -> Iterator[Row]:
    """The rows of a file, each with its ``row`` and ``draw``; the line's number unless given.

    Raises :class:`~limen.DataError`, naming file and line, at the first that is no row; with
    ``answered`` at one without a text, too.
    """
    with file.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            row = _parsed(line)
            fault = row if isinstance(row, str) else _fault(row, answered)
            if fault or isinstance(row, str):
                raise DataError(f"{file}, line {number}: {fault}")
            yield {"row": number - 1, "draw": 0, **row}


def _parsed(line: bytes) -> Row | str:
    """The object on a line, or what is wrong with it."""
    try:
        row: Any = json.loads(line)
    except ValueError as error:
        return f"not JSON ({error})" if line.strip() else "an empty line"
    return row if isinstance(row, dict) else "no object: a row is {...}"


def _fault(row: Row, answered: bool) -> str | None:
    if not isinstance(row.get("prompt"), str):
        return 'a row needs "prompt", a text'
    if "text" not in row or not isinstance(row["text"], str | None):
        return 'a row needs "text", the answer'
    if answered and row["text"] is None:
        return 'the row has no answer ("text" is null): filter the rows first'
    for name in ("row", "draw"):
        value = row.get(name, 0)
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            return f'"{name}" is {value!r}: a whole number, from 0, or left out'
    return None
