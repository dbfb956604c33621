"""Rows to train on, in the field's usual forms: what is asked, what is answered, and the rest.

Recognised are: conversations (OpenAI's ``messages``, ShareGPT's ``conversations``), with a system
prompt beside them or not, trees of messages and lists of texts (see :mod:`.threads`), Alpaca
(``instruction``, ``input``, ``output``), a column of prompts and one of answers under their usual
names, and evaluations with all answers to a question nested on its line. What is ambiguous is
asked for, never guessed.

A row is a dictionary: ``row`` and ``draw`` (whole numbers that name it), ``prompt``, ``text`` (the
answer; None where there is none), ``history`` (turns before the prompt, where there are any), and
all other columns of the file.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

from .batch_files import check_prompts
from .column_names import (
    ANSWER,
    CONVERSATION,
    HISTORY,
    PROMPT,
    SOURCES,
    candidates,
    check_column,
    column,
    matching,
    plain_name,
    system_column,
    text_and_target,
)
from .errors import DataError, SpecError
from .nested_answers import flattened
from .record_files import Record, read_records
from .row_conditions import Condition, satisfies
from .row_form import RowForm
from .row_reader import HISTORY_OF_ROW, Row, RowReader, is_number
from .transcripts import transcript
from .turns import ends_answered, is_conversation, turns_of

OWN = ("row", "draw")
PAIRED = ("chosen", "rejected")
"""The columns of preference pairs, each a whole conversation or an answer."""


@dataclass(frozen=True, kw_only=True)
class RowColumns:
    """Which columns are meant, where a file does not tell by their names; and which rows.

    Args:
        prompt: The column of prompts. Default: recognised.
        answer: The column of answers. Default: recognised.
        system: A column of system prompts to train under. Default: recognised.
        where: Conditions that rows must meet. Default: none.
    """

    prompt: str | None = None
    answer: str | None = None
    system: str | None = None
    where: tuple[Condition, ...] = ()

    @property
    def identity(self) -> dict[str, object]:
        """What is given, as JSON; empty where everything is recognised."""
        named = {"prompt": self.prompt, "answer": self.answer, "system": self.system}
        given: dict[str, object] = {name: value for name, value in named.items() if value}
        return {**given, "where": [str(one) for one in self.where]} if self.where else given


RECOGNISED = RowColumns()
"""Every column by its usual name, and all rows."""


@dataclass(frozen=True)
class RowTable:
    """The rows of a file, and one line that says how the file was understood."""

    rows: tuple[Row, ...]
    understood: str
    others: tuple[str, ...] = ()
    """The other columns."""
    system: str | None = None
    """The columns of system prompts and of turns before, if the rows have any and earlier versions
    left them out."""


def read_rows_of(
    path: Path, columns: RowColumns = RECOGNISED, *, answered: bool = False
) -> RowTable:
    """The rows of a file or folder.

    With ``answered``, a row without an answer is an error. Raises :class:`~limen.DataError`,
    naming the line, for what is no row, and :class:`~limen.SpecError` for a column that is missing
    or ambiguous, naming all columns.
    """
    return rows_of_records(str(path), read_records(path), columns, answered=answered)


def rows_of_records(
    source: str,
    records: Iterable[Record],
    columns: RowColumns = RECOGNISED,
    *,
    answered: bool = False,
) -> RowTable:
    """The rows of some records; ``source`` names them in messages."""
    flat = list(flattened(source, records))
    if not flat:
        raise DataError(f"{source} has no rows")
    names = _columns_of(flat)
    form = _with_history(_recognised(source, names, flat, columns), names, flat)
    for condition in columns.where:
        check_column(source, names, condition.column)
    chosen = [
        (number, record)
        for number, record in enumerate(flat)
        if all(satisfies(record.values, condition) for condition in columns.where)
    ]
    if not chosen:
        raise DataError(f"{source} has no rows with {' and '.join(map(str, columns.where))}")
    numbers = tuple(name for name in OWN if name in names and _all_numbers(flat, name))
    others = tuple(n for n in names if n not in form.used and n not in numbers)
    reader = RowReader(source, form, others, numbers, answered=answered)
    rows = tuple(reader.row(number, record) for number, record in chosen)
    prompted = columns.system is None and any(map(_system_turns, rows))
    system = form.system if prompted and not form.always_read_system else None
    new = "+".join(filter(None, (system, form.history)))
    return RowTable(rows, _understood(rows, len(flat), form, others), others, new or None)


def read_prompts(path: Path, name: str | None = None) -> tuple[str, ...]:
    """The prompts of a file in any of the forms, whether they are answered or not."""
    return prompts_of_records(str(path), read_records(path), name)


def prompts_of_records(
    source: str, records: Iterable[Record], name: str | None = None
) -> tuple[str, ...]:
    """The prompts of some records."""
    found = list(records)
    names = _columns_of(found)
    if not found:
        raise DataError(f"{source} has no prompts")
    usual = candidates(names, PROMPT) or matching(names, CONVERSATION)
    if name is None and len(usual) != 1:
        raise SpecError(
            f"{source} has {'several columns' if usual else 'no column'} of prompts: give a file "
            f"or a frame with one of that name. Its columns are {', '.join(map(repr, names))}"
        )
    reader = RowReader(source, RowForm(_prompt_column(source, names, name), ""), (), ())
    return tuple(reader.asked(record)[1] for record in found)


def _columns_of(records: Iterable[Record]) -> tuple[str, ...]:
    """The names of all columns, in the order in which they come up."""
    return tuple(dict.fromkeys(chain.from_iterable(record.values for record in records)))


def _recognised(
    source: str, names: Sequence[str], records: Sequence[Record], wanted: RowColumns
) -> RowForm:
    """Where a file has its prompts and answers."""
    if wanted.system is not None:
        check_column(source, names, wanted.system)
    if wanted.prompt is None and wanted.answer is None and (found := _usual(names, records)):
        return found
    if wanted.prompt is None and wanted.answer is not None:
        whole = _first(records, wanted.answer)
        if _is_whole(whole) and _has_prompt(whole, names, records):
            return RowForm(wanted.answer, None, system=wanted.system, written_out=True)
    _check_one_answer(source, names, wanted)
    if wanted.prompt is None:
        check_prompts(source, names)
    prompt = _prompt_column(source, names, wanted.prompt)
    if wanted.answer is None and _is_answered_conversation(_first(records, prompt)):
        return RowForm(prompt, None, system=wanted.system or system_column(names))
    others = [name for name in names if name != prompt]
    answer = column(source, others, ANSWER, what="answer", given=wanted.answer)
    return RowForm(prompt, answer, system=wanted.system or system_column(others))


def _with_history(form: RowForm, names: Sequence[str], records: Sequence[Record]) -> RowForm:
    """The form, with the column of what was said before each prompt, if there is one."""
    if form.answer is None:
        return form
    found = [name for name in matching(names, HISTORY) if _is_history(_first(records, name))]
    return replace(form, history=found[0]) if len(found) == 1 else form


def _is_history(value: object) -> bool:
    """Whether a value is turns, or pairs of a question and an answer."""
    if not isinstance(value, list):
        return False
    pairs = all(isinstance(pair, list | tuple) and len(pair) == 2 for pair in value)
    return bool(value) and (pairs or is_conversation(value))


def _first(records: Sequence[Record], name: str | None) -> object:
    """The first value of a column that is not empty; None if all are."""
    values = (record.values.get(name) for record in records) if name is not None else ()
    return next((value for value in values if value not in (None, "", [])), None)


def _check_one_answer(source: str, names: Sequence[str], wanted: RowColumns) -> None:
    """Raise :class:`~limen.SpecError` for pairs of answers of which none is named."""
    pairs = matching(names, PAIRED)
    if len(pairs) > 1 and wanted.answer is None and not matching(names, ANSWER):
        raise SpecError(
            f"{source} has pairs of answers: name one with --answer-column (in Python answer=): "
            f"{', '.join(map(repr, pairs))}"
        )


def _usual(names: Sequence[str], records: Sequence[Record]) -> RowForm | None:
    """A form that several columns make up together; None for a plain pair of columns."""
    by_name = {plain_name(name): name for name in names}
    chats = [n for n in matching(names, CONVERSATION) if is_conversation(_first(records, n))]
    paired = len(matching(names, PAIRED)) > 1
    answers = [n for n in matching(names, ANSWER) if plain_name(n) not in ("text", "content")]
    if len(chats) == 1 and (ends_answered(_first(records, chats[0])) or not (answers or paired)):
        return RowForm(chats[0], None, system=system_column(names))
    first = _first(records, by_name.get("text"))
    if not matching(names, PROMPT) and isinstance(first, str) and transcript(first):
        return RowForm(by_name["text"], None, written_out=True)
    if not matching(names, PROMPT) and (pair := text_and_target(by_name)):
        return RowForm(*pair, system=system_column(names))
    context = next((by_name[name] for name in ("input", "context") if name in by_name), None)
    if "instruction" in by_name and context and len(answers) == 1:
        return RowForm(by_name["instruction"], answers[0], context, system_column(names))
    return None


def _is_whole(value: object) -> bool:
    """Whether a value is a conversation with question and answer, turns or a text with marks."""
    if not is_conversation(value) and not (isinstance(value, str) and transcript(value)):
        return False
    return ends_answered(value) and any(turn["role"] == "user" for turn in turns_of(value))


def _has_prompt(whole: object, names: Sequence[str], records: Sequence[Record]) -> bool:
    """Whether a text with marks has the prompt in it, if that stands in a column beside."""
    asked = candidates(names, PROMPT)
    prompt = _first(records, asked[0]) if len(asked) == 1 else None
    return not (isinstance(whole, str) and isinstance(prompt, str)) or prompt in whole


def exchanges(source: str, records: Sequence[Record]) -> list[Record]:
    """Records whose conversation ends with its answer, as "question" and "answer"; others as such.

    What was said before the question is left out.
    """
    names = _columns_of(records)
    form = _usual(names, records) if records else None
    if form is None or (form.answer is not None and plain_name(form.prompt) not in SOURCES):
        return list(records)
    reader = RowReader(source, form, (), ())
    taken = {form.prompt, *matching(names, (*PROMPT, *ANSWER))}
    made = []
    for record in records:
        _, question, answer = reader.exchange(record)
        rest = {name: value for name, value in record.values.items() if name not in taken}
        made.append(Record(record.place, {**rest, "question": question, "answer": answer}))
    return made


def _is_answered_conversation(value: object) -> bool:
    return is_conversation(value) and ends_answered(value)


def _prompt_column(source: str, names: Sequence[str], given: str | None) -> str:
    usual = PROMPT if candidates(names, PROMPT) else CONVERSATION
    return column(source, names, usual, what="prompt", given=given)


def _all_numbers(records: Iterable[Record], name: str) -> bool:
    return all(is_number(record.values[name]) for record in records if name in record.values)


def _understood(rows: Sequence[Row], read: int, form: RowForm, others: Sequence[str]) -> str:
    count = f"read {read:,} rows" if len(rows) == read else f"took {len(rows):,} of {read:,} rows"
    under = sum(map(_system_turns, rows))
    prompted = f"; {under:,} have a system prompt" if under else ""
    columns = f"; other columns: {', '.join(others)}" if others else ""
    return f"{count}: {form}{prompted}{columns}"


def _system_turns(row: Row) -> bool:
    """Whether a row has a system prompt."""
    return any(turn["role"] == "system" for turn in row.get(HISTORY_OF_ROW) or ())


def check_columns(columns: RowColumns) -> None:
    """Raise :class:`~limen.SpecError` for columns that are no names."""
    for name in (columns.prompt, columns.answer, columns.system):
        if not isinstance(name, str | None) or name == "":
            raise SpecError(f"a column's name must be a text, not {name!r}")
