"""What a server says in an error, from any usual form of body."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from html.parser import HTMLParser

from .waiting_times import parse_duration, wait_in_words

LONGEST = 300
"""Characters of a server's message that are shown."""
_TEXT_KEYS = (
    "message", "msg", "detail", "error_description", "errormessage", "error_message", "error",
    "faultstring", "status_msg", "title", "reason", "description",
)  # fmt: skip
"""Fields with the words of an error, in lower case, the most telling first."""
_INNER_KEYS = ("error", "errors", "detail", "fault", "base_resp")
"""Fields with an object that describes an error."""


@dataclass(frozen=True, kw_only=True)
class ErrorDetails:
    """An error as a server describes it; what it does not say is empty."""

    message: str = ""
    code: str = ""
    type: str = ""
    param: str = ""
    """The parameter of the request that is refused, if the server names one."""
    wait: float | None = None
    """Seconds that the server asks us to wait."""

    @property
    def status(self) -> int | None:
        """An HTTP status that the body names as its code, as gateways do in a response of 200."""
        number = int(self.code) if re.fullmatch("[1-5][0-9]{2}", self.code) else 0
        return number if number >= 400 else None

    @property
    def words(self) -> str:
        """Everything in lower case, to look words up in."""
        return f"{self.message} {self.code} {self.type}".lower()


def parse_error(body: bytes) -> ErrorDetails:
    """The error in a body: a JSON object or list of any usual form, HTML, or plain text."""
    text = body[:100_000].decode("utf-8-sig", "replace")
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        shown = clean(_html_text(text) if "<" in text[:200] else text)
        return ErrorDetails(message=shown, wait=wait_in_words(text))
    wait = _wait(data)
    return replace(_of_json(data), wait=wait_in_words(text) if wait is None else wait)


def has_error(data: Mapping[str, object]) -> bool:
    """Whether a JSON object without an answer describes an error."""
    return any(data.get(key) for key in (*_INNER_KEYS, "message", "msg"))


def clean(text: str, longest: int = LONGEST) -> str:
    """The text in one line, without control characters, and shortened."""
    shown = "".join(c if c.isprintable() else " " for c in text[: 4 * longest])
    shown = " ".join(shown.split())
    return shown if len(shown) <= longest else shown[: longest - 1] + "…"


def _of_json(data: object) -> ErrorDetails:
    """The most specific object: ``{"error": {...}}`` and lists of errors are unwrapped."""
    for _ in range(4):
        if isinstance(data, list) and data:
            if all(isinstance(item, dict) and "loc" in item for item in data):
                return _of_validation(data)
            data = data[0]
        elif isinstance(data, dict) and (inner := _inner(data)) is not None:
            data = inner
        else:
            break
    if not isinstance(data, dict):
        return ErrorDetails(message=clean(data if isinstance(data, str) else json.dumps(data)))
    fields = {str(key).lower(): value for key, value in data.items()}
    message = next((t for key in _TEXT_KEYS if (t := _text(fields.get(key)))), "")
    kind = next((t for key in ("type", "status", "__type") if (t := _text(fields.get(key)))), "")
    return ErrorDetails(
        message=clean(message or json.dumps(data)),
        code=clean(_text(fields.get("code", fields.get("status_code"))), 60),
        type=clean(kind, 60),
        param=clean(_text(fields.get("param")), 60),
    )


def _inner(data: Mapping[str, object]) -> object:
    for key in _INNER_KEYS:
        value = data.get(key)
        beside = key == "detail" and any(_text(data.get(k)) for k in ("message", "faultstring"))
        if value and isinstance(value, dict | list) and not beside:
            return value
    return None


def _of_validation(errors: list[dict[str, object]]) -> ErrorDetails:
    """FastAPI's list of errors: the place of each is the parameter's name."""
    places = [".".join(map(str, _without_body(error["loc"]))) for error in errors]
    messages = (f"{p}: {_text(e.get('msg'))}" for p, e in zip(places, errors, strict=True))
    return ErrorDetails(message=clean("; ".join(messages)), param=clean(places[0], 60))


def _without_body(place: object) -> Iterator[object]:
    parts = place if isinstance(place, list) else [place]
    yield from (part for part in parts if part != "body")


def _wait(data: object) -> float | None:
    """Seconds to wait, as a gateway or a server that is loading puts them in the body."""
    if isinstance(data, list) and data:
        return _wait(data[0])
    inner = _inner(data) if isinstance(data, dict) else None
    for fields in (data, inner):
        if isinstance(fields, dict):
            value = fields.get("retry_after", fields.get("estimated_time"))
            if isinstance(value, int | float) and 0 <= value < 1e6:
                return float(value)
            if (delay := _retry_delay(fields.get("details"))) is not None:
                return delay
    return None


def _retry_delay(details: object) -> float | None:
    """The delay in the ``RetryInfo`` of Google's errors."""
    parts = details if isinstance(details, list) else []
    delays = (part.get("retryDelay") for part in parts if isinstance(part, dict))
    return next((parse_duration(delay) for delay in delays if isinstance(delay, str)), None)


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else ""


class _HtmlText(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self._hidden += tag in ("script", "style")

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in ("script", "style")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.parts.append(data)


def _html_text(page: str) -> str:
    parser = _HtmlText()
    parser.feed(page)
    return " ".join(parser.parts) or page
