"""Responses of servers that stream although they were not asked to: the events as one response."""

import json
from collections.abc import Iterable, Mapping
from typing import TypedDict

from .error_details import parse_error
from .errors import ErrorInBodyError, InvalidResponseError


class _Joined(TypedDict):
    index: int
    message: dict[str, object]
    finish_reason: object


def joined_events(body: bytes) -> Mapping[str, object]:
    """The response that server-sent events add up to.

    Raises :class:`InvalidResponseError`, and :class:`ErrorInBodyError` if an event is an error.
    """
    lines = body.decode("utf-8", "replace").splitlines()
    data = [line.removeprefix("data:").strip() for line in lines if line.startswith("data:")]
    return _joined(_event(text) for text in data if text not in ("", "[DONE]"))


def joined_lines(text: str) -> Mapping[str, object] | None:
    """The response that lines of JSON add up to; None if they are no parts of a response."""
    lines = [line for line in text.splitlines() if line.strip()]
    if len(lines) < 2:
        return None
    try:
        events = [_event(line) for line in lines]
    except InvalidResponseError:
        return None
    return _joined(events) if any(event.get("choices") for event in events) else None


def _joined(events: Iterable[Mapping[str, object]]) -> Mapping[str, object]:
    choices: dict[int, _Joined] = {}
    whole: dict[str, object] = {}
    for event in events:
        if event.get("error"):  # what came before it is no whole answer
            raise ErrorInBodyError(parse_error(json.dumps(event).encode()))
        for choice in _list(event.get("choices")):
            _add(choices, choice)
        whole |= {k: v for k, v in event.items() if k != "choices" and v is not None}
    return {**whole, "choices": [choices[index] for index in sorted(choices)]}


def _event(data: str) -> dict[str, object]:
    try:
        event = json.loads(data)
    except ValueError:
        raise InvalidResponseError("an event of the stream is not JSON") from None
    return event if isinstance(event, dict) else {}


def _list(value: object) -> list[dict[str, object]]:
    return [v for v in value if isinstance(v, dict)] if isinstance(value, list) else []


def _add(choices: dict[int, _Joined], choice: Mapping[str, object]) -> None:
    number = choice.get("index")
    index = number if isinstance(number, int) else 0
    joined = choices.setdefault(
        index, {"index": index, "message": {"content": ""}, "finish_reason": None}
    )
    part = choice.get("delta", choice.get("message"))
    if isinstance(part, dict):
        content = part.get("content")
        for item in content if isinstance(content, list) else [content]:
            text = item.get("text") if isinstance(item, dict) else item
            if isinstance(text, str):
                joined["message"]["content"] = f"{joined['message']['content']}{text}"
        if part.get("refusal"):
            joined["message"]["refusal"] = part["refusal"]
    joined["finish_reason"] = choice.get("finish_reason") or joined["finish_reason"]
