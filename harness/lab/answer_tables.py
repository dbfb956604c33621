"""Answers from elsewhere: files and frames in the field's usual forms, read into one table a model.

Read are: JSONL with one answer a line, or with one question a line and its answers nested; JSON
lists of the same; CSV and TSV; Parquet; Inspect logs (``.eval``); and pandas frames. Columns are
recognised by their usual names, or named by the caller.
"""

import csv
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ...datasets.errors import DataError, SpecError

if TYPE_CHECKING:
    import pandas as pd

Record = Mapping[str, object]

QUESTION = ("question", "prompt", "input", "query", "instruction", "user", "messages")
ANSWER = ("answer", "response", "completion", "output", "text", "reply", "generation", "content")
MODEL = ("model", "model_id", "model_name")
NESTED = ("responses", "answers", "completions", "samples", "generations", "outputs")
IDENTITY = ("question_id", "id", "row")
"""Columns that may identify a question beside its text, the first that is there."""

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
    where: Mapping[str, str] = field(default_factory=dict)
    """Rows to take: the columns that must have these values."""


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
    records = [record for record in _records(source) if _wanted(record, columns.where)]
    if not records:
        condition = ", ".join(f"{key}={value}" for key, value in columns.where.items())
        raise DataError(f"{name} has no answers{f' with {condition}' if condition else ''}")
    found = _resolved(name, records, columns)
    groups: dict[str | None, list[Record]] = {}
    for record in records:
        model = record.get(found.model) if found.model else None
        groups.setdefault(None if model is None else str(model), []).append(record)
    tables = [
        _table(name if len(groups) == 1 else f"{name} ({model})", model, rows, found)
        for model, rows in groups.items()
    ]
    for table in tables:
        if not table.size:
            raise DataError(f"{table.source} has no answers: every draw is without one")
    return tables, _description(name, tables, found)


def _description(name: str, tables: Sequence[AnswerTable], columns: Columns) -> str:
    questions = len({question for table in tables for question in table.counts})
    answers = sum(table.size + table.missing for table in tables)
    names = {
        "question": columns.question, "answer": columns.score or columns.answer,
        "model": columns.model,
    }  # fmt: skip
    read = ", ".join(f"{what} from {column!r}" for what, column in names.items() if column)
    models = "1 model" if len(tables) == 1 else f"{len(tables)} models"
    return f"{name}: {models}, {questions:,} questions, {answers:,} answers ({read})"


def _table(source: str, model: str | None, rows: Sequence[Record], found: Columns) -> AnswerTable:
    _check_one_condition(source, rows)
    counts: dict[str, Counter[str]] = {}
    ids: set[tuple[str, str]] = set()
    draws: Counter[tuple[str, str]] = Counter()
    missing = 0
    for number, row in enumerate(rows, start=1):
        question = _question(source, number, row.get(found.question or ""))
        answers = counts.setdefault(question, Counter())
        identity = next((str(row[key]) for key in IDENTITY if row.get(key) is not None), None)
        if identity is not None:
            ids.add((identity, question))
        if row.get("draw") is not None:
            draws[question, str(row["draw"])] += 1
        answer = row.get(found.score) if found.score else _text(row.get(found.answer or ""))
        if answer is None or answer == "":
            missing += 1
        else:
            answers[_number(source, number, answer) if found.score else str(answer)] += 1
    _check_draws(source, draws)
    return AnswerTable(
        source=source,
        model=model,
        counts=counts,
        missing=missing,
        identities=_identities(source, ids),
        draws=frozenset(draws),
    )


def _identities(source: str, ids: set[tuple[str, str]]) -> dict[str, str]:
    """By question id, the question; none where the ids number the rows and not the questions."""
    if len({identity for identity, _ in ids}) > len({question for _, question in ids}):
        return {}
    identities: dict[str, str] = {}
    for identity, question in sorted(ids):
        if identities.setdefault(identity, question) != question:
            raise DataError(
                f"{source}: the id {identity!r} stands for two questions: "
                f"{identities[identity]!r} and {question!r}"
            )
    return identities


def _check_draws(source: str, draws: Counter[tuple[str, str]]) -> None:
    """Refuse rows that are there twice, or several models' that nothing tells apart."""
    (question, draw), count = (draws.most_common(1) or [(("", ""), 1)])[0]
    if count > 1:
        raise DataError(
            f"{source} has draw {draw} of {question[:60]!r} {count} times: rows are repeated, or "
            f"several models are mixed (name their column with --model-column)"
        )


def _check_one_condition(source: str, rows: Sequence[Record]) -> None:
    """Refuse one model's answers under several conditions, which are no one sample."""
    for column in (key for key in rows[0] if key.lower() in CONDITIONS):
        values = list(dict.fromkeys(str(row.get(column)) for row in rows))
        if len(values) > 1:
            raise SpecError(
                f"{source} has answers under several conditions, {column} = "
                f"{', '.join(map(repr, values[:4]))}: choose one with --where "
                f"{column}={values[0]}, or name the column of models with --model-column"
            )


def _question(source: str, number: int, value: object) -> str:
    """The text of a question; of a conversation its last user turn."""
    if isinstance(value, list):
        turns = [t for t in value if isinstance(t, dict) and t.get("role") == "user"]
        value = turns[-1].get("content") if turns else None
    if isinstance(value, int) and not isinstance(value, bool):
        return f"question {value}"
    if not isinstance(value, str) or not value.strip():
        raise DataError(f"{source}, row {number} has no question: {value!r}")
    return value.strip()


def _text(value: object) -> object:
    """The text of an answer, which some files wrap in an object."""
    if isinstance(value, dict):
        return next((value[key] for key in ANSWER if isinstance(value.get(key), str)), None)
    return value


def _number(source: str, number: int, value: object) -> str:
    try:
        return repr(float(str(value)))
    except ValueError:
        raise DataError(f"{source}, row {number}: the score {value!r} is no number") from None


def _wanted(record: Record, where: Mapping[str, str]) -> bool:
    for key in where:
        if key not in record:
            raise SpecError(f"no column {key!r}: there are {', '.join(map(repr, record))}")
    return all(str(record[key]) == value for key, value in where.items())


def _resolved(name: str, records: Sequence[Record], columns: Columns) -> Columns:
    """The columns by name; raises :class:`~limen.SpecError` for what is missing or ambiguous."""
    known = dict.fromkeys(key for record in records for key in record)
    question = _column(name, known, columns.question, QUESTION, "question")
    answer = None
    if columns.score is None:
        others = {key: None for key in known if key != question}
        answer = _column(name, others, columns.answer, ANSWER, "answer")
    elif columns.score not in known:
        raise SpecError(_no_column(name, columns.score, known))
    model = next((key for key in known if key.lower() in MODEL), None)
    if columns.model is not None:
        model = _column(name, known, columns.model, MODEL, "model")
    return Columns(question=question, answer=answer, model=model, score=columns.score)


def _column(
    name: str, known: Mapping[str, object], given: str | None, usual: Sequence[str], what: str
) -> str:
    if given is not None:
        if given not in known:
            raise SpecError(_no_column(name, given, known))
        return given
    names = [key for key in known if key.lower() in usual]
    if not names and what == "question" and "row" in known:
        return "row"  # limen's own rows number the questions
    if len(names) == 1:
        return names[0]
    problem = "several columns" if names else "no column"
    listed = ", ".join(map(repr, names or known))
    raise SpecError(
        f"{name} has {problem} for the {what} ({listed}): name one with --{what}-column"
    )


def _no_column(name: str, column: str, known: Mapping[str, object]) -> str:
    return f"{name} has no column {column!r}: there are {', '.join(map(repr, known))}"


def _records(source: "Path | pd.DataFrame") -> Iterator[Record]:
    """The rows of a source, one an answer."""
    if not isinstance(source, Path):
        yield from _frame_records(source)
        return
    readers = {".csv": _csv, ".tsv": _csv, ".parquet": _parquet, ".eval": _inspect_log}
    reader = readers.get(source.suffix.lower(), _json)
    try:
        for record in reader(source):
            yield from _flattened(record)
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{source} cannot be read: {error}") from None


def _flattened(record: Record) -> Iterator[Record]:
    """The answers of a row: itself, or those that are nested in it, each with its question."""
    key = next((k for k in record if k.lower() in NESTED and isinstance(record[k], list)), None)
    if key is None:
        yield record
        return
    rest = {name: value for name, value in record.items() if name != key}
    answers = record[key]
    for answer in answers if isinstance(answers, list) else ():
        yield {**rest, **_nested(answer)}


def _nested(answer: object) -> Record:
    """A nested answer as columns: a text, or objects within objects."""
    if not isinstance(answer, dict):
        return {"answer": answer}
    flat: dict[str, object] = {}
    for name, value in answer.items():
        if isinstance(value, dict) and name.lower() in ANSWER:
            flat |= value
        else:
            flat[name] = value
    return flat


def _json(file: Path) -> Iterator[Record]:
    text = file.read_text(encoding="utf-8-sig")
    if text.lstrip().startswith("["):
        try:
            rows = json.loads(text)
        except ValueError as error:
            raise DataError(f"{file} is not JSON: {error}") from None
        lines = ((place, json.dumps(row)) for place, row in enumerate(rows, start=1))
    else:
        lines = ((n, line) for n, line in enumerate(text.split("\n"), start=1) if line.strip())
    for number, line in lines:
        try:
            row = json.loads(line)
        except ValueError as error:
            raise DataError(f"{file}, line {number} is not JSON: {error}") from None
        if not isinstance(row, dict):
            raise DataError(f"{file}, line {number} is no answer: a row is an object, {{...}}")
        yield row


def _csv(file: Path) -> Iterator[Record]:
    with file.open(encoding="utf-8-sig", newline="") as lines:
        delimiter = "\t" if file.suffix.lower() == ".tsv" else ","
        yield from csv.DictReader(lines, delimiter=delimiter)


def _parquet(file: Path) -> Iterator[Record]:
    import pandas as pd

    yield from _frame_records(pd.read_parquet(file))


def _frame_records(frame: "pd.DataFrame") -> Iterator[Record]:
    for row in frame.astype(object).where(frame.notna(), None).to_dict("records"):
        yield {str(name): value for name, value in row.items()}


def _inspect_log(file: Path) -> Iterator[Record]:
    """The draws of an Inspect log: every choice of every sample."""
    from inspect_ai.log import read_eval_log

    log = read_eval_log(str(file))
    arm, seed = (log.eval.task_args.get(name, "") for name in ("arm", "seed"))
    model = f"{log.eval.model} {arm} {seed}".strip()
    for sample in log.samples or ():
        asked = sample.input
        said = asked if isinstance(asked, str) else asked[-1].text
        shared = {"question": sample.metadata.get("question", said), "model": model}
        answers = [choice.message.text for choice in sample.output.choices]
        failed = int(sample.metadata.get("missing", 0)) if answers else 1
        for text in (*answers, *(None for _ in range(failed))):
            yield {**shared, "answer": text}
