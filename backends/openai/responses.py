"""A chat answer, read strictly: what is missing in it never passes for an answer."""

from pydantic import BaseModel, TypeAdapter, ValidationError

from ..base import Completion, Request, Usage
from . import tokens
from .errors import InvalidResponseError


class _Message(BaseModel):
    content: str | None = None
    refusal: str | None = None


class _Choice(BaseModel):
    index: int = 0
    message: _Message
    finish_reason: str | None = None


class _Usage(BaseModel):
    prompt_tokens: int
    completion_tokens: int = 0


class ChatResponse(BaseModel):
    """What is read of an answer."""

    choices: list[_Choice]
    usage: _Usage | None = None


_REPLY = TypeAdapter(ChatResponse)


def parse(body: bytes) -> ChatResponse:
    """The answer in a body; raises :class:`InvalidResponseError` if it is none."""
    try:
        response = _REPLY.validate_json(body)
    except ValidationError as error:
        detail = error.errors(include_url=False)[0]
        place = ".".join(map(str, detail["loc"])) or "body"
        raise InvalidResponseError(f"{place}: {detail['msg']}") from None
    if not response.choices:
        raise InvalidResponseError("choices: there are none")
    return response


def completions(response: ChatResponse, request: Request, usage: Usage) -> list[Completion]:
    """The draws that came, numbered from the request's first; the first one has the usage."""
    indices = [choice.index for choice in response.choices]
    ordered = response.choices
    if sorted(indices) == list(range(len(indices))):
        ordered = sorted(response.choices, key=lambda choice: choice.index)
    return [
        _completion(choice, request, request.first + offset, None if offset else usage)
        for offset, choice in enumerate(ordered[: request.draws])
    ]


def failed(request: Request, error: str, usage: Usage | None = None) -> list[Completion]:
    """The record of why there are no answers to a request: one for each of its draws."""
    return [
        Completion(
            row=request.row,
            draw=request.first + offset,
            text=None,
            finish="error",
            error=error,
            usage=None if offset else usage,
        )
        for offset in range(request.draws)
    ]


def usage_of(response: ChatResponse, request: Request, *, lost: int) -> Usage:
    """What the call used: as the server counts, or the most that it can have been."""
    if response.usage is not None:
        given, made = response.usage.prompt_tokens, response.usage.completion_tokens
    else:
        given = tokens.prompt_upper_bound(request.messages)
        made = sum(tokens.upper_bound(choice.message.content or "") for choice in response.choices)
    return Usage(calls=1, input_tokens=given, output_tokens=made, lost=lost)


def _completion(choice: _Choice, request: Request, draw: int, usage: Usage | None) -> Completion:
    error = _error(choice)
    return Completion(
        row=request.row,
        draw=draw,
        text=None if error else choice.message.content,
        finish="error" if error else choice.finish_reason or "stop",
        error=error,
        usage=usage,
    )


def _error(choice: _Choice) -> str | None:
    if choice.message.refusal:
        return f"refused: {choice.message.refusal}"
    if choice.finish_reason not in ("stop", "length", None):
        return f"ended by {choice.finish_reason}"
    return "no content" if choice.message.content is None else None
