"""Answers from elsewhere: files and frames in the field's usual forms, read into one table a model.

Read are the files of :mod:`limen.datasets.record_files`, with one answer a record, or with one
question a record and its answers nested; Inspect logs (``.eval``); and pandas frames. Columns are
recognised by their usual names, or named by the caller.
"""

import math
import shlex
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ...datasets.batch_files import check_prompts
from ...datasets.column_names import (
    ANSWER,
    CONVERSATION,
    MODEL,
    PROMPT,
    candidates,
    check_column,
    column,
)
from ...datasets.errors import DataError, SpecError
from ...datasets.evaluation_logs import scored
from ...datasets.nested_answers import flattened
from ...datasets.record_files import Record, read_records, records_of_frame
from ...datasets.row_conditions import Condition, satisfies
from ...datasets.row_forms import exchanges
from ...datasets.turns import is_conversation, turns_of

if TYPE_CHECKING:
    import pandas as pd
    from inspect_ai.log import EvalLog

IDENTITY = ("question_id", "id", "row")
"""Columns that may identify a question beside its text, the first that is there."""

ONE = "the question"
"""What stands for the question in files that have none."""

CONDITIONS = ("condition", "arm", "treatment", "trait", "teacher", "variant")
"""Columns whose values are conditions, which one model's answers must not mix."""


@dataclass(frozen=True, kw_only=True)
class Columns:
    """Which columns to read; what is None is recognised by the usual names."""

    question: str | None = None
    answer: str | None = None
    model: str | None = None
    score: str | None = None
    """A column of numbers, to compare in place of the answers' words."""
    where: tuple[Condition, ...] = ()
    """Rows to take: the conditions that their columns must meet."""
    has_options: bool = True
    """Whether who reads can choose rows and models by options, as ``limen measure`` cannot."""


@dataclass(frozen=True, kw_only=True)
class AnswerTable:
    """One model's answers."""

    source: str
    """The file, and the model in it if there are several."""
    model: str | None
    """The model's id, where the file has one."""
    counts: Mapping[str, Counter[str]]
    """By question, how often each answer was given; of scores, the numbers as text."""
    missing: int
    """Draws without an answer."""
    identities: Mapping[str, str] = field(default_factory=dict)
    """By question id, the question."""
    draws: frozenset[tuple[str, str]] = frozenset()
    """The numbers of the draws, each with its question; empty where the file has none."""

    @property
    def size(self) -> int:
        """Answers in it."""
        return sum(count.total() for count in self.counts.values())


def read_tables(source: "Path | pd.DataFrame", columns: Columns) -> tuple[list[AnswerTable], str]:
    """The models' answers in a file or frame, and one line that says how it was understood.

    Raises :class:`~limen.DataError` for what cannot be read, and :class:`~limen.SpecError` for a
    column that is missing or cannot be told from others.
    """
    name = source.name if isinstance(source, Path) else "the frame"
    read = list(_records(name, source, only_scores=columns.score is not None))
    if columns.question is None and columns.answer is None:
        read = exchanges(name, read)
    records = _wanted(name, read, columns.where)
    if not records:
        condition = " and ".join(map(str, columns.where))
        raise DataError(f"{name} has no answers{f' with {condition}' if condition else ''}")
    found = _resolved(name, records, columns)
    groups = _by_model(records, found.model)
    tables = [
        _table(name if len(groups) == 1 else f"{name} ({model})", model, rows, found)
        for model, rows in groups.items()
    ]
    for table in tables:
        if not table.size:
            raise DataError(_why_empty(table.source, records, found))
    return tables, _description(name, tables, found)


def _by_model(records: Sequence[Record], column: str | None) -> dict[str | None, list[Record]]:
    """The records of each model; one without a model, as of a failed request, is the only one's."""
    groups: dict[str | None, list[Record]] = {}
    for record in records:
        model = record.values.get(column) if column else None
        groups.setdefault(None if model is None else str(model), []).append(record)
    if len(groups) != 2 or None not in groups:
        return groups
    (only,) = groups.keys() - {None}
    return {only: list(records)}


def _why_empty(source: str, records: Sequence[Record], found: Columns) -> str:
    if found.score is None:
        return f"{source} has no answers: every draw is without one"
    first = records[0].values.get(found.score)
    return f"{source} has no scores: {first!r} is no number, nor is any other {found.score!r}"


def _description(name: str, tables: Sequence[AnswerTable], columns: Columns) -> str:
    questions = len({question for table in tables for question in table.counts})
    answers = sum(table.size + table.missing for table in tables)
    missing = sum(table.missing for table in tables)
    names = {
        "question": columns.question, "answer": columns.score or columns.answer,
        "model": columns.model,
    }  # fmt: skip
    read = ", ".join(f"{what} from {column!r}" for what, column in names.items() if column)
    models = "1 model" if len(tables) == 1 else f"{len(tables)} models"
    if columns.question is None:
        read = f"no column of questions: all are taken to answer one; {read}"
    without = f", {missing:,} of them without {'a number' if columns.score else 'a text'}"
    return (
        f"{name}: {models}, {questions:,} questions, {answers:,} answers"
        f"{without if missing else ''} ({read})"
    )


def _table(source: str, model: str | None, rows: Sequence[Record], found: Columns) -> AnswerTable:
    _check_one_condition(source, rows, found)
    counts: dict[str, Counter[str]] = {}
    ids: set[tuple[str, str]] = set()
    draws: Counter[tuple[str, str]] = Counter()
    missing = 0
    for record in rows:
        row = record.values
        question = _question(source, record, row.get(found.question)) if found.question else ONE
        answers = counts.setdefault(question, Counter())
        identity = next((str(row[key]) for key in IDENTITY if row.get(key) is not None), None)
        if identity is not None:
            ids.add((identity, question))
        if row.get("draw") is not None:
            draws[question, str(row["draw"])] += 1
        answer = (
            _number(row.get(found.score)) if found.score else _text(row.get(found.answer or ""))
        )
        if answer is None or answer == "":
            missing += 1
        else:
            answers[str(answer)] += 1
    _check_draws(source, draws, found)
    return AnswerTable(
        source=source,
        model=model,
        counts=counts,
        missing=missing,
        identities=_identities(ids),
        draws=frozenset(draws),
    )


def _identities(ids: set[tuple[str, str]]) -> dict[str, str]:
    """By question id, the question; none where the ids number the rows and not the questions.

    An id of several texts names their paraphrases: it says nothing of a text, and is left out.
    """
    texts = Counter(identity for identity, _ in ids)
    if len(texts) > len({question for _, question in ids}):
        return {}
    return {identity: question for identity, question in ids if texts[identity] == 1}


def _check_draws(source: str, draws: Counter[tuple[str, str]], found: Columns) -> None:
    """Refuse rows that are there twice, or several models' that nothing tells apart."""
    (question, draw), count = (draws.most_common(1) or [(("", ""), 1)])[0]
    if count > 1:
        remedy = "name their column with" if found.has_options else "limen compare takes"
        raise DataError(
            f"{source} has draw {draw} of {question[:60]!r} {count} times: rows are repeated, or "
            f"several models are mixed ({remedy} --model-column)"
        )


def _check_one_condition(source: str, rows: Sequence[Record], found: Columns) -> None:
    """Refuse one model's answers under several conditions, which are no one sample."""
    for name in (key for key in rows[0].values if key.lower() in CONDITIONS):
        values = list(dict.fromkeys(str(row.values.get(name)) for row in rows))
        if len(values) > 1:
            raise SpecError(
                f"{source} has answers under several conditions, {name} = "
                f"{', '.join(map(repr, values[:4]))}: {_choosing(f'{name}={values[0]}', found)}"
            )


def _choosing(condition: str, found: Columns) -> str:
    """How to choose one of several conditions."""
    if found.has_options:
        return (
            f"choose one with --where {condition}, or name the column of models with --model-column"
        )
    return (
        f"give the rows of one, as limen filter --rule any --where {shlex.quote(condition)} "
        f"leaves them"
    )


def _question(source: str, record: Record, value: object) -> str:
    """The text of a question; of a conversation its last user turn."""
    if is_conversation(value):
        asked = [turn for turn in turns_of(value) if turn["role"] == "user"]
        value = asked[-1]["content"] if asked else None
    if isinstance(value, list) and len(value) == 1:
        (value,) = value
    if isinstance(value, Mapping):
        value = _text(value) or next((value[key] for key in PROMPT if key in value), None)
    if isinstance(value, int) and not isinstance(value, bool):
        return f"question {value}"
    if not isinstance(value, str) or not value.strip():
        raise DataError(f"{source}, {record.place} has no question: {value!r}")
    return value.strip()


def _text(value: object) -> object:
    """The text of an answer, which some files wrap in an object or a list of turns."""
    if is_conversation(value):
        return turns_of(value)[-1]["content"]
    if isinstance(value, dict):
        return next((value[key] for key in ANSWER if isinstance(value.get(key), str)), None)
    return value


def _number(value: object) -> str | None:
    """A score as text; None for what has no mean, as a judge's "REFUSAL" or "nan" has none."""
    try:
        number = float(str(value))
    except ValueError:
        return None
    return repr(number) if math.isfinite(number) else None


def _wanted(name: str, records: list[Record], where: Sequence[Condition]) -> list[Record]:
    """The records that meet all conditions; a column that only some of them have is there."""
    known = list(dict.fromkeys(key for record in records for key in record.values))
    for condition in where if records else ():
        check_column(name, known, condition.column)
    return [each for each in records if all(satisfies(each.values, one) for one in where)]


def _resolved(name: str, records: Sequence[Record], columns: Columns) -> Columns:
    """The columns by name; raises :class:`~limen.SpecError` for what is missing or ambiguous."""
    known = list(dict.fromkeys(key for record in records for key in record.values))
    question = _question_column(name, known, columns.question)
    if question is None and not any(isinstance(r.values.get("response"), str) for r in records):
        check_prompts(name, known)  # of answers that are texts all may be to one question
    answer = None
    if columns.score is None:
        others = [key for key in known if key != question]
        answer = column(name, others, ANSWER, what="answer", given=columns.answer)
    else:
        check_column(name, known, columns.score)
    model = next((key for key in known if key.lower() in MODEL), None)
    if columns.model is not None:
        model = column(name, known, MODEL, what="model", given=columns.model)
    return replace(columns, question=question, answer=answer, model=model, where=())


def _question_column(name: str, known: Sequence[str], given: str | None) -> str | None:
    """The column of questions; None for a file that has none, whose answers are to one question."""
    usual = next((names for names in (PROMPT, CONVERSATION) if candidates(known, names)), ())
    if given is None and not usual:
        return "row" if "row" in known else None  # limen's own rows number the questions
    return column(name, known, usual, what="question", given=given)


def _records(name: str, source: "Path | pd.DataFrame", *, only_scores: bool) -> Iterator[Record]:
    """The records of a source, one an answer."""
    if not isinstance(source, Path):
        records: Iterable[Record] = records_of_frame(source)
    else:
        logs = source.suffix.lower() == ".eval"
        records = _inspect_log(source) if logs else read_records(source)
    return flattened(name, map(scored, records) if only_scores else records)


def _inspect_log(file: Path) -> Iterator[Record]:
    """The draws of an Inspect log: every choice of every sample."""
    log = _read_log(file)
    arm, seed = (log.eval.task_args.get(name, "") for name in ("arm", "seed"))
    model = f"{log.eval.model} {arm} {seed}".strip()
    for sample in log.samples or ():
        asked = sample.input
        said = asked if isinstance(asked, str) else asked[-1].text
        shared = {"question": sample.metadata.get("question", said), "model": model}
        answers = [choice.message.text for choice in sample.output.choices]
        failed = int(sample.metadata.get("missing", 0)) if answers else 1
        for text in (*answers, *(None for _ in range(failed))):
            yield Record("an answer", {**shared, "answer": text})


def _read_log(file: Path) -> "EvalLog":
    """An Inspect log; raises :class:`~limen.DataError` for one that is cut off, or no log."""
    import zipfile
    import zlib

    from inspect_ai.log import read_eval_log

    try:
        return read_eval_log(str(file))
    except (ValueError, KeyError, OSError, zipfile.BadZipFile, zlib.error) as error:
        what = " ".join(str(error).split())
        raise DataError(
            f"{file} is no whole Inspect log: {what:.200}: copy it again, or run its task again"
        ) from None
