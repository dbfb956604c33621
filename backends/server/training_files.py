"""Training files as they are uploaded, validate and rewritten into the one format of limen."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError

from ...datasets import chat
from .protocol import RequestBody, refusal
from .request_bodies import Text

FEWEST = 10
"""Examples that a training file must have."""


class BadFileError(Exception):
    """A training or validation file that cannot be learned from."""

    def __init__(self, param: str, message: str, *, code: str | None = None) -> None:
        super().__init__(message)
        self.param = param
        self.code = code or f"invalid_{param}"


class _MessageBody(RequestBody):
    role: Literal["system", "developer", "user", "assistant"]
    content: Text
    weight: Literal[1] = 1

    def message(self) -> chat.Message:
        role = "system" if self.role == "developer" else self.role
        return {"role": role, "content": self.content}


class _Row(RequestBody):
    messages: Annotated[list[_MessageBody], Field(min_length=1)]


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
            if problem := _role_error([turn.role for turn in turns]):
                raise _bad(param, number, problem)
            yield [turn.message() for turn in turns]


def _role_error(roles: list[str]) -> str | None:
    if "assistant" not in roles:
        return "Example has no turn of the assistant: there is nothing to learn."
    if roles[-1] != "assistant":
        return "The last turn is not the assistant's."
    if "user" not in roles:
        return "Example has no turn of the user."
    return None


def _bad(param: str, number: int, problem: str) -> BadFileError:
    return BadFileError(param, f"Invalid file format. Line {number}: {problem}")
