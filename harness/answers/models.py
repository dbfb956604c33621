"""Rows of answers as models, each with its answers by the question's text."""

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from ...datasets.errors import DataError, SpecError
from .columns import AnswerColumns, condition_columns
from .flatten import AnswerRow
from .question_ids import QuestionIds


@dataclass(frozen=True, kw_only=True)
class AnsweredModel:
    """What one model answered, by the texts of the questions."""

    source: str
    """The file or frame, for messages."""
    name: str = ""
    """The model's name or id; empty where nothing tells it."""
    answers: Mapping[str, Counter[str]]
    missing: int = 0
    """Draws without an answer."""
    scores: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    unscored: int = 0
    """Answers without a score, where scores were asked for."""
    draws: Mapping[str, frozenset[int]] = field(default_factory=dict)
    """By question, the numbers of the draws; empty where there are none."""

    @property
    def label(self) -> str:
        """The source and the model, for messages."""
        return f"{self.source} ({self.name})" if self.name else self.source

    @property
    def questions(self) -> tuple[str, ...]:
        """The questions, in the order of the source."""
        return tuple(self.answers)

    @property
    def draws_a_question(self) -> int:
        """Answers and missing ones for each question, on average, rounded up."""
        total = sum(count.total() for count in self.answers.values()) + self.missing
        return math.ceil(total / len(self.answers))


def models_of(
    rows: Sequence[AnswerRow],
    columns: AnswerColumns,
    *,
    source: str,
    ids: QuestionIds,
    by_model: bool = True,
) -> list[AnsweredModel]:
    """The models of a source's rows, in the order of their names.

    ``columns`` are resolved ones. Without ``by_model`` the whole source is one model. Raises
    :class:`~limen.DataError` for contradictions: one id of two texts, one draw given twice, and
    one model under several conditions.
    """
    _check_answered(rows, columns, source)
    question = _question_reader(rows, columns, source, ids)
    groups: dict[str, list[AnswerRow]] = defaultdict(list)
    for row in rows:
        name = row.get(columns.model) if columns.model and by_model else None
        groups["" if name is None else str(name)].append(row)
    for name, group in groups.items():
        _refuse_several_conditions(group, f"{source} ({name})" if name else source)
    return [_model(source, name, groups[name], columns, question) for name in sorted(groups)]


def _check_answered(rows: Sequence[AnswerRow], columns: AnswerColumns, source: str) -> None:
    for number, row in enumerate(rows, start=1):
        if columns.answer not in row:
            raise DataError(
                f"{source}, row {number} has no answer in {columns.answer!r}: it has "
                f"{', '.join(map(repr, row)) or 'nothing'}. A draw without an answer has null"
            )


def _question_reader(
    rows: Sequence[AnswerRow], columns: AnswerColumns, source: str, ids: QuestionIds
) -> Callable[[AnswerRow], str]:
    """What reads the text of a row's question; checks ids against texts on the way."""
    text_column, id_column = columns.question, columns.question_id
    if text_column is None:
        assert id_column is not None  # resolved columns have one of them
        return lambda row: f"question {row.get(id_column)}"

    def read(row: AnswerRow) -> str:
        return " ".join(str(row.get(text_column)).split())

    if blank := sum(not row.get(text_column) for row in rows):
        rows_have = "1 row has" if blank == 1 else f"{blank} rows have"
        raise DataError(f"{source}: {rows_have} no question in {text_column!r}")
    pairs = {(str(row[id_column]), read(row)) for row in rows if row.get(id_column) is not None} \
        if id_column else set()  # fmt: skip
    if len({id for id, _ in pairs}) <= len({text for _, text in pairs}):  # else ids of lines
        for id, text in sorted(pairs):
            ids.add(id, text, source)
    return read


def _refuse_several_conditions(rows: Sequence[AnswerRow], label: str) -> None:
    for column in condition_columns(rows):
        values = list(dict.fromkeys(str(row.get(column)) for row in rows))
        if len(values) > 1:
            shown = ", ".join(map(repr, values[:4]))
            raise SpecError(
                f"{label} has answers under several conditions, {column} = {shown}: choose one "
                f"with --where {column}={values[0]}"
            )


def _model(
    source: str,
    name: str,
    rows: Sequence[AnswerRow],
    columns: AnswerColumns,
    question: Callable[[AnswerRow], str],
) -> AnsweredModel:
    assert columns.answer is not None  # resolved columns have it
    answers: dict[str, Counter[str]] = {}
    scores: dict[str, list[float]] = {}
    missing = unscored = 0
    for row in rows:
        asked, text = question(row), row.get(columns.answer)
        counted = answers.setdefault(asked, Counter())
        scored = scores.setdefault(asked, [])
        if text is None:
            missing += 1
            continue
        counted[str(text)] += 1
        score = _number(row.get(columns.score)) if columns.score else None
        if score is None:
            unscored += columns.score is not None
        else:
            scored.append(score)
    return AnsweredModel(
        source=source,
        name=name,
        answers=answers,
        missing=missing,
        scores={asked: tuple(sorted(each)) for asked, each in scores.items()},
        unscored=unscored,
        draws=_draw_numbers(rows, columns, question, f"{source} ({name})" if name else source),
    )


def _draw_numbers(
    rows: Sequence[AnswerRow],
    columns: AnswerColumns,
    question: Callable[[AnswerRow], str],
    label: str,
) -> dict[str, frozenset[int]]:
    """The numbers of the draws by question; none unless every row has a whole number."""
    if columns.draw is None:
        return {}
    numbers: dict[str, list[int]] = defaultdict(list)
    for row in rows:
        number = _number(row.get(columns.draw))
        if number is None or number != int(number):
            return {}
        numbers[question(row)].append(int(number))
    for asked, each in numbers.items():
        twice = next((n for n, count in Counter(each).items() if count > 1), None)
        if twice is not None:
            raise DataError(
                f"{label} has draw {twice} of {asked[:60]!r} twice: rows are repeated, or several "
                f"models or conditions are mixed (name the column of models with --model-column, "
                f"choose rows with --where)"
            )
    return {asked: frozenset(each) for asked, each in numbers.items()}


def _number(value: object) -> float | None:
    """A finite number; None of anything else."""
    try:
        number = float(str(value).strip())
    except ValueError:
        return None
    return number if math.isfinite(number) else None
