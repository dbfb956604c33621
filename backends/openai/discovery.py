"""Looking at what a server offers: any form of refusal is an answer, and none ends a run."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from .account import Account
from .error_details import clean, has_error, parse_error
from .errors import (
    TRANSIENT,
    ErrorInBodyError,
    Failure,
    FailureKind,
    InvalidResponseError,
    backend_error,
)
from .retries import Retries

OUTAGE = 14.0
"""Seconds that we wait for a server that is just starting."""
LOADING_POLL = 2.0
"""Seconds between looks at a server that is loading its model."""
ATTEMPTS = 3
REMEDY = "nothing was spent; OPENAI_BASE_URL and OPENAI_API_KEY say which server, and as whom"


@dataclass(frozen=True)
class Found:
    """A JSON object that a server gave, and the headers of the response."""

    data: Mapping[str, object]
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Discovery:
    """Requests that find out what a server can do."""

    account: Account
    retries: Retries
    timeout: float
    """Seconds that each request is given; silence is then taken for a refusal."""
    silent: dict[str, Failure] = field(default_factory=dict)
    """Paths that got no answer in time, which are asked for once: others are then given less."""

    @property
    def silent_seconds(self) -> float:
        """Seconds that were spent on paths without an answer."""
        return self.timeout * (1 + (len(self.silent) - 1) / 4) if self.silent else 0.0

    def get(self, path: str) -> Found | Failure:
        """The JSON object at a path, or why there is none.

        Raises :class:`~limen.BackendError` if the server cannot be reached at all.
        """
        if path in self.silent:
            return self.silent[path]
        outcome = self._ask(
            lambda: self._fetch(path), f"asking {self.account.url} for {path.partition('?')[0]}"
        )
        if isinstance(outcome, Failure) and outcome.kind is FailureKind.TRANSPORT:
            self.silent[path] = outcome
        return outcome

    def wait_until_loaded(self, longest: float) -> bool:
        """Wait for a model, so many seconds at most, while other endpoints say that it loads too.

        Returns whether there was anything to wait for: the chat endpoint alone may say so for ever.
        """
        begun, waited = time.monotonic(), False
        while time.monotonic() - begun < longest:
            found = self._once("/models")
            if not (isinstance(found, Failure) and (found.loading or (waited and not found.sent))):
                return waited
            waited = True
            self.retries.sleep(LOADING_POLL)
        return False

    def _once(self, path: str) -> Found | Failure:
        """The JSON object at a path, asked for once."""
        try:
            return self._fetch(path)
        except Exception as error:
            return self.account.classify(error)

    def _fetch(self, path: str) -> Found:
        import httpx2

        timeout = self.timeout / 4 if self.silent else self.timeout
        response = self.account.client.get(
            path, cast_to=httpx2.Response, options={"timeout": timeout}
        )
        return Found(_object(response.content), response.headers)

    def _ask(self, ask: Callable[[], Found], doing: str) -> Found | Failure:
        begun, attempt = time.monotonic(), 0
        outage = min(OUTAGE, self.retries.outage)
        while True:
            attempt += 1
            try:
                return ask()
            except Exception as error:
                failure = self.account.classify(error)
            waited = time.monotonic() - begun
            if failure.kind is FailureKind.TRANSPORT and not failure.sent:
                if waited > outage:
                    raise backend_error(failure.message, doing, REMEDY)
            elif (
                failure.kind not in (*TRANSIENT, FailureKind.RATE)
                or failure.maybe_charged
                or attempt >= ATTEMPTS
            ):
                return failure
            self.retries.sleep(max(0.1 * 2 ** min(attempt, 4), min(failure.wait or 0.0, 5.0)))


def names_in(data: Mapping[str, object]) -> dict[str, dict[str, object]]:
    """The models of a list, by name, from any usual form of list."""
    listed = data.get("data", data.get("models"))
    models: dict[str, dict[str, object]] = {}
    for item in listed if isinstance(listed, list) else []:
        fields: dict[str, object] = item if isinstance(item, dict) else {"id": item}
        name = fields.get("id") or fields.get("name") or fields.get("model")
        if isinstance(name, str):
            models[name] = fields
    return models


def _object(body: bytes) -> dict[str, object]:
    """The JSON object in a body; raises :class:`InvalidResponseError`."""
    try:
        data = json.loads(body.decode("utf-8-sig", "replace"))
    except ValueError:
        text = clean(body[:200].decode("utf-8", "replace"), 60)
        raise InvalidResponseError(f"this is no API: {text!r}") from None
    if isinstance(data, list) and data and isinstance(data[0], dict) and "id" in data[0]:
        return {"data": data}
    if not isinstance(data, dict):
        raise InvalidResponseError("this is JSON, but no object")
    if not data.get("id") and not isinstance(data.get("data", data.get("models")), list):
        if has_error(data):
            raise ErrorInBodyError(parse_error(body))
        raise InvalidResponseError("this is JSON, but neither an object with an id nor a list")
    return data
