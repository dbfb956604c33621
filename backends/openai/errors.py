"""What can go wrong with a call, classified by what is to be done about it.

A failure is recognised by its status and by the fields of the error first, by the words last: the
same refusal has other words on every server.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import TYPE_CHECKING, TypeVar

from ...datasets.errors import BackendError
from .error_details import ErrorDetails, clean, parse_error
from .waiting_times import MAX_RETRY_AFTER, retry_after

if TYPE_CHECKING:
    from openai import APIStatusError

T = TypeVar("T")


class FailureKind(Enum):
    """What to do about a failure."""

    TRANSPORT = "no answer: try again"
    SERVER = "an error of the server: try again"
    INVALID = "a response without an answer: try again"
    RATE = "wait, then try again"
    REFUSED = "the server refuses the request as it is: send it in another form"
    CONTENT = "record it"
    FATAL = "stop"


TRANSIENT = frozenset({FailureKind.TRANSPORT, FailureKind.SERVER, FailureKind.INVALID})
"""Kinds after which the same request is sent again."""
FORM = frozenset({FailureKind.SERVER, FailureKind.INVALID, FailureKind.REFUSED})
"""Kinds that a parameter may be the cause of, which the server does not know or not accept."""
QUOTA = frozenset(
    {"insufficient_quota", "billing_hard_limit_reached", "billing_not_active", "quota_exceeded"}
)
RATE_CODES = frozenset(
    {"rate_limit_error", "rate_limit_exceeded", "ratelimitexceeded", "resource_exhausted",
     "throttlingexception", "too_many_requests"}
)  # fmt: skip
"""What a rate limit is called where the status is another than 429."""
TOO_LONG = frozenset(
    {"context_length_exceeded", "exceed_context_size_error", "string_above_max_length"}
)
CONTENT = TOO_LONG | {
    "content_filter", "content_policy_violation", "invalid_prompt", "moderation_blocked",
    "responsibleaipolicyviolation",
}  # fmt: skip
SILENT = "no answer in time"
REMEDIES = {
    401: "check OPENAI_API_KEY",
    402: "the account has no credit left",
    403: "this key may not do that: check its project and permissions",
    404: "check the model's name and OPENAI_BASE_URL, which usually ends in /v1",
    405: "check OPENAI_BASE_URL, which usually ends in /v1",
    407: "the proxy wants a login: check HTTPS_PROXY",
}
_QUOTA_WORDS = re.compile(
    r"(insufficient|exceeded|out of|used up|no) .{0,20}(quota|credit|balance|funds)"
    r"|(quota|credit|balance|funds).{0,20}(too low|insufficient|exhausted|used up)"
    r"|billing.{0,30}(not active|inactive|disabled|hard limit|limit (was |has been )?reached)"
    r"|payment required"
)
_RATE_WORDS = re.compile(r"rate.?limit|too many requests|throttl")
_CONTEXT_WORDS = re.compile(
    r"(context|prompt|input|sequence).{0,40}(exceed|too (long|large)|length|window|size)"
    r"|(exceed|longer than|larger than).{0,40}(context|n_ctx|max_model_len)|too many tokens"
)
_OVER_CONTEXT_WORDS = re.compile(
    r"too (large|long|many).{0,80}context|(exceed|larger than|greater than).{0,60}context"
    r"|context.{0,20}(length|window|size).{0,100}(exceed|too (large|long|many)|request)"
)
"""What a request is refused for whose prompt and limit of tokens are more than the context."""
_FILTER_WORDS = re.compile(r"content.?(filter|policy|management)|moderation|flagged|safety")
_LOADING_WORDS = re.compile(r"load(ing)?\b.{0,30}model|model.{0,30}\bload(ing|ed)?\b|warming up")
_STILL_LOADING_WORDS = re.compile(
    r"\bloading (the )?model|model( \S+)? is( still| currently| being)? load(ing|ed)|warming up"
)
_FAILED_WORDS = re.compile(
    r"fail|could not|cannot|can't|unable|error (while )?loading|out of memory"
)
_MODEL_WORDS = re.compile(
    r"model.{0,60}(not (found|exist|available|loaded)|does(n't| not) exist)"
    r"|(unknown|no such|invalid) model|model_not_found|no models? loaded"
)


_NO_TEMPLATE_WORDS = re.compile(
    r"(\bno|not|without|missing|must provide)\b.{0,40}chat.?template"
    r"|chat.?template.{0,40}(not|missing|no longer|required|none|null)\b"
    r"|not a chat model|(does not|doesn't) support.{0,20}chat|chat.{0,40}not supported"
)
"""What servers say of a model that only continues texts."""
NO_TEMPLATE_HINT = (
    "if the model has no chat template, ask it in plain text: --limen-openai-endpoint completions"
)


class InvalidResponseError(Exception):
    """A response came, and is no answer: not JSON, or without the parts that it must have."""


class ErrorInBodyError(InvalidResponseError):
    """A response of status 200 whose body describes an error."""

    def __init__(self, details: ErrorDetails) -> None:
        super().__init__(details.message)
        self.details = details


@dataclass(frozen=True, kw_only=True)
class Failure:
    """One failure: what to do, what the server said, and what it may have cost."""

    kind: FailureKind
    message: str
    wait: float | None = None
    """Seconds that the server asked us to wait."""
    maybe_charged: bool = False
    """Whether the work may have been done although no answer arrived."""
    sent: bool = True
    """Whether the server may have seen the request at all."""
    status: int | None = None
    details: ErrorDetails = field(default_factory=ErrorDetails)

    @property
    def signature(self) -> tuple[object, ...]:
        """Equal for two failures of the same cause: numbers in the messages do not count."""
        return self.kind, self.status, re.sub(r"[0-9]+", "#", self.message)

    @property
    def loading(self) -> bool:
        """Whether the server is still loading its model."""
        says = self.details.words
        words = _LOADING_WORDS if self.status == 503 else _STILL_LOADING_WORDS
        if self.status not in _BUSY_STATUSES or _FAILED_WORDS.search(says):
            return False
        return bool(words.search(says))

    @property
    def silent(self) -> bool:
        """Whether the server sent nothing at all in the time it had."""
        return self.kind is FailureKind.TRANSPORT and self.message == SILENT

    @property
    def too_long(self) -> bool:
        """Whether the request has more tokens than the model's context, and was refused for it."""
        if self.kind is not FailureKind.CONTENT:
            return False
        says = self.details
        if {says.code.lower(), says.type.lower()} & CONTENT:
            return bool({says.code.lower(), says.type.lower()} & TOO_LONG)
        return bool(_CONTEXT_WORDS.search(says.words)) and not _FILTER_WORDS.search(says.words)

    @property
    def may_concern_form(self) -> bool:
        """Whether a parameter may be the cause, of a server that answers simpler requests."""
        return self.status in (403, 404, 405, 501) and not (
            self.unknown_model or _is_quota(self.status, self.details, self.wait)
        )

    @property
    def lacks_template(self) -> bool:
        """Whether the server says that the model takes no chats."""
        return bool(_NO_TEMPLATE_WORDS.search(self.details.words))

    @property
    def unknown_model(self) -> bool:
        """Whether the server does not have the model."""
        return _is_unknown_model(self.details)


def classify(error: Exception) -> Failure:
    """The failure behind an exception of the SDK, or of the transport below it."""
    import httpx2
    import openai

    if isinstance(error, openai.APIStatusError):
        return _of_response(error)
    if isinstance(error, ErrorInBodyError):
        return _of_error_body(error.details)
    if isinstance(error, InvalidResponseError | json.JSONDecodeError | UnicodeDecodeError):
        message = f"broken answer: {clean(str(error))}"
        return Failure(kind=FailureKind.INVALID, message=message, maybe_charged=True)
    if isinstance(error, TimeoutError | openai.APITimeoutError):
        return Failure(kind=FailureKind.TRANSPORT, message=SILENT, maybe_charged=True)
    if isinstance(error, openai.APIConnectionError | httpx2.HTTPError):
        return _of_connection(error)
    return _of_other(error)


def require(found: T, *parts: str) -> T:
    """What the SDK gave, if it is what it should be; raises :class:`InvalidResponseError` if not.

    The SDK hands out a page of HTML as a ``str``, and objects without parts that they must have.
    """
    if isinstance(found, str):
        raise InvalidResponseError(f"this is no API: {clean(found, 60)!r}")
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


def _of_response(error: "APIStatusError") -> Failure:
    response = error.response
    details = parse_error(response.content)
    headers: Mapping[str, str] = response.headers
    return failure_of(error.status_code, details, headers)


def _of_error_body(details: ErrorDetails) -> Failure:
    """An error in a response of status 200: its code may be the status that was meant."""
    return failure_of(details.status or 200, details, {})


def failure_of(status: int, details: ErrorDetails, headers: Mapping[str, str]) -> Failure:
    """The failure that a status, an error's description and the response's headers mean."""
    code = details.code if details.code != str(status) else ""
    said = details.message or "no reason given"
    message = f"{said} (HTTP {status}{', ' + code if code else ''})"
    asked = retry_after(headers)
    wait = details.wait if asked is None else asked
    kind = _kind(status, details, headers, wait)
    if kind is FailureKind.FATAL:
        quota = _is_quota(status, details, wait)
        advice = REMEDIES.get(status, "the server rejected the request")
        message = f"the account's quota is used up: {message}" if quota else f"{message}; {advice}"
    failure = Failure(kind=kind, message=message, status=status, details=details, wait=wait)
    if failure.lacks_template:
        return replace(failure, message=f"{message}; {NO_TEMPLATE_HINT}")
    return failure


def _kind(
    status: int, details: ErrorDetails, headers: Mapping[str, str], wait: float | None
) -> FailureKind:
    """Status and structure first, words last."""
    too_large = "too large" in details.words or headers.get("x-should-retry") == "false"
    rules = (
        (_is_quota(status, details, wait), FailureKind.FATAL),
        (status == 429 and too_large, FailureKind.REFUSED),
        (status == 429 or _is_rate(status, details), FailureKind.RATE),
        (_is_content(status, details), FailureKind.CONTENT),
        (status in _MODEL_STATUSES and _is_unknown_model(details), FailureKind.FATAL),
        (status in (408, 409, 425), FailureKind.TRANSPORT),
        (status >= 500 and status != 501, FailureKind.SERVER),
        (status in (401, 402, 403, 404, 405, 407, 410, 501), FailureKind.FATAL),
    )
    return next((kind for holds, kind in rules if holds), FailureKind.REFUSED)


def _is_quota(status: int, details: ErrorDetails, wait: float | None) -> bool:
    """Whether an account is used up: by its code, or by words that nothing speaks against.

    A limit a minute is a "quota" to some servers: they say so by the code, or say when it ends.
    """
    if {details.code, details.type} & QUOTA or status == 402:
        return True
    passes = _has_rate_code(details) or (wait is not None and wait <= MAX_RETRY_AFTER)
    worded = status in (200, 400, 403, 429) and _QUOTA_WORDS.search(details.words)
    return bool(worded) and not passes


def _has_rate_code(details: ErrorDetails) -> bool:
    return bool({details.code.lower(), details.type.lower()} & RATE_CODES)


def _is_rate(status: int, details: ErrorDetails) -> bool:
    if _has_rate_code(details):
        return True
    return status in (200, 403) and bool(_RATE_WORDS.search(details.words))


def _is_unknown_model(details: ErrorDetails) -> bool:
    if details.param in _PARAMETERS:
        return details.param == "model"
    return details.code == "model_not_found" or bool(_MODEL_WORDS.search(details.words))


def _is_content(status: int, details: ErrorDetails) -> bool:
    if {details.code.lower(), details.type.lower()} & CONTENT or status == 451:
        return True
    if status not in (200, 400, 403, 413, 422, 500):
        return False
    says = details.words
    limit = details.param in _LIMITS or "max_tokens" in says
    if status != 403 and limit and _OVER_CONTEXT_WORDS.search(says):
        return True
    if details.param in _PARAMETERS:
        return False
    in_context = status != 403 and not limit and _CONTEXT_WORDS.search(says)
    return bool(in_context or _FILTER_WORDS.search(says))


_BUSY_STATUSES = frozenset({200, 409, 425, 429, 500, 502, 503})
_MODEL_STATUSES = frozenset({200, 400, 404, 422})
_LIMITS = frozenset({"max_tokens", "max_completion_tokens"})
_PARAMETERS = _LIMITS | {"n", "seed", "temperature", "top_p", "stop", "model"}


def _of_connection(error: Exception) -> Failure:
    import httpx2

    cause = error.__cause__ or error
    refused = isinstance(cause, httpx2.ConnectError | httpx2.ConnectTimeout)
    message = f"connection failed: {clean(str(cause)) or type(cause).__name__}"
    return Failure(
        kind=FailureKind.TRANSPORT, message=message, maybe_charged=not refused, sent=not refused
    )


def _of_other(error: Exception) -> Failure:
    import openai

    from .http_client import BodyError

    if isinstance(error, BodyError):
        return Failure(kind=FailureKind.INVALID, message=str(error), maybe_charged=True)
    if isinstance(error, openai.OpenAIError):
        return Failure(kind=FailureKind.FATAL, message=clean(str(error)))
    return Failure(kind=FailureKind.FATAL, message=f"{type(error).__name__}: {clean(str(error))}")
