"""One JSON value with many records: a list, a list in an object, columns, or a mapping."""

from collections.abc import Mapping, Sequence
from typing import TypeGuard

from .column_names import ANSWER, CONVERSATION, NESTED, PROMPT, matching, plain_name
from .errors import DataError

WRAPPED = {"row_idx", "row", "truncated_cells"}
"""The keys of a record in the answers of Hugging Face's data set viewer."""

LISTED = ("data",)
"""What UltraChat calls a conversation as a list of texts."""

CASE = "test_case"
"""What HarmBench calls a prompt, of which a behaviour has several."""

MOST_COUNTED = 100_000
"""Answers of one kind at most, where a file counts them."""


def expanded(value: object) -> Sequence[object]:
    """The records in a JSON value; a value that is a record itself is one."""
    if isinstance(value, list):
        return [value] if _is_conversation(value) else [_unwrapped(row) for row in value]
    if not isinstance(value, dict):
        return [value]
    return _of_object(value)


def _of_object(value: Mapping[str, object]) -> Sequence[object]:
    if _is_record(value):
        return [value]
    if found := _as_columns(value) or _by_case(value) or _by_condition(value):
        return found
    if viewed := next(filter(_is_viewed, value.values()), None):
        return [_unwrapped(row) for row in viewed]
    shared = {name: part for name, part in value.items() if not isinstance(part, list | dict)}
    lists = [part for part in value.values() if _is_records(part)]
    if len(lists) == 1 and isinstance(lists[0], list):
        return [_within(shared, _unwrapped(row)) for row in lists[0]]
    nested = [part for part in value.values() if isinstance(part, dict) and _by_question(part)]
    if rows := _by_question(nested[0] if shared and len(nested) == 1 else value):
        return [_within(shared, row) for row in rows]
    return _by_name(value)


def _is_record(value: Mapping[str, object]) -> bool:
    """Whether an object is one record: it has a conversation, or what is asked in one piece."""
    asked = (value[name] for name in matching(value, PROMPT))
    return bool(matching(value, (*CONVERSATION, "chosen"))) or any(map(_is_one_prompt, asked))


def _is_one_prompt(value: object) -> bool:
    """Whether a value is one prompt and no column of them: a text, turns, or an object of one."""
    if isinstance(value, list):
        return _is_conversation(value)
    parts = (*PROMPT, *ANSWER, *CONVERSATION, "body")
    return isinstance(value, str) or (isinstance(value, dict) and bool(matching(value, parts)))


def _by_case(value: Mapping[str, object]) -> list[dict[str, object]]:
    """The records of a mapping from behaviours' ids to test cases, each with its own prompt."""
    groups = [part if isinstance(part, list) else [] for part in value.values()]
    if not all(_is_records(rows) and all(CASE in row for row in rows) for rows in groups):
        return []
    return [
        {"id": name, "prompt": row[CASE], **{n: v for n, v in row.items() if n != CASE}}
        for name, rows in zip(value, groups, strict=True)
        for row in rows
    ]


def _by_name(value: Mapping[str, object]) -> Sequence[object]:
    """The values of a mapping from names to records, or from questions to one answer each."""
    if value and all(isinstance(part, dict) for part in value.values()):
        return list(value.values())
    if _is_answered_once(value):
        return [{"question": name, "answer": part} for name, part in value.items()]
    return [value]


def _is_answered_once(value: Mapping[str, object]) -> bool:
    """Whether a value maps questions, which are sentences, to one answer each."""
    texts = all(isinstance(part, str) for part in value.values())
    return len(value) > 1 and texts and all(len(name.split()) > 1 for name in value)


def _by_condition(value: Mapping[str, object]) -> list[object]:
    """The records of a mapping from models or conditions to the records of each."""
    parts = [_group(part) for part in value.values()]
    if len(parts) < 2 or not all(parts):
        return []
    return [
        _within({"condition": name}, row)
        for name, rows in zip(value, parts, strict=True)
        for row in rows
    ]


def _group(value: object) -> Sequence[object]:
    """The records of one condition: a list of objects, or a mapping from questions to answers."""
    if isinstance(value, dict):
        return () if matching(value, (*PROMPT, *ANSWER)) else _by_question(value)
    return value if isinstance(value, list) and _is_records(value) and _are_rows(value) else ()


def _are_rows(value: Sequence[object]) -> bool:
    return all(isinstance(row, dict) and matching(row, (*PROMPT, *CONVERSATION)) for row in value)


def _by_question(value: Mapping[str, object]) -> list[dict[str, object]]:
    """The records of a mapping from questions to their answers; none if it is no such mapping.

    The answers are lists, or counts by answer.
    """
    if not value or any(map(_is_column, value)):
        return []
    if not all(isinstance(part, list) or _counts(part) for part in value.values()):
        return []
    return [{"question": name, "answers": _counts(part) or part} for name, part in value.items()]


def _is_column(name: str) -> bool:
    """Whether a name is that of a record's column, and so no question of a mapping."""
    return _is_prompts(name) or plain_name(name) in (*ANSWER, *NESTED, *LISTED)


def _counts(value: object) -> list[str]:
    """Every answer as often as it was counted; none if the value is no such count."""
    if not isinstance(value, dict) or not value or len(value) > MOST_COUNTED:
        return []
    if not all(type(n) is int and 0 <= n <= MOST_COUNTED for n in value.values()):
        return []
    return [answer for answer, count in value.items() for _ in range(count)]


def _within(shared: Mapping[str, object], row: object) -> object:
    """A record with what the object around it says of all: its model, its date."""
    return {**shared, **row} if isinstance(row, dict) else row


def _as_columns(value: Mapping[str, object]) -> list[dict[str, object]]:
    """The records of columns by name; none if the value is no table.

    What is one value beside the columns belongs to every record, such as the model's name.
    """
    if value.keys() >= {"columns", "data"} and isinstance(value["data"], list):
        return _of_split(value["columns"], value["data"])
    parts = {
        name: list(part.values()) if isinstance(part, dict) else part
        for name, part in value.items()
    }
    columns = {name: part for name, part in parts.items() if isinstance(part, list)}
    if not any(_is_prompts(name) for name in columns):
        return []
    sizes = {len(part) for part in columns.values()}
    if len(columns) < 2 or len(sizes) != 1:
        _check_lengths(value)
        return []
    shared = {name: part for name, part in value.items() if name not in columns}
    singular = {name: _singular(name) for name in columns}
    table = zip(*columns.values(), strict=True)
    return [shared | dict(zip(singular.values(), row, strict=True)) for row in table]


def _check_lengths(value: Mapping[str, object]) -> None:
    """Raise :class:`~limen.DataError` for lists of prompts and of answers that are not as long."""
    lists = {n: p for n, p in value.items() if isinstance(p, list) and not _is_records(p)}
    asked = {name: len(part) for name, part in lists.items() if _is_prompts(name)}
    answered = {n: len(p) for n, p in lists.items() if plain_name(n) in (*ANSWER, *NESTED)}
    if not asked or not answered or (set(asked.values()) == {1} and matching(asked, PROMPT)):
        return  # one question, with its answers in a list
    if len({*asked.values(), *answered.values()}) > 1:
        lengths = ", ".join(f"{name!r} has {n:,}" for name, n in {**asked, **answered}.items())
        raise DataError(f"its columns are not equally long: {lengths}: give each prompt its answer")


def _of_split(names: object, rows: Sequence[object]) -> list[dict[str, object]]:
    """The records of a frame as pandas splits it: names of columns, and rows of values."""
    if not isinstance(names, list):
        return []
    known = [str(name) for name in names]
    return [dict(zip(known, row, strict=False)) for row in rows if isinstance(row, list)]


def _is_prompts(name: str) -> bool:
    plain = plain_name(name)
    return plain in PROMPT or plain.removesuffix("s") in PROMPT


def _singular(name: str) -> str:
    """What one value of a column is: "prompt" of "prompts"; its own name if that is usual."""
    plain = plain_name(name)
    if plain in PROMPT or plain in ANSWER:
        return name
    one = plain.removesuffix("s")
    return one if one in PROMPT or (plain in NESTED and one in ANSWER) else name


def _is_records(value: object) -> TypeGuard[list[dict[str, object]]]:
    return isinstance(value, list) and bool(value) and all(isinstance(row, dict) for row in value)


def _is_viewed(value: object) -> TypeGuard[list[dict[str, object]]]:
    """Whether a value is the list of rows in an answer of Hugging Face's data set viewer."""
    return _is_records(value) and all("row" in row and row.keys() <= WRAPPED for row in value)


def _is_conversation(value: Sequence[object]) -> bool:
    """Whether a list is one conversation, whose turns are its items."""
    return bool(value) and all(
        isinstance(turn, dict) and {"role", "content"} <= turn.keys() for turn in value
    )


def _unwrapped(row: object) -> object:
    return row["row"] if isinstance(row, dict) and _is_viewed([row]) else row
