"""What all endpoints share: errors in OpenAI's shape, JSON bodies, ids, pages of lists."""

import re
import secrets
import string
import time
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import pydantic_core
from pydantic import BaseModel, ConfigDict, ValidationError, model_validator
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message, Receive

JsonObject = dict[str, Any]
"""A JSON object of the API."""

MAX_BODY = 4 * 2**20
"""Bytes of a JSON body: more than any prompt that a model here can take."""
_ALPHABET = string.ascii_letters + string.digits
_CODES = {
    "missing": "missing_required_parameter",
    "extra_forbidden": "unknown_parameter",
    "less_than_equal": "above_max_value",
    "greater_than_equal": "below_min_value",
    "greater_than": "below_min_value",
    "unsupported": "unsupported_parameter",
}


class ApiError(Exception):
    """An error response in OpenAI's shape."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        kind: str = "invalid_request_error",
        param: str | None = None,
        code: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.headers = dict(headers or {})
        self.body: JsonObject = {
            "error": {"message": message, "type": kind, "param": param, "code": code}
        }

    def response(self) -> "JsonResponse":
        """The answer that tells it."""
        return JsonResponse(self.body, status_code=self.status, headers=self.headers)


class JsonResponse(Response):
    """A JSON answer."""

    media_type = "application/json"

    def render(self, content: object) -> bytes:
        return pydantic_core.to_json(content)


class RequestBody(BaseModel):
    """A request's JSON body: no unknown keys, no conversions; ``null`` is as good as absent."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, data: object) -> object:
        if not isinstance(data, dict):
            return data
        return {name: value for name, value in data.items() if value is not None}


Read = TypeVar("Read", bound=RequestBody)


async def read(request: Request, kind: type[Read]) -> Read:
    """The request's body as the model says; raises :class:`ApiError`."""
    limited = Request(request.scope, limited_receive(request.receive, MAX_BODY))
    text = await limited.body()
    try:
        return kind.model_validate_json(text)
    except ValidationError as error:
        raise refusal(error) from None


def validate(body: object, kind: type[Read]) -> Read:
    """What was JSON, as the model says; raises :class:`ApiError`."""
    try:
        return kind.model_validate(body)
    except ValidationError as error:
        raise refusal(error) from None


def limited_receive(receive: Receive, limit: int) -> Receive:
    """The same, but raising :class:`ApiError` once more than ``limit`` bytes have come.

    What has come is counted: a Content-Length may lie, or be absent.
    """
    taken = 0

    async def receive_some() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > limit:
            raise too_large(limit)
        return message

    return receive_some


def too_large(limit: int) -> ApiError:
    """More bytes came than are allowed."""
    return ApiError(
        413,
        f"The request is too large: at most {limit} bytes are accepted here.",
        code="content_too_large",
    )


def refusal(error: ValidationError) -> ApiError:
    """The first thing that is wrong, as OpenAI would put it; a body's values are not echoed."""
    error_details = error.errors(include_url=False, include_input=False)[0]
    kind, param = error_details["type"], location(error_details["loc"])
    detail = error_details["msg"].removeprefix("Value error, ")
    if kind == "json_invalid":
        return ApiError(400, f"We could not parse the JSON body of your request. ({detail})")
    if kind == "extra_forbidden":
        message = f"Unrecognized request argument supplied: {param}"
    elif kind == "missing":
        message = f"Missing required parameter: '{param}'."
    elif kind == "too_long" and error_details.get("ctx", {}).get("max_length") == 0:
        message = f"Unsupported parameter: '{param}' must be empty here, or left out."
        kind = "unsupported"
    else:
        message = f"Invalid '{param}': {detail}." if param else f"{detail}."
    return ApiError(400, message, param=param or None, code=_CODES.get(kind, "invalid_value"))


def location(path: Sequence[int | str]) -> str:
    """Where in a body something stands, as in ``messages[0].content``."""
    parts = (f"[{part}]" if isinstance(part, int) else f".{part[:100]}" for part in path)
    return "".join(parts).removeprefix(".")


def new_id(prefix: str) -> str:
    """A fresh random id, as in ``file-...``."""
    bits = secrets.randbits(143)  # asked for at once: entropy may be dear
    letters = (_ALPHABET[bits // 62**digit % 62] for digit in range(24))
    return f"{prefix}-{''.join(letters)}"


def is_id(text: str, prefix: str) -> bool:
    """Whether the text can be an id with that prefix, and nothing else: a path least of all."""
    return re.fullmatch(rf"{prefix}-[A-Za-z0-9]{{1,64}}", text) is not None


def now() -> int:
    """The time, as the wire tells times."""
    return int(time.time())


def no_such(what: str, name: str, *, param: str = "id") -> ApiError:
    """Nothing there by that id."""
    return ApiError(404, f"No such {what}: {name[:200]}", param=param)


def page(
    request: Request, items: Sequence[JsonObject], *, default: int = 20, most: int = 100
) -> JsonResponse:
    """The part of a list that the request's ``limit`` and ``after`` ask for."""
    limit = _limit(request, default, most)
    start = 0
    if after := request.query_params.get("after"):
        ids = [item["id"] for item in items]
        if after not in ids:
            raise no_such("object", after, param="after")
        start = ids.index(after) + 1
    part = items[start : start + limit]
    return JsonResponse(
        {
            "object": "list",
            "data": part,
            "first_id": part[0]["id"] if part else None,
            "last_id": part[-1]["id"] if part else None,
            "has_more": len(items) > start + limit,
        }
    )


def _limit(request: Request, default: int, most: int) -> int:
    text = request.query_params.get("limit", str(default))
    if not re.fullmatch(r"[0-9]{1,9}", text, re.ASCII) or not 1 <= int(text) <= most:
        raise ApiError(400, f"Invalid 'limit': it must be between 1 and {most}.", param="limit")
    return int(text)
