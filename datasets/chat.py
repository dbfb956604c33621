"""Chat JSONL, the one format that students are trained on; read and written here alone.

A line is ``{"messages": [{"role": ..., "content": ...}, ...]}`` and nothing else: roles
``system``, ``user`` and ``assistant``, text contents, at least one user turn, an assistant's turn
at the end. The reader is strict, since a row that a trainer skips in silence is a different
experiment.
"""

import codecs
import json
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Literal

from typing_extensions import TypedDict

from .errors import DataError

if TYPE_CHECKING:
    from pydantic import TypeAdapter, ValidationError


class Message(TypedDict):
    """One turn of a conversation."""

    role: Literal["system", "user", "assistant"]
    content: str


Conversation = Sequence[Message]


def conversation(
    user: str, *, system: str | None = None, answer: str | None = None
) -> list[Message]:
    """The turns of a plain exchange, in order; those not given are left out."""
    turns: list[Message] = []
    if system is not None:
        turns.append({"role": "system", "content": system})
    turns.append({"role": "user", "content": user})
    if answer is not None:
        turns.append({"role": "assistant", "content": answer})
    return turns


@lru_cache
def _line_type() -> "TypeAdapter[Any]":
    """What checks a line; made when it is needed, since spec files do not load pydantic."""
    from pydantic import BaseModel, ConfigDict, TypeAdapter

    class Line(BaseModel):
        model_config = ConfigDict(extra="forbid", strict=True)
        messages: list[Message]

    return TypeAdapter(Line)


def write(path: Path, conversations: Iterable[Conversation]) -> int:
    """Write one line a conversation; returns how many.

    Raises :class:`~limen.DataError` before writing a line that :func:`read` would refuse.
    """
    from pydantic import ValidationError

    count = 0
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for count, messages in enumerate(conversations, start=1):
            line = {"messages": list(messages)}
            try:
                _line_type().validate_python(line)
            except ValidationError as error:
                raise DataError(f"{path}: conversation {count}: {_first(error)}") from None
            if fault := _fault(messages):
                raise DataError(f"{path}: conversation {count}: {fault}")
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
    return count


def read(path: Path) -> Iterator[list[Message]]:
    """The conversations of a file, one after the other.

    A byte order mark and blank lines at the end are ignored. Raises :class:`~limen.DataError`,
    naming the file and the line, at the first line that is not exactly what the format allows:
    torn, foreign, blank before another line, or with an unknown key or role.
    """
    from pydantic import ValidationError

    with path.open("rb") as file:
        for number, line in _lines(file, path):
            try:
                messages: list[Message] = _line_type().validate_json(line).messages
            except ValidationError as error:
                raise DataError(f"{path}, line {number}: {_first(error)}") from None
            if fault := _fault(messages):
                raise DataError(f"{path}, line {number}: {fault}")
            yield messages


def _lines(file: BinaryIO, path: Path) -> Iterator[tuple[int, bytes]]:
    """The lines of a file with their numbers, without blank lines at its end."""
    blank: list[tuple[int, bytes]] = []
    for number, line in enumerate(file, start=1):
        if number == 1 and line.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            raise DataError(f"{path} is UTF-16, not UTF-8: save it as UTF-8")
        text = line.removeprefix(codecs.BOM_UTF8) if number == 1 else line
        if not text.strip():
            blank.append((number, text))
            continue
        yield from blank
        blank.clear()
        yield number, text


def _fault(messages: Conversation) -> str | None:
    if not messages or messages[-1]["role"] != "assistant":
        return "the last turn is not the assistant's: there is nothing to learn"
    if not any(message["role"] == "user" for message in messages):
        return "no turn is the user's"
    return None


def _first(error: "ValidationError") -> str:
    detail = error.errors(include_url=False)[0]
    place = ".".join(map(str, detail["loc"]))
    return f"{place}: {detail['msg']}" if place else detail["msg"]
