"""Training files as they are uploaded, checked and rewritten into the one format of limen."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError

from ...datasets import chat
from .bodies import Text
from .wire import Body, refusal

FEWEST = 10
"""Examples that a training file must have."""


class BadFileError(Exception):
    """A training or validation file that cannot be learned from."""

    def __init__(self, param: str, message: str, *, code: str | None = None) -> None:
        super().__init__(message)
        self.param = param
        self.code = code or f"invalid_{param}"


class _Turn(Body):
    role: Literal["system", "developer", "user", "assistant"]
    content: Text
    weight: Literal[1] = 1

    def message(self) -> chat.Message:
        role = "system" if self.role == "developer" else self.role
        return {"role": role, "content": self.content}


class _Row(Body):
    messages: Annotated[list[_Turn], Field(min_length=1)]


def rewrite(source: Path, target: Path, *, param: str) -> int:
    """Write what an engine reads; returns how many examples there are.

    Raises :class:`BadFileError`, naming the line.
    """
    count = chat.write(target, _conversations(source, param))
    fewest = FEWEST if param == "training_file" else 1
    if count < fewest:
        raise BadFileError(
            param,
            f"The {param.replace('_', ' ')} has {count} example(s), but must have at least "
            f"{fewest} examples.",
            code="invalid_n_examples",
        )
    return count


def _conversations(source: Path, param: str) -> Iterator[chat.Conversation]:
    with source.open("rb") as file:
        for number, line in enumerate(file, start=1):
            try:
                turns = _Row.model_validate_json(line).messages
            except ValidationError as error:
                raise _bad(param, number, str(refusal(error))) from None
            if fault := _fault([turn.role for turn in turns]):
                raise _bad(param, number, fault)
            yield [turn.message() for turn in turns]


def _fault(roles: list[str]) -> str | None:
    if "assistant" not in roles:
        return "Example has no turn of the assistant: there is nothing to learn."
    if roles[-1] != "assistant":
        return "The last turn is not the assistant's."
    if "user" not in roles:
        return "Example has no turn of the user."
    return None


def _bad(param: str, number: int, fault: str) -> BadFileError:
    return BadFileError(param, f"Invalid file format. Line {number}: {fault}")
