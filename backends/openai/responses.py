"""Reading a chat response: tolerant of what servers add, leave out or spell in another way.

The text is used where there is one. Whatever was odd is named in :attr:`ChatResponse.oddities`, so
that it is counted and reported.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...datasets.unicode_text import is_writable, writable
from .. import token_estimates as tokens
from ..base import Completion, Request, Usage
from ..empty_answers import why_empty
from ..redaction import MARK
from .error_details import clean, has_error, parse_error
from .errors import ErrorInBodyError, InvalidResponseError
from .streamed import joined_events, joined_lines

Json = dict[str, Any]
BOM = b"\xef\xbb\xbf"
LENGTH = frozenset(
    {"incomplete", "length", "max_length", "max_output_tokens", "max_tokens", "model_length",
     "token_limit"}
)  # fmt: skip
FILTERED = frozenset(
    {"blocklist", "content_filter", "content_filtered", "moderation", "prohibited_content",
     "recitation", "refusal", "safety", "sensitive", "spii"}
)  # fmt: skip
BROKEN_OFF = frozenset(
    {"abort", "aborted", "cancelled", "error", "insufficient_system_resource", "network_error"}
)
"""Reasons of an answer that the server did not finish: no sample of what the model says."""


SECRET = f"{MARK} in an answer, where it had a key or a password of yours"
TEXT_KEYS = ("text", "content", "value", "parts")
"""Fields of a part that hold its text."""


@dataclass(frozen=True, kw_only=True)
class Choice:
    """One answer of a response."""

    index: int | None
    text: str | None
    finish: str
    error: str | None


@dataclass(frozen=True, kw_only=True)
class ChatResponse:
    """What is read of a response."""

    choices: tuple[Choice, ...]
    prompt_tokens: int | None
    completion_tokens: int | None
    oddities: tuple[str, ...] = ()
    """What was not as it should be, in words to be counted."""


def json_object(body: bytes) -> Json:
    """The JSON object in a body; raises as :func:`parse` does."""
    data = _unwrapped(_json(body, []), [])
    if "choices" not in data and has_error(data):
        raise ErrorInBodyError(parse_error(body))
    return dict(data)


def parse(body: bytes) -> ChatResponse:
    """The response in a body.

    Raises :class:`ErrorInBodyError` if the body describes an error, and
    :class:`InvalidResponseError` if it is no chat response.
    """
    odd: list[str] = []
    data = _unwrapped(_json(body, odd), odd)
    found = data.get("choices")
    choices = [c for c in found if isinstance(c, dict)] if isinstance(found, list) else []
    if not choices:
        if has_error(data):
            raise ErrorInBodyError(parse_error(body))
        raise InvalidResponseError(
            "choices: there are none" if "choices" in data else "it has no choices"
        )
    parsed = tuple(_choice(choice, odd) for choice in choices)
    if all(choice.get("error") for choice in choices) and not any(c.text for c in parsed):
        raise ErrorInBodyError(parse_error(json.dumps(choices[0]).encode()))
    usage = data.get("usage")
    given, made = _counts(usage if isinstance(usage, dict) else None, odd)
    return ChatResponse(
        choices=parsed,
        prompt_tokens=given,
        completion_tokens=made,
        oddities=tuple(dict.fromkeys(odd)),
    )


def completions(response: ChatResponse, request: Request, usage: Usage) -> list[Completion]:
    """The draws that came, numbered from the request's first; the first one has the usage."""
    indices = [c.index for c in response.choices if c.index is not None]
    ordered = list(response.choices)
    if sorted(indices) == list(range(len(ordered))):
        ordered.sort(key=lambda choice: choice.index or 0)
    return [
        Completion(
            row=request.row,
            draw=request.first + offset,
            text=None if choice.error else _cut(choice.text or "", request.stop),
            finish="error" if choice.error else choice.finish,
            error=choice.error,
            usage=None if offset else usage,
        )
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


def usage_of(response: ChatResponse, request: Request, *, lost: int) -> tuple[Usage, bool]:
    """What the call used, and whether the server reported more than it can have used.

    Counts that are missing are replaced by the most that they can have been, and none is taken to
    be more than that: the prompt is known, and the answer is limited.
    """
    most_given = tokens.call_upper_bound(request.messages)
    most_made = request.draws * request.max_tokens
    given, made = response.prompt_tokens, response.completion_tokens
    if made is None:
        made = min(most_made, sum(tokens.upper_bound(c.text or "") for c in response.choices))
    if given is None:
        given = tokens.prompt_upper_bound(request.messages)
    excessive = given > most_given or made > most_made
    usage = Usage(
        calls=1,
        input_tokens=min(given, most_given),
        output_tokens=min(made, most_made),
        lost=lost,
    )
    return usage, excessive


def counted_usage(data: Json, request: Request) -> Usage:
    """What a call for log-probabilities used, by its counts; see :func:`usage_of`."""
    usage = data.get("usage")
    given, made = _counts(usage if isinstance(usage, dict) else None, [])
    most_given = tokens.call_upper_bound(request.messages)
    return Usage(
        calls=1,
        input_tokens=most_given if given is None else min(given, most_given),
        output_tokens=request.max_tokens if made is None else min(made, request.max_tokens),
    )


def _unwrapped(data: Mapping[str, object], odd: list[str]) -> Mapping[str, object]:
    """The response inside the object of a gateway, which has fields of its own around it."""
    for key in () if "choices" in data else ("data", "response", "result"):
        inner = data.get(key)
        if isinstance(inner, dict) and "choices" in inner:
            odd.append(f"a response inside {key!r}")
            return inner
    return data


def _json(body: bytes, odd: list[str]) -> Mapping[str, object]:
    if body.removeprefix(BOM).lstrip().startswith((b"data:", b"event:", b":")):
        odd.append("a stream of events in place of one response")
        return joined_events(body.removeprefix(BOM))
    text = _decoded(body, odd)
    try:
        data = _loads(text.rstrip("\x00 \t\r\n"), odd)
    except (ValueError, RecursionError):
        if (joined := joined_lines(text)) is not None:
            odd.append("lines of JSON in place of one response")
            return joined
        shown = clean(parse_error(text.encode("utf-8", "replace")).message, 60)
        raise InvalidResponseError(f"this is not JSON: {shown!r}") from None
    if isinstance(data, list) and len(data) == 1 and isinstance(data[0], dict):
        data = data[0]
    if not isinstance(data, dict):
        raise InvalidResponseError("this is JSON, but no object")
    return data


def _decoded(body: bytes, odd: list[str]) -> str:
    """The text of a body in UTF-8 or, where its first bytes say so, in UTF-16 or UTF-32."""
    encoding = json.detect_encoding(body).removesuffix("-sig")
    try:
        text = body.decode(encoding)
    except UnicodeDecodeError:
        odd.append("bytes that are not UTF-8")
        text = body.decode("utf-8", "replace")
    if text.startswith("\ufeff"):
        odd.append("a byte order mark")
        text = text[1:]
    return text


def _loads(text: str, odd: list[str]) -> object:
    """The JSON in a text; control characters in it and numbers of any length are let pass."""
    try:
        data: object = json.loads(text)
    except ValueError:
        data = json.loads(text, strict=False, parse_int=float)
        odd.append("JSON with control characters or enormous numbers")
    if isinstance(data, str) and data.lstrip().startswith("{"):
        odd.append("JSON inside a text of JSON")
        data = json.loads(data)
    return data


def _choice(choice: Mapping[str, object], odd: list[str]) -> Choice:
    message = choice.get("message", choice.get("delta"))
    parts: Mapping[str, object] = message if isinstance(message, dict) else {}
    content = message if isinstance(message, str) else parts.get("content", choice.get("text"))
    text = _content(content, odd)
    finish, unfinished = _finish(choice.get("finish_reason"), odd)
    return Choice(
        index=whole_number(choice.get("index")),
        text=text,
        finish=finish,
        error=_error(choice, parts, text, unfinished),
    )


def _content(content: object, odd: list[str]) -> str | None:
    """The text of a content: a string, a part, or a list of parts."""
    if content is None:
        return None
    if isinstance(content, str):
        return _valid(content, odd)
    odd.append(f"content of type {type(content).__name__}")
    text = _part(content)
    return None if text is None else _valid(text, odd)


def _part(part: object, depth: int = 5) -> str | None:
    """The text of a part, of an object around it, or of a list of parts; None without one."""
    if isinstance(part, list) and depth:
        texts = [text for item in part if (text := _part(item, depth - 1)) is not None]
        return "".join(texts) if texts else None
    if isinstance(part, dict) and depth:
        if part.get("type") in ("reasoning", "thinking"):
            return None
        return _part(next((part[key] for key in TEXT_KEYS if key in part), None), depth - 1)
    if isinstance(part, str):
        return part
    is_number = isinstance(part, int | float) and not isinstance(part, bool)
    return json.dumps(part) if is_number else None


def _valid(text: str, odd: list[str]) -> str:
    """The text in valid Unicode: halves of surrogate pairs that stand alone are replaced."""
    if MARK in text:
        odd.append(SECRET)
    if not is_writable(text):
        odd.append("a lone surrogate")
    return writable(text)


def _finish(reason: object, odd: list[str]) -> tuple[str, str]:
    """``stop`` or ``length``, and the reason if it means that the answer is not whole."""
    if reason is None:
        return "stop", ""
    word = str(reason).strip().lower().removeprefix("finishreason.")
    if word in FILTERED | BROKEN_OFF:
        return "error", word
    if word not in ("stop", "length"):
        odd.append(f"finish_reason {clean(str(reason), 40)!r}")
    return ("length" if word in LENGTH else "stop"), ""


def _error(
    choice: Mapping[str, object], message: Mapping[str, object], text: str | None, unfinished: str
) -> str | None:
    """Why a choice is no answer; None if it is one."""
    if refusal := message.get("refusal"):
        return f"refused: {clean(str(refusal))}"
    if error := choice.get("error"):
        return f"the server reports: {parse_error(json.dumps(error).encode()).message}"
    if unfinished:
        return f"ended by {unfinished}"
    return None if text else _why_empty(message, text)


def _why_empty(message: Mapping[str, object], text: str | None) -> str | None:
    called = any(message.get(key) for key in ("tool_calls", "function_call"))
    reasoned = any(message.get(key) for key in ("reasoning_content", "reasoning", "thinking"))
    return why_empty(text, called_tool=called, reasoned=reasoned)


def _counts(usage: Mapping[str, object] | None, odd: list[str]) -> tuple[int | None, int | None]:
    names = (("prompt_tokens", "input_tokens"), ("completion_tokens", "output_tokens"))
    found: list[int | None] = []
    for one, other in names:
        value = None if usage is None else usage.get(one, usage.get(other))
        count = whole_number(value)
        if count is None or count < 0:
            odd.append("usage that is missing, partial or negative")
            count = None
        found.append(count)
    given, made = found
    total = None if usage is None else whole_number(usage.get("total_tokens"))
    if given is not None and total is not None and total > given:
        made = max(made or 0, total - given)  # reasoning may be counted in the total alone
    return given, made


def whole_number(value: object) -> int | None:
    """A whole number, also from text or from a float."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return int(float(value))
    except (ValueError, OverflowError):
        return None


def _cut(text: str, stop: tuple[str, ...]) -> str:
    """The text before the first stop text: a server may not know of them."""
    places = [place for end in stop if end and (place := text.find(end)) >= 0]
    return text[: min(places)] if places else text
