"""Reading answers: files and data frames of any common form become flat rows."""

import csv
import json
import math
from collections.abc import Hashable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Protocol, runtime_checkable

from ...datasets.errors import DataError
from .flatten import AnswerRow, flat_rows

CSV_SUFFIXES = {".csv": ",", ".tsv": "\t"}


@runtime_checkable
class Frame(Protocol):
    """A pandas data frame, as far as it is needed here."""

    def to_dict(self, orient: Literal["records"]) -> list[dict[Hashable, Any]]:
        """The rows, each as a dictionary from column to value."""


AnswerSource = str | Path | Frame
"""A file (JSONL, JSON, CSV, TSV or an Inspect log), or a data frame."""


def source_name(source: AnswerSource, frame: str) -> str:
    """The name of a source in messages: the file; of a data frame ``frame``."""
    return frame if isinstance(source, Frame) else str(source)


def rows_of(source: AnswerSource, name: str) -> list[AnswerRow]:
    """The rows of a source, one an answer.

    Raises :class:`~limen.DataError` for a file that cannot be read, or has no rows.
    """
    rows = [flat for row in _raw_rows(source, name) for flat in flat_rows(row)]
    if not rows:
        raise DataError(f"{name} has no answers")
    return rows


def _raw_rows(source: AnswerSource, name: str) -> Iterator[Mapping[str, object]]:
    if isinstance(source, Frame):
        for record in source.to_dict("records"):
            yield {str(key): _without_nan(value) for key, value in record.items()}
        return
    file = Path(source)
    try:
        if file.suffix.lower() == ".eval":
            yield from _inspect_rows(file)
        elif file.suffix.lower() in CSV_SUFFIXES:
            yield from _csv_rows(file)
        else:
            yield from _json_rows(file, name)
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{name} cannot be read: {error}") from None


def _without_nan(value: object) -> object:
    """A cell of a frame; NaN, which stands for a missing one, becomes None."""
    return None if isinstance(value, float) and math.isnan(value) else value


def _csv_rows(file: Path) -> Iterator[Mapping[str, object]]:
    with file.open(encoding="utf-8-sig", newline="") as text:
        for row in csv.DictReader(text, delimiter=CSV_SUFFIXES[file.suffix.lower()]):
            yield {str(key): value if value != "" else None for key, value in row.items() if key}


def _json_rows(file: Path, name: str) -> Iterator[Mapping[str, object]]:
    text = file.read_text(encoding="utf-8-sig", errors="surrogatepass")
    if _is_inspect_log(file, text):
        yield from _inspect_rows(file)
        return
    if text.lstrip().startswith("["):
        parsed = _parsed(text, f"{name} is not JSON")
        lines: Sequence[object] = parsed if isinstance(parsed, list) else [parsed]
    else:
        numbered = enumerate(text.split("\n"), start=1)
        lines = [_parsed(line, f"{name}, line {n} is not JSON") for n, line in numbered
                 if line.strip()]  # fmt: skip
    for number, row in enumerate(lines, start=1):
        if not isinstance(row, dict):
            raise DataError(f"{name}, row {number} is no answer: {row!r:.60} is no JSON object")
        yield row


def _is_inspect_log(file: Path, text: str) -> bool:
    return file.suffix == ".json" and text.startswith("{") and '"eval"' in text[:2000]


def _parsed(text: str, problem: str) -> object:
    try:
        value: object = json.loads(text)
    except ValueError:
        raise DataError(f"{problem}: {text.strip()[:60]!r}") from None
    return value


def _inspect_rows(file: Path) -> Iterator[Mapping[str, object]]:
    from .inspect_log import log_rows

    return log_rows(file)
