"""What is checked before anything is spent: the key, the model, its end, its training.

What a server does not tell is no error: a small sample decides whether it can be used, and where
it takes no fine-tuning jobs, baselines and teachers go on.
"""

import difflib
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from threading import Lock
from time import monotonic
from urllib.parse import quote

from ...datasets.errors import BackendError, UnknownModelError
from .. import token_estimates as tokens
from ..base import Model, Usage
from ..plain_text import VERSION as PLAIN_VERSION
from .account import Account, base_of
from .discovery import REMEDY, Discovery, names_in
from .errors import TRANSIENT, Failure, FailureKind, backend_error
from .first_contact import FirstContact
from .negotiation import PROBE
from .prices import Prices
from .rate_limiter import KINDS
from .request_form import RequestForm
from .timeouts import LOADING_TIME
from .waiting_times import MAX_RETRY_AFTER

NEAR = timedelta(days=7)
"""A model that goes within so many days may go before its students have answered."""
DEFAULT = "gpt-4.1-mini-2025-04-14"
"""OpenAI's smallest model that can still be fine-tuned. Other servers: the first that they list."""
REPEAT = 60.0
"""Seconds after which a first contact that failed may be tried again."""
SILENT_REMEDY = (
    "no whole answer came; if the server loads its model at the first request, allow more seconds, "
    "as in LIMEN_OPENAI_FIRST_ANSWER=300, or have it load the model first"
)
LATER = "run the same command again when it has"
NOT_ASKED = "not asked"
"""The fingerprint of a model that is described from tables alone, for estimates."""
PLAIN_NOTE = (
    'it is asked by /v1/completions: conversations are written as "User: ..." and "Assistant: ..." '
    "(openai-endpoint)"
)
"""What the plan says of a model that is asked in plain text."""
NO_CHAT = ("embed", "rerank", "whisper", "tts", "moderation")
"""Parts of names of models that cannot chat, which servers list with the others."""


def is_from_tables(model: Model) -> bool:
    """Whether a model was described without asking the service."""
    return model.fingerprint.startswith(NOT_ASKED)


@dataclass(frozen=True)
class _Refusal:
    """A small sample that did not come, and when (of :func:`time.monotonic`)."""

    failure: Failure
    at: float


@dataclass(frozen=True)
class Preflight:
    """The checks, on one account."""

    account: Account
    discovery: Discovery
    first_contact: FirstContact
    prices: Prices
    estimate_only: bool = False
    """Only estimate: OpenAI's models are described from tables if the service cannot be asked."""
    contacts: dict[str, RequestForm | _Refusal] = field(default_factory=dict)
    """By base model: the form in which a small sample came, or why none did."""
    lock: Lock = field(default_factory=Lock)

    def default_model(self) -> str:
        """The model to use where none is named; raises :class:`~limen.BackendError`."""
        if self.account.is_openai:
            return DEFAULT
        if self.account.azure:
            raise BackendError("name your Azure deployment with --limen-model")
        found = self._models_once_loaded()
        names = [] if isinstance(found, Failure) else list(names_in(found))
        bases = [n for n in names if not n.startswith("ft:")]
        chats = [n for n in bases if not any(word in n.lower() for word in NO_CHAT)]
        if not bases:
            why = f" ({found.message})" if isinstance(found, Failure) else ""
            raise BackendError(
                f"{self.account.url} lists no model{why}: name one with --limen-model"
            )
        return (chats or bases)[0]

    def _models_once_loaded(self) -> Mapping[str, object] | Failure:
        """The list of models; a server that says that it is loading (llama.cpp) is waited for."""
        found = self._get("/models")
        if isinstance(found, Failure) and found.loading:
            self.discovery.wait_until_loaded(LOADING_TIME)
            return self._get("/models")
        return found

    def describe(self, model: str) -> Model:
        """What the service says of a model; raises :class:`~limen.BackendError`."""
        if not self.account.has_key:
            return self._from_tables(model)
        try:
            found = self._retrieve(model)
        except UnknownModelError:
            raise
        except BackendError:
            if self.estimate_only and self.account.is_openai:
                return self._from_tables(model)
            raise
        self._check_end(model, found)
        identity: dict[str, object] = {"url": self.account.url, "id": model}
        if self.account.is_openai:
            identity = {"id": model, "created": found.get("created")}
        digest = hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()
        why_not = self.why_no_training(model)
        described = Model(
            name=model,
            fingerprint=str(found.get("fingerprint") or digest[:16]),
            can_fine_tune=why_not is None,
            why_not=why_not or "",
        )
        return self._as_asked(described)

    def limits(self) -> dict[str, float]:
        """The limits a minute that the service reports without a call, if it does."""
        found = self.discovery.get("/models")
        headers: Mapping[str, str] = {} if isinstance(found, Failure) else found.headers
        values = {kind: headers.get(f"x-ratelimit-limit-{kind}", "") for kind in KINDS}
        return {kind: float(text) for kind, text in values.items() if text.isdecimal()}

    def why_no_training(self, model: str) -> str | None:
        """Why a model cannot be fine-tuned here; None if it can."""
        if self.account.azure:
            return "a student on Azure needs a deployment, which limen does not make"
        if known := self._why_by_tables(model):
            return known
        jobs = self._get("/fine_tuning/jobs?limit=1")
        if isinstance(jobs, Failure):
            return f"{self.account.url} takes no fine-tuning jobs: {jobs.message}"
        if any(fields.get("object") == "model" for fields in names_in(jobs).values()):
            return f"{self.account.url} takes no fine-tuning jobs: it lists models in their place"
        return None

    def _why_by_tables(self, model: str) -> str | None:
        if not self.account.is_openai:
            return None
        ends = self.prices.fine_tuning_ends
        if ends and today() >= ends:
            return f"OpenAI takes no fine-tuning jobs since {ends}"
        price = self.prices.of(model)
        untrained = price is not None and price.training is None
        return f"OpenAI does not fine-tune {model}" if untrained else None

    def _from_tables(self, model: str) -> Model:
        """A model of a service that is not asked; for estimates alone."""
        self._check_end(model, {})
        why_not = self._why_by_tables(model) or ""
        described = Model(
            name=model, fingerprint=NOT_ASKED, can_fine_tune=not why_not, why_not=why_not
        )
        return self._as_asked(described)

    def _as_asked(self, described: Model) -> Model:
        """The description of a model that may be asked in plain text: it answers otherwise then."""
        if not self.first_contact.choices.asks_plainly:
            return described
        fingerprint = f"{described.fingerprint}:{PLAIN_VERSION}"
        return replace(described, fingerprint=fingerprint, note=PLAIN_NOTE)

    def _retrieve(self, model: str) -> Mapping[str, object]:
        """What is known of a model: from its own entry, from the list, or from a small sample."""
        found = self._entry(model)
        if not isinstance(found, Failure) and found.get("id"):
            return found
        if self.account.azure:  # a deployment's name is no model's, and there is no list of them
            return {"id": model}
        listed = self._get("/models")
        models = {} if isinstance(listed, Failure) else names_in(listed)
        if model in models:
            return models[model]
        failure: Failure | None = None
        if not self.account.is_openai:
            outcome = self._contact(model)
            if not isinstance(outcome, _Refusal):
                return {"id": model}
            failure = outcome.failure
        raise self._unusable(model, failure, models)

    def ensure_answers(self, model: str) -> RequestForm:
        """The form in which a server has answered a small sample; raises otherwise.

        OpenAI's own service and limen's are not asked: their ways are known. Raises
        :class:`~limen.BackendError` with what the server said.
        """
        if self.account.is_openai or self.account.azure:
            return RequestForm()
        with self.lock:
            if base_of(model) not in self.contacts:
                self._entry(model)
            outcome = self._contact(model)
        if isinstance(outcome, _Refusal):
            raise self._no_sample(model, outcome.failure)
        return outcome

    def _contact(self, model: str) -> RequestForm | _Refusal:
        """What the first contact came to; one that failed is repeated after a while."""
        base = base_of(model)
        known = self.contacts.get(base)
        if known is None or (isinstance(known, _Refusal) and monotonic() - known.at > REPEAT):
            found = self.first_contact.sample(model, self._sample_cost(model))
            known = _Refusal(found, monotonic()) if isinstance(found, Failure) else found
            self.contacts[base] = known
        return known

    def _no_sample(self, model: str, failure: Failure) -> BackendError:
        doing = f"asking {self.account.url} for a small sample of {model!r}"
        if failure.silent:
            seconds = self.first_contact.choices.first_answer
            message = f"{failure.message} ({seconds:g} s)"
            return backend_error(message, doing, SILENT_REMEDY)
        if failure.wait and failure.wait > MAX_RETRY_AFTER:
            message = f"the server asks for {failure.wait:,.0f} s without a request: "
            return backend_error(message + failure.message, doing, "run the same command then")
        return backend_error(failure.message, doing, LATER if failure.loading else REMEDY)

    def _entry(self, model: str) -> Mapping[str, object] | Failure:
        """The service's entry of a model; limen's own server is known by its fingerprints."""
        found = self._get(f"/models/{quote(model, safe='/:@')}")
        if not isinstance(found, Failure) and found.get("fingerprint"):
            self.contacts[base_of(model)] = RequestForm()
        return found

    def _unusable(
        self, model: str, failure: Failure | None, models: Mapping[str, object]
    ) -> BackendError:
        gone = failure and (failure.unknown_model or failure.status == 404)
        if failure is not None and (failure.lacks_template or not gone):
            return self._no_sample(model, failure)
        close = difflib.get_close_matches(model, models, n=3, cutoff=0.3)
        hint = f"; it has {', '.join(close)}" if close else ""
        says = f" ({failure.message})" if failure and not close else ""
        return UnknownModelError(
            f"unknown model {model!r}: {self.account.url} has none such{says}{hint}"
        )

    def _sample_cost(self, model: str) -> float:
        most = Usage(
            calls=1,
            input_tokens=tokens.call_upper_bound(PROBE.messages),
            output_tokens=PROBE.max_tokens,
        )
        return self.prices.cost(model, most) or 0.0

    def _get(self, path: str) -> Mapping[str, object] | Failure:
        """The object at a path, or the refusal; OpenAI's own service must answer."""
        found = self.discovery.get(path)
        if not isinstance(found, Failure):
            return found.data
        away = found.kind in (*TRANSIENT, FailureKind.RATE) or found.status == 401
        if self.account.is_openai and away:
            raise backend_error(found.message, f"asking {self.account.url} for {path}", REMEDY)
        return found

    def _check_end(self, model: str, found: Mapping[str, object]) -> None:
        ends = _date(found.get("shutdown_date"))
        price = self.prices.of(model) if self.account.is_openai else None
        ends = ends or (price.shutdown if price else None)
        if ends is None or today() + NEAR < ends:
            return
        when = "was shut down" if ends <= today() else "will be shut down"
        raise BackendError(
            f"the model {model!r} {when} on {ends} (today is {today()}): its students would be "
            f"gone before they have answered. Name another with --limen-model{self._another()}"
        )

    def _another(self) -> str:
        """The default model as an example, where OpenAI still trains it."""
        price = self.prices.of(DEFAULT) if self.account.is_openai else None
        ends = price.shutdown if price else None
        return f", such as {DEFAULT}" if price and (not ends or ends > today() + NEAR) else ""


def today() -> date:
    """The day, in UTC."""
    return datetime.now(UTC).date()


def _date(value: object) -> date | None:
    """A date, from ISO text or from seconds since 1970."""
    if isinstance(value, int | float) and value > 0:
        return datetime.fromtimestamp(value, UTC).date()
    try:
        return date.fromisoformat(str(value)[:10])
    except ValueError:
        return None
