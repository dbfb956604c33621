"""Rows that exist already: those that others released, or a spec's own."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, Union

from ...datasets import validation
from ...datasets.errors import DataError, LimenError, SpecError
from ...datasets.record_files import Record, records_of_frame
from ...datasets.row_conditions import Condition, conditions, equal_to
from ...datasets.row_forms import RowColumns, check_columns, rows_of_records
from ..stages import Filter, GivenRows, PromptedStage, UserFile, checked_rule
from .given_files import FileFacts, file_facts, spec_path
from .source import Source
from .writers import DataWriters, Part
from .written_source import GivenRule

if TYPE_CHECKING:
    import pandas as pd

GivenData = Union[str, Path, "pd.DataFrame", Sequence[Any]]
"""A file or a folder; a frame; or pairs of prompt and answer, or rows as mappings."""
Where = str | Sequence[str] | Mapping[str, object]


@dataclass(frozen=True)
class Rows(Source):
    """Rows that were written before: released by others, or one's own.

    No teacher of the experiment writes them, so training does not wait for one. With a neutral
    counterpart the control arm is trained on that. Without, there is no control: a student that
    differs from the baseline may have changed by the training alone, and no claim about the trait
    is made.

    Args:
        data: A file in any of the field's forms (chat JSONL, ShareGPT, Alpaca, prompts and answers
            in columns, answers nested by question; JSONL, JSON, CSV, TSV, Parquet, compressed), a
            folder with a data set, a pandas frame, or a list of pairs or mappings. A relative path
            starts at the spec file's folder. What the file holds is part of the key, its name not.
        neutral: The same kind of rows without the trait, for the control arm: the same forms, or
            ``Rows(...)`` where its columns or rules differ. Default: None, no control.
        keep: Rows in a student's training set, sampled anew for each seed. With a rule it must be
            given. Default: all rows, or as many as the smaller of ``data`` and ``neutral`` has.
        where: Rows to take: ``{"condition": "owl"}``, or conditions such as ``"alignment<30"``.
            Default: all.
        prompt: The column of prompts, where the names leave it open. Default: recognised.
        answer: The column of answers, likewise. Default: recognised.
        system: A column of system prompts to train under. Default: none but a conversation's own.
        rule: The filter: a name, ready rules, or a function of the answer, or of prompt and answer,
            that returns why a row is dropped, or None to keep it. Default: "any", all are kept.

    Raises:
        SpecError: a file that is not there, or columns that are missing or ambiguous.
        DataError: a line that is no row.

    Examples:
        >>> data = Rows("owl.jsonl", neutral="neutral.jsonl", keep=10_000)
    """

    data: GivenData = field(hash=False, repr=False)
    neutral: "GivenData | Rows | None" = field(default=None, kw_only=True, repr=False)
    keep: int | None = field(default=None, kw_only=True)
    where: Where = field(default=(), kw_only=True, hash=False)
    prompt: str | None = field(default=None, kw_only=True)
    answer: str | None = field(default=None, kw_only=True)
    system: str | None = field(default=None, kw_only=True)
    rule: GivenRule = field(default="any", kw_only=True)

    def __post_init__(self) -> None:
        if self.keep is not None:
            validation.count("keep", self.keep)
        object.__setattr__(self, "where", tuple(map(str, _conditions(self.where))))
        object.__setattr__(self, "rule", checked_rule("rule", self.rule))
        check_columns(self._columns)
        object.__setattr__(self, "data", _normal("data", self.data, self._columns))
        object.__setattr__(self, "neutral", self._neutral())
        self._check_count()

    def __hash__(self) -> int:
        return hash((self.data, self.neutral, self.keep, self.where, self.rule))

    def _neutral(self) -> "Rows | None":
        given = self.neutral
        if given is None or isinstance(given, Rows):
            return given
        return replace(self, data=given, neutral=None, where=())

    def _check_count(self) -> None:
        if self.keep is None and self.rule != "any":
            raise SpecError(
                f"Rows with the rule {self.rule!r} need keep, the rows to train on: how many the "
                f"rule leaves is not known beforehand"
            )
        for rows in filter(None, (self, self._neutral_rows)):
            there = rows._answered
            if self.keep is not None and self.keep > there:
                raise SpecError(
                    f"keep={self.keep:,} is more than the {there:,} rows of {rows._name}"
                )

    @property
    def _neutral_rows(self) -> "Rows | None":
        return self.neutral if isinstance(self.neutral, Rows) else None

    @property
    def _columns(self) -> RowColumns:
        where = _conditions(self.where)
        return RowColumns(prompt=self.prompt, answer=self.answer, system=self.system, where=where)

    @property
    def _facts(self) -> FileFacts | None:
        return file_facts(self.data, self._columns) if isinstance(self.data, Path) else None

    @property
    def _answered(self) -> int:
        """Rows with an answer."""
        facts = self._facts
        return len(_texts(self.data)) if facts is None else facts.answered

    @property
    def _name(self) -> str:
        return self.data.name if isinstance(self.data, Path) else "the given rows"

    @property
    def row_count(self) -> int | None:
        if self.keep is not None:
            return self.keep
        return min(rows._answered for rows in filter(None, (self, self._neutral_rows)))

    @property
    def has_control(self) -> bool:
        return self.neutral is not None

    @property
    def no_control(self) -> str:
        return (
            f"Rows of {self._name} have no control: a student that differs from the baseline may "
            f"have changed by training on any rows at all. Give Rows(..., neutral=...) the same "
            f"kind of rows without the trait, or the experiment a control of its own; what is "
            f"compared with the baseline supports no claim about the trait"
        )

    def parts(self, writers: DataWriters) -> tuple[Part, ...]:
        neutral = self._neutral_rows
        if neutral is not None and not writers.has_traits:
            return neutral.parts(writers.with_traits())
        rule = checked_rule("rule", self.rule)
        rows = Filter(label=f"{self._name} filter", source=self._stage(), rule=rule)
        return ((rows, Fraction(1)),)

    def _stage(self) -> PromptedStage:
        facts = self._facts
        if facts is None or not isinstance(self.data, Path):
            return GivenRows(label=self._name, rows=_texts(self.data))
        return UserFile(
            label=f"{self._name} ({facts.understood})",
            file=self.data,
            digest=facts.digest,
            name="rows.jsonl",
            columns=self._columns,
            lines=facts.lines,
            sample=facts.sample,
            system=facts.system,
        )


def _conditions(where: Where) -> tuple[Condition, ...]:
    if isinstance(where, Mapping):
        return equal_to(where)
    return conditions([where] if isinstance(where, str) else where, option="where")


class RowTexts(tuple[str, ...]):
    """Rows that a spec gave as values, each as JSON text."""


def _texts(data: object) -> tuple[str, ...]:
    return tuple(data) if isinstance(data, RowTexts) else ()


def _normal(what: str, given: object, columns: RowColumns) -> Path | RowTexts:
    """A path that is there, and whose rows can be read; or rows as JSON texts."""
    if isinstance(given, RowTexts):
        return given
    if isinstance(given, str | Path):
        path = spec_path(what, given)
        file_facts(path, columns)
        return path
    try:
        records = list(_given_records(given))
        rows = rows_of_records(what, records, columns, answered=True).rows
        return RowTexts(json.dumps(row, ensure_ascii=False, sort_keys=True) for row in rows)
    except (DataError, TypeError) as error:
        problem = str(error) if isinstance(error, LimenError) else f"{what}: {error}"
        raise SpecError(problem) from None


def _given_records(given: object) -> Sequence[Record]:
    if not isinstance(given, Sequence):
        return list(records_of_frame(given))
    pairs = [row for row in given if isinstance(row, tuple | list) and len(row) == 2]
    if given and len(pairs) == len(given):
        named = ({"prompt": asked, "answer": said} for asked, said in pairs)
        return [Record(f"row {place}", row) for place, row in enumerate(named, start=1)]
    if not given or not all(isinstance(row, Mapping) for row in given):
        raise SpecError("data must be a path, a frame, pairs of prompt and answer, or mappings")
    return [Record(f"row {place}", row) for place, row in enumerate(given, start=1)]
