"""What the SDK raises, as limen's errors: one line each, without secrets, with the remedy."""

from ...datasets.errors import BackendError, LimenError, UnknownModelError
from ..stepwise import RequestRefusedError
from .connection import Connection
from .sdk import Sdk, sdk

REFUSED = (400, 413, 422)
GONE = (404, 410)
LATER = "everything finished is kept; run the same command again to go on"


class FailedRequestError(BackendError):
    """The service took a request up, and says that it failed."""


def as_limen_error(error: Exception, doing: str, connection: Connection) -> Exception:
    """An error of limen's for one of the SDK's, or of the libraries below it.

    A refusal of one request is a :class:`RequestRefusedError`, and something that the service does
    not have an :class:`~limen.UnknownModelError`; all else is a :class:`~limen.BackendError`.
    """
    if isinstance(error, LimenError | RequestRefusedError):
        return error
    message = connection.redactor.text(" ".join(str(error).split()))[:400] or type(error).__name__
    status = status_of(error)
    if status in GONE:
        return UnknownModelError(f"{doing}: {connection.shown} does not have it: {message}")
    if status in REFUSED or _is_users_fault(error):
        return RequestRefusedError(message)
    failed = isinstance(error, sdk().RequestFailedError)
    kind = FailedRequestError if failed else BackendError
    return kind(f"{doing}: {_cause(error, status, message, connection.shown)}")


def _cause(error: Exception, status: int | None, message: str, where: str) -> str:
    """What happened, and what to do."""
    if status in (401, 403) or "api_key" in message:
        return f"{where} does not accept the key ({message}); set TINKER_API_KEY"
    if status == 402:
        return f"the account has no credit ({message}); {LATER}"
    if status == 429:
        return f"{where} is too busy: {message}; {LATER}"
    if isinstance(error, sdk().APIConnectionError):
        return f"no connection to {where}: {message}; {LATER}"
    return f"{message} ({type(error).__name__}); {LATER}"


def status_of(error: BaseException | None) -> int | None:
    """The HTTP status behind an error; None if there is none.

    Some versions raise another error from the one that has it.
    """
    kind: Sdk = sdk().APIStatusError
    seen = 0
    while error is not None and seen < 8:
        if isinstance(error, kind):
            known: Sdk = error
            return int(known.status_code)
        error, seen = error.__cause__ or error.__context__, seen + 1
    return None


def _is_users_fault(error: Exception) -> bool:
    """Whether the service took a request up and then found that it cannot be done as it is."""
    if not isinstance(error, sdk().RequestFailedError):
        return False
    known: Sdk = error
    return "user" in str(known.category).lower()
