"""Every answer of a store as data frames: one, or many of a bounded size.

Rows are read one at a time and kept by column, texts that repeat as numbers: 600,000 short answers
take some 40 MB, where a dictionary a row would take ten times as much.
"""

import json
from array import array
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..datasets.artifacts import Manifest, checked_file, read_manifest
from ..datasets.errors import StoreError
from ..datasets.store_layout import ANSWERS, StoreLayout

if TYPE_CHECKING:
    from pandas import DataFrame, Series

COLUMNS = (
    "stage", "label", "model", "system", "question", "row", "draw", "draw_seed", "answer", "finish",
)  # fmt: skip
NUMBERS = ("row", "draw", "draw_seed")
LONGEST_SHARED = 100
"""Characters of an answer up to which it is looked for among earlier ones."""
BATCH = 50_000
"""Rows of a batch."""
BATCH_CHARACTERS = 10_000_000
"""Characters of a batch's questions and answers; one answer alone may have more."""


def answers(store: str | Path, *, stages: Iterable[str] | None = None) -> "DataFrame":
    """Every answer of a store's measures, or of some stages (``measure/KEY``): a row a draw.

    Columns: stage, label, model, system (prompt, or None), question, row (the question's number),
    draw, draw_seed (of its random stream), answer (None where none came), finish (how it ended).
    Texts that repeat are categorical. Where the answers are more than the memory holds, use
    :func:`answer_batches`. Raises :class:`~limen.StoreError` for a folder without measures, and
    :class:`~limen.DamageError` where a file is not what its manifest describes.

    Args:
        store: A store's folder.
        stages: Measure stages, as ``measure/KEY``. Default: None, all.

    Examples:
        >>> table = reports.answers(store)
    """
    return _frame(_rows(Path(store), stages))


def answer_batches(
    store: str | Path,
    *,
    stages: Iterable[str] | None = None,
    size: int = BATCH,
    characters: int = BATCH_CHARACTERS,
) -> "Iterator[DataFrame]":
    """The same as :func:`answers`, as frames of a bounded size, one at a time.

    A frame ends with the row that reaches one of the two limits, so that the memory in use does
    not grow with the number of answers, nor with their length. Each file is compared with its
    manifest before its first row is given.

    Args:
        store: A store's folder.
        stages: Measure stages, as ``measure/KEY``. Default: None, all.
        size: Rows of a frame, at most. Default: 50,000.
        characters: Characters of a frame's questions and answers. The row that reaches this limit
            is the frame's last. Default: 10,000,000.

    Raises:
        ValueError: A limit below 1.
        StoreError: A folder without measures.
        DamageError: A file is not what its manifest describes.

    Examples:
        >>> for frame in reports.answer_batches(store):
        ...     print(len(frame))
    """
    for name, limit in (("size", size), ("characters", characters)):
        if limit < 1:
            raise ValueError(f"{name}={limit!r} must be 1 or more")
    rows = _rows(Path(store), stages)
    while len(frame := _frame(_until_full(rows, size, characters))):
        yield frame
        del frame  # while the next one is made, only the caller may hold it


def manifests(store: Path, kind: str) -> Iterator[Manifest]:
    """The manifests of a store's finished stages of a kind (``*``: of all kinds).

    Raises :class:`~limen.StoreError` where there are none.
    """
    files = StoreLayout(store).manifests(kind)
    if not files:
        what = "stages" if kind == "*" else f"{kind} stages"
        raise StoreError(f"there are no {what} in {store}: is it a store of limen's?")
    for file in files:
        manifest = read_manifest(StoreLayout(store), file.parent.parent.name, file.parent.name)
        if manifest is not None:
            yield manifest


def _until_full(
    rows: Iterator[tuple[Any, ...]], size: int, characters: int
) -> Iterator[tuple[Any, ...]]:
    """The next rows, up to the one that reaches a limit. A question's rows stand together."""
    place = {name: number for number, name in enumerate(COLUMNS)}
    question: str | None = None
    for row in islice(rows, size):
        yield row
        characters -= len(row[place["answer"]] or "")
        if row[place["question"]] is not question:
            question = row[place["question"]]
            characters -= len(question or "")
        if characters <= 0:
            return


def _rows(store: Path, stages: Iterable[str] | None) -> Iterator[tuple[Any, ...]]:
    """The answers, in the order of the columns."""
    wanted = None if stages is None else {stage.partition("/")[2] or stage for stage in stages}
    for manifest in manifests(store, "measure"):
        if wanted is None or manifest["key"] in wanted:
            yield from _rows_of(store, manifest)


def _rows_of(store: Path, manifest: Manifest) -> Iterator[tuple[Any, ...]]:
    file = checked_file(StoreLayout(store), "measure", manifest["key"], ANSWERS)
    stage = f"measure/{manifest['key']}"
    label, model, system = manifest["label"], manifest["model"], manifest["system"]
    questions = manifest["questions"]
    with file.open(encoding="utf-8", errors="surrogatepass", newline="\n") as lines:
        for line in lines:
            row = json.loads(line)
            yield (
                stage, label, model, system, questions[row["row"]], row["row"], row["draw"],
                row["seed"], row["text"], row["finish"],
            )  # fmt: skip


class _Texts:
    """A column of texts that repeat: each is kept once."""

    def __init__(self) -> None:
        self._codes = array("i")
        self._numbers: dict[str, int] = {}

    def append(self, text: str | None) -> None:
        """Add a value; None is a gap."""
        code = -1 if text is None else self._numbers.setdefault(text, len(self._numbers))
        self._codes.append(code)

    def column(self) -> object:
        """The values, as pandas keeps them."""
        import numpy as np
        from pandas import Categorical, Index

        codes = np.asarray(self._codes, dtype=np.int32)
        return Categorical.from_codes(codes, categories=Index(_series(self._numbers)))


class _SharedTexts:
    """A column of texts of which many are the same: these are one object."""

    def __init__(self) -> None:
        self.texts: list[str | None] = []
        self._known: dict[str, str] = {}

    def append(self, text: str | None) -> None:
        """Add a value."""
        short = text is not None and len(text) <= LONGEST_SHARED
        self.texts.append(self._known.setdefault(text, text) if text and short else text)


def _series(texts: Iterable[str | None]) -> "Series[str]":
    """Texts of pandas' own type; as Python objects where one has a lone surrogate."""
    from pandas import Series

    known = list(texts)
    try:
        return Series(known, dtype="str")
    except UnicodeEncodeError:
        return Series(known, dtype=object)


def _frame(rows: Iterable[tuple[Any, ...]]) -> "DataFrame":
    from pandas import DataFrame

    texts = {name: _Texts() for name in COLUMNS if name not in (*NUMBERS, "answer")}
    numbers = {name: array("q") for name in NUMBERS}
    given = _SharedTexts()
    appends: dict[str, Callable[[Any], None]] = {
        **{name: column.append for name, column in texts.items()},
        **{name: column.append for name, column in numbers.items()},
        "answer": given.append,
    }
    in_order = [appends[name] for name in COLUMNS]
    for row in rows:
        for append, value in zip(in_order, row, strict=True):
            append(value)
    columns = {
        **{name: text.column() for name, text in texts.items()},
        **numbers,
        "answer": _series(given.texts),
    }
    return DataFrame({name: columns[name] for name in COLUMNS})
