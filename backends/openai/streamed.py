"""Responses of servers that stream although they were not asked to: the events as one response."""

import json
from collections.abc import Mapping
from typing import TypedDict

from .errors import InvalidResponseError


class _Joined(TypedDict):
    index: int
    message: dict[str, object]
    finish_reason: object


def joined_events(body: bytes) -> Mapping[str, object]:
    """The response that server-sent events add up to; raises :class:`InvalidResponseError`."""
    choices: dict[int, _Joined] = {}
    whole: dict[str, object] = {}
    for line in body.decode("utf-8", "replace").splitlines():
        data = line.removeprefix("data:").strip()
        if not line.startswith("data:") or data in ("", "[DONE]"):
            continue
        event = _event(data)
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
        if isinstance(content, str):
            joined["message"]["content"] = f"{joined['message']['content']}{content}"
        if part.get("refusal"):
            joined["message"]["refusal"] = part["refusal"]
    joined["finish_reason"] = choice.get("finish_reason") or joined["finish_reason"]
