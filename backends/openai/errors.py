"""What can go wrong with a call, sorted by what is to be done about it."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeVar

from ...datasets.errors import BackendError

T = TypeVar("T")


class FailureKind(Enum):
    """What to do about a failure."""

    TRANSPORT = "try again"
    RATE = "wait, then try again"
    TOO_MANY = "ask for fewer draws a call"
    CONTENT = "record it"
    FATAL = "stop, and say so"


QUOTA = frozenset(
    {"insufficient_quota", "billing_hard_limit_reached", "billing_not_active", "quota_exceeded"}
)
CONTENT = frozenset(
    {
        "content_filter", "content_policy_violation", "context_length_exceeded",
        "invalid_prompt", "moderation_blocked", "string_above_max_length",
    }
)  # fmt: skip
REMEDIES = {
    401: "check OPENAI_API_KEY",
    403: "this key may not do that: check its project and permissions",
    404: "check the model's name and OPENAI_BASE_URL",
}


class InvalidResponseError(Exception):
    """An answer came, and was no answer: not JSON, or without the parts that it must have."""


@dataclass(frozen=True, kw_only=True)
class Failure:
    """One failure: what to do, what the server said, and what it may have cost."""

    kind: FailureKind
    message: str
    wait: float | None = None
    """Seconds that the server asked to be left alone."""
    maybe_charged: bool = False
    """Whether the work may have been done although no answer arrived."""
    sent: bool = True
    """Whether the server may have seen the request at all."""


def classify(error: Exception) -> Failure:
    """Sort an exception of the SDK, or of the transport below it."""
    import httpx2
    import openai

    if isinstance(error, openai.APIStatusError):
        return _of_status(error)
    if isinstance(error, InvalidResponseError | json.JSONDecodeError | UnicodeDecodeError):
        return Failure(
            kind=FailureKind.TRANSPORT, message=f"broken answer: {error}", maybe_charged=True
        )
    if isinstance(error, TimeoutError | openai.APITimeoutError):
        return Failure(kind=FailureKind.TRANSPORT, message="no answer in time", maybe_charged=True)
    if isinstance(error, openai.APIConnectionError | httpx2.HTTPError):
        cause = error.__cause__ or error
        refused = isinstance(cause, httpx2.ConnectError | httpx2.ConnectTimeout)
        message = f"connection failed: {str(cause) or type(cause).__name__}"
        return Failure(
            kind=FailureKind.TRANSPORT, message=message, maybe_charged=not refused, sent=not refused
        )
    if isinstance(error, openai.OpenAIError):
        return Failure(kind=FailureKind.FATAL, message=str(error))
    return Failure(kind=FailureKind.FATAL, message=f"{type(error).__name__}: {error}")


def require(found: T, *parts: str) -> T:
    """What the SDK gave, if it is what it should be; raises :class:`InvalidResponseError` if not.

    The SDK hands out a page of HTML as a ``str``, and objects without parts that they must have.
    """
    if isinstance(found, str):
        raise InvalidResponseError(f"this is no API: {found[:60]!r}")
    for part in parts:
        if getattr(found, part, None) is None:
            raise InvalidResponseError(f"the answer has no {part!r}")
    return found


def require_page(ask: Callable[[], T]) -> T:
    """A page of a list; on HTML in its place the SDK stumbles over an attribute."""
    try:
        return require(ask(), "data")
    except AttributeError:
        raise InvalidResponseError("this is no API: no list came") from None


def backend_error(message: str, doing: str, remedy: str = "") -> BackendError:
    """The one clear error that a run ends with."""
    advice = remedy or "everything finished is kept; run the same command again to go on"
    return BackendError(f"{doing}: {message.strip().rstrip('.')} ({advice})")


def _of_status(error: Any) -> Failure:
    status, code = int(error.status_code), str(error.code or "")
    message = f"{_said(error)} (HTTP {status}{', ' + code if code else ''})"
    if code in QUOTA or str(error.type or "") in QUOTA:
        return Failure(kind=FailureKind.FATAL, message=f"the account's quota is used up: {message}")
    if status == 429:
        never = error.response.headers.get("x-should-retry") == "false"
        kind = FailureKind.TOO_MANY if never or "too large" in message.lower() else FailureKind.RATE
        return Failure(kind=kind, message=message, wait=retry_after(error.response.headers))
    if status in (408, 409) or status >= 500:
        return Failure(
            kind=FailureKind.TRANSPORT, message=message, wait=retry_after(error.response.headers)
        )
    if error.param == "n" or (status in (400, 422) and _about_n(_said(error))):
        return Failure(kind=FailureKind.TOO_MANY, message=message)
    if code in CONTENT or str(error.type or "") in CONTENT:
        return Failure(kind=FailureKind.CONTENT, message=message)
    return Failure(
        kind=FailureKind.FATAL,
        message=f"{message}; {REMEDIES.get(status, 'the server rejected the request')}",
    )


def _said(error: Any) -> str:
    body = error.body
    if isinstance(body, Mapping) and body.get("message"):
        return str(body["message"])[:500]
    return str(error.message)[:200]


def _about_n(message: str) -> bool:
    words = message.replace("'", " ").replace("`", " ").replace('"', " ").split()
    return "n" in (word.strip(".,:;()") for word in words)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """The seconds that a server asks to be left alone; None if it says nothing."""
    for name, unit in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        try:
            return max(0.0, float(headers[name]) / unit)
        except (KeyError, ValueError):
            continue
    return None
