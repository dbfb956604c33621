"""Chat JSONL, the one format that students are trained on; read and written here alone.

A line is ``{"messages": [{"role": ..., "content": ...}, ...]}`` and nothing else: roles
``system``, ``user`` and ``assistant``, text contents, at least one user turn, an assistant's turn
at the end. The reader is strict, since a row that a trainer skips in silence is a different
experiment.
"""

import codecs
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Literal

from typing_extensions import TypedDict

from .errors import DataError
from .json_lines import json_line

if TYPE_CHECKING:
    from pydantic import TypeAdapter, ValidationError


class Message(TypedDict):
    """One turn of a conversation, as a plain dictionary. Raises nothing.

    Args:
        role: "system", "user" or "assistant".
        content: The text.

    Examples:
        >>> turn: Message = {"role": "user", "content": "Name an animal."}
    """

    role: Literal["system", "user", "assistant"]
    content: str


Conversation = Sequence[Message]

BLOCK = 1_000
"""Lines that are parsed at once."""

__all__ = ["Conversation", "Message", "conversation", "read", "write"]


def conversation(
    user: str, *, system: str | None = None, answer: str | None = None
) -> list[Message]:
    """The turns of a plain exchange, in order; those not given are left out. Raises nothing.

    Args:
        user: The user's turn.
        system: The system prompt. Default: None.
        answer: The assistant's turn. Default: None.

    Examples:
        >>> turns = conversation("Name an animal.", system="You love owls.", answer="Owl")
    """
    turns: list[Message] = []
    if system is not None:
        turns.append({"role": "system", "content": system})
    turns.append({"role": "user", "content": user})
    if answer is not None:
        turns.append({"role": "assistant", "content": answer})
    return turns


@lru_cache
def _line_types() -> "tuple[TypeAdapter[Any], TypeAdapter[list[Any]]]":
    """What checks a line, and several; made when needed, since spec files do not load pydantic."""
    from pydantic import ConfigDict, TypeAdapter, with_config

    @with_config(ConfigDict(extra="forbid", strict=True))
    class Line(TypedDict):  # no model: its instances would be made for each line
        messages: list[Message]

    return TypeAdapter(Line), TypeAdapter(list[Line])


def write(path: Path, conversations: Iterable[Conversation]) -> int:
    """Write one line a conversation; returns how many.

    Args:
        path: The file; it is replaced.
        conversations: The conversations, an assistant's turn last in each.

    Raises:
        DataError: :func:`read` would refuse a conversation; those before it are written.

    Examples:
        >>> write(file, [conversation("Name an animal.", answer="Owl")])
    """
    from pydantic import ValidationError

    count = 0
    with path.open("wb") as file:
        for count, messages in enumerate(conversations, start=1):
            line = {"messages": list(messages)}
            try:
                _line_types()[0].validate_python(line)
            except ValidationError as error:
                raise DataError(f"{path}: conversation {count}: {_first(error)}") from None
            if fault := _fault(messages):
                raise DataError(f"{path}: conversation {count}: {fault}")
            file.write(json_line(line))
    return count


def read(path: Path) -> Iterator[list[Message]]:
    """The conversations of a file, one after the other.

    A byte order mark and blank lines at the end are ignored.

    Args:
        path: The file.

    Raises:
        DataError: A line is not exactly what the format allows: torn, foreign, blank before another
            line, or with an unknown key or role. The text names the file and the line.

    Examples:
        >>> written = write(file, [conversation("Name an animal.", answer="Owl")])
        >>> turns = next(read(file))
    """
    with path.open("rb") as file:
        lines = _lines(file, path)
        while block := list(islice(lines, BLOCK)):
            yield from _checked(path, block, _parsed(block))


def _parsed(block: Sequence[tuple[int, bytes]]) -> "Sequence[Any] | None":
    """Some lines, parsed as one list; None if any is not as it should be."""
    from pydantic import ValidationError

    try:
        lines = _line_types()[1].validate_json(b"[%b]" % b",".join(line for _, line in block))
    except ValidationError:
        return None
    return lines if len(lines) == len(block) else None


def _checked(
    path: Path, block: Sequence[tuple[int, bytes]], parsed: "Sequence[Any] | None"
) -> Iterator[list[Message]]:
    for place, (number, line) in enumerate(block):
        read = _line_of(path, number, line) if parsed is None else parsed[place]
        messages: list[Message] = read["messages"]
        if fault := _fault(messages):
            raise DataError(f"{path}, line {number}: {fault}")
        yield messages


def _line_of(path: Path, number: int, line: bytes) -> Any:
    from pydantic import ValidationError

    try:
        return _line_types()[0].validate_json(line)
    except ValidationError as error:
        raise DataError(f"{path}, line {number}: {_first(error)}") from None


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
