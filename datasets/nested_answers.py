"""Records that have several answers to one question: lists, objects, or numbered columns."""

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache

from .column_names import (
    ANSWER,
    CONVERSATION,
    NESTED,
    PROMPT,
    matching,
    may_be_answers,
    numbered_answers,
    plain_name,
)
from .errors import DataError
from .evaluation_logs import is_log, is_remark, record_of_log
from .record_files import Record
from .turns import ends_answered, exchanges_of, is_conversation

_SINGLE = frozenset((str, type(None), int, float, bool))
"""The types of values in which nothing can be nested."""


def flattened(source: str, records: Iterable[Record]) -> Iterator[Record]:
    """The answers of all records; ``source`` names them where one holds none that could be read."""
    for record in records:
        try:
            yield from _answers(record)
        except DataError as error:
            raise DataError(f"{source}, {error}") from None


def _answers(record: Record) -> Iterator[Record]:
    """The answers of a record: itself, or those that are nested in it, each with its question."""
    if _is_one_answer(record.values):
        yield record
        return
    if len(numbered := numbered_answers(record.values)) > 1:
        rest = {key: value for key, value in record.values.items() if key not in numbered}
        for place in numbered:
            yield Record(f"{record.place}, {place!r}", {**rest, "answer": record.values[place]})
        return
    if is_remark(record):
        return
    record = record_of_log(record)
    name = _nesting(record.values)
    answers = record.values[name] if name is not None else None
    if not isinstance(answers, list):
        yield record
        return
    rest = {key: value for key, value in record.values.items() if key != name}
    for number, answer in enumerate(_plain(answers), start=1):
        yield Record(f"{record.place}, answer {number}", {**rest, **_nested(answer)})


def _is_one_answer(values: Mapping[str, object]) -> bool:
    """Whether a record is one row as it is: so it is for each of a table's many lines."""
    return _SINGLE.issuperset(map(type, values.values())) and _are_of_one_answer(tuple(values))


@lru_cache(maxsize=256)
def _are_of_one_answer(names: tuple[str, ...]) -> bool:
    """Whether columns of single values are those of one answer, and of no log."""
    return len(numbered_answers(names)) < 2 and not is_log(names)


def _nesting(values: Mapping[str, object]) -> str | None:
    """The column with all answers to a question; None if there is none.

    It has a usual name, or is the only list beside a question that no other column answers.
    """
    if any(
        is_conversation(values[n]) and ends_answered(values[n])
        for n in matching(values, CONVERSATION)
    ):
        return None
    lists = [n for n, v in values.items() if _is_answers(v) and may_be_answers(n)]
    asked = matching(values, (*PROMPT, *CONVERSATION))
    if not asked:
        asked = [n for n in lists if all(matching(part, PROMPT) for part in _objects(values[n]))]
    usual = matching(lists, (*NESTED, *ANSWER))
    if asked and usual:
        return None if _in_turn(values[asked[0]], values[usual[0]]) else usual[0]
    others = [name for name in lists if name not in matching(lists, (*PROMPT, *CONVERSATION))]
    alone = len(others) == 1 and not matching(values, ANSWER)
    return others[0] if asked and alone else None


def _in_turn(questions: object, answers: object) -> bool:
    """Whether a list of questions and one of answers are the turns of one dialogue."""
    return isinstance(questions, list) and len(exchanges_of(questions, answers)) > 1


def _is_answers(value: object) -> bool:
    """Whether a value may be several answers: a list of texts or objects, no conversation."""
    if not isinstance(value, list) or not value or is_conversation(value):
        return False
    if all(isinstance(part, list) and len(part) == 1 for part in value):  # a list of lists of one
        value = [part[0] for part in value]
    given = [part for part in value if part is not None]
    return all(isinstance(part, str | dict) for part in given)


def _plain(answers: list[object]) -> list[object]:
    """Answers without the lists of one that some files put around each."""
    return [a[0] if isinstance(a, list) and len(a) == 1 else a for a in answers]


def _objects(value: object) -> list[dict[str, object]]:
    parts = value if isinstance(value, list) else []
    return [part for part in parts if isinstance(part, dict)] or [{}]


def _nested(answer: object) -> dict[str, object]:
    """A nested answer as columns: a text, or objects within objects."""
    if not isinstance(answer, dict):
        return {"answer": answer}
    flat: dict[str, object] = {}
    for name, value in answer.items():
        if isinstance(value, dict) and plain_name(name) in ANSWER:
            flat |= value
        elif isinstance(value, dict):
            flat |= {f"{name}.{key}": part for key, part in value.items()}
        else:
            flat[name] = value
    return flat
