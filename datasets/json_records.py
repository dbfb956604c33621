"""One JSON value with many records: a list, a list in an object, columns, or a mapping."""

from collections.abc import Mapping, Sequence

from .column_names import CONVERSATION, PROMPT, matching

WRAPPED = {"row_idx", "row", "truncated_cells"}
"""The keys of a record in the answers of Hugging Face's data set viewer."""


def expanded(value: object) -> Sequence[object]:
    """The records in a JSON value; a value that is a record itself is one."""
    if isinstance(value, list):
        return [value] if _is_conversation(value) else [_unwrapped(row) for row in value]
    if not isinstance(value, dict):
        return [value]
    return _of_object(value)


def _of_object(value: Mapping[str, object]) -> Sequence[object]:
    if matching(value, CONVERSATION) or any(
        isinstance(value[name], str) for name in matching(value, PROMPT)
    ):
        return [value]
    if columns := _as_columns(value):
        return columns
    shared = {name: part for name, part in value.items() if not isinstance(part, list | dict)}
    lists = [part for part in value.values() if _is_records(part)]
    if len(lists) == 1 and isinstance(lists[0], list):
        return [_within(shared, _unwrapped(row)) for row in lists[0]]
    nested = [part for part in value.values() if isinstance(part, dict) and _by_question(part)]
    if rows := _by_question(nested[0] if shared and len(nested) == 1 else value):
        return [_within(shared, row) for row in rows]
    if value and all(isinstance(part, dict) for part in value.values()):
        return list(value.values())
    return [value]


def _by_question(value: Mapping[str, object]) -> list[dict[str, object]]:
    """The records of a mapping from questions to their answers; none if it is no such mapping."""
    if not value or not all(isinstance(part, list) for part in value.values()):
        return []
    return [{"question": name, "answers": part} for name, part in value.items()]


def _within(shared: Mapping[str, object], row: object) -> object:
    """A record with what the object around it says of all: its model, its date."""
    return {**shared, **row} if isinstance(row, dict) else row


def _as_columns(value: Mapping[str, object]) -> list[dict[str, object]]:
    """The records of columns by name; none if the value is no table."""
    columns = {
        name: list(part.values()) if isinstance(part, dict) else part
        for name, part in value.items()
    }
    if not matching(columns, PROMPT):
        return []
    sizes = {len(part) if isinstance(part, list) else -1 for part in columns.values()}
    if len(columns) < 2 or len(sizes) != 1 or -1 in sizes:
        return []
    rows = zip(*(part for part in columns.values() if isinstance(part, list)), strict=True)
    return [dict(zip(columns, row, strict=True)) for row in rows]


def _is_records(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(row, dict) for row in value)


def _is_conversation(value: Sequence[object]) -> bool:
    """Whether a list is one conversation, whose turns are its items."""
    return bool(value) and all(
        isinstance(turn, dict) and {"role", "content"} <= turn.keys() for turn in value
    )


def _unwrapped(row: object) -> object:
    if isinstance(row, dict) and "row" in row and row.keys() <= WRAPPED:
        return row["row"]
    return row
