"""What is checked before anything is spent: the key, the model, its end, its training."""

import difflib
import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from ...datasets.errors import BackendError, UnknownModelError
from ..base import Model
from .account import Account
from .errors import FailureKind, backend_error, classify, require, require_page
from .prices import Prices
from .rate_limiter import KINDS
from .retries import Retries

NEAR = timedelta(days=7)
"""A model that goes within so many days may go before its students have answered."""
OUTAGE = 20.0
"""Seconds that a check waits for a server that is just starting."""
REMEDY = "nothing was spent; OPENAI_BASE_URL and OPENAI_API_KEY say which server, and as whom"
DEFAULT = "gpt-4.1-mini-2025-04-14"
"""OpenAI's smallest model that can still be fine-tuned. Other servers: the first that they list."""


@dataclass(frozen=True)
class Preflight:
    """The checks, on one account."""

    account: Account
    retries: Retries
    prices: Prices

    def default_model(self) -> str:
        """The model to take where none is named."""
        if self.account.is_openai:
            return DEFAULT
        if self.account.azure:
            raise BackendError("name your Azure deployment with --limen-model")
        bases = [m["id"] for m in self._list() if not m["id"].startswith("ft:")]
        if not bases:
            raise BackendError(f"{self.account.url} lists no model: name one with --limen-model")
        return str(bases[0])

    def describe(self, model: str) -> Model:
        """What the service says of a model; raises :class:`~limen.BackendError`."""
        found = self._retrieve(model)
        self._check_end(model, found)
        identity: dict[str, Any] = {"url": self.account.url, "id": model}
        if self.account.is_openai:
            identity = {"id": model, "created": found.get("created")}
        digest = hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()
        why_not = self.why_no_training(model)
        return Model(
            name=model,
            fingerprint=str(found.get("fingerprint") or digest[:16]),
            can_fine_tune=why_not is None,
            why_not=why_not or "",
        )

    def limits(self) -> dict[str, float]:
        """The limits a minute that the service tells without a call, if it does."""
        models = self.account.client.models
        try:
            headers = self._ask(models.with_raw_response.list, "its limits").headers
        except BackendError:
            return {}
        values = {kind: headers.get(f"x-ratelimit-limit-{kind}", "") for kind in KINDS}
        return {kind: float(text) for kind, text in values.items() if text.isdecimal()}

    def why_no_training(self, model: str) -> str | None:
        """Why a model cannot be fine-tuned here; None if it can."""
        if self.account.azure:
            return "a student on Azure needs a deployment, which limen does not make"
        if self.account.is_openai:
            ends = self.prices.fine_tuning_ends
            if ends and today() >= ends:
                return f"OpenAI takes no fine-tuning jobs since {ends}"
            price = self.prices.of(model)
            if price is not None and price.training is None:
                return f"OpenAI does not fine-tune {model}"
        return self._no_jobs()

    def _retrieve(self, model: str) -> dict[str, Any]:
        import openai

        try:
            models = self.account.client.models
            doing = f"the model {model!r}"
            found = self._ask(
                lambda: require(models.retrieve(model), "id"), doing, openai.NotFoundError
            )
            return dict(found.model_dump())
        except openai.NotFoundError:
            pass  # chat servers list their models, and some do no more
        listed = {m["id"]: m for m in self._listed_or_nothing()}
        if model in listed:
            return listed[model]
        if self.account.azure:  # a deployment's name is no model's, and there is no list of them
            return {"id": model}
        close = difflib.get_close_matches(model, listed, n=3, cutoff=0.3)
        hint = f"; it has {', '.join(close)}" if close else ""
        raise UnknownModelError(f"unknown model {model!r}: {self.account.url} has none such{hint}")

    def _listed_or_nothing(self) -> list[dict[str, Any]]:
        import openai

        try:
            return self._list(openai.NotFoundError)
        except openai.NotFoundError:
            return []

    def _list(self, *through: type[Exception]) -> list[dict[str, Any]]:
        models = self.account.client.models
        found = self._ask(lambda: list(require_page(models.list)), "its models", *through)
        return [dict(model.model_dump()) for model in found]

    def _check_end(self, model: str, found: dict[str, Any]) -> None:
        ends = _date(found.get("shutdown_date"))
        price = self.prices.of(model) if self.account.is_openai else None
        ends = ends or (price.shutdown if price else None)
        if ends is None or today() + NEAR < ends:
            return
        when = "was shut down" if ends <= today() else "will be shut down"
        raise BackendError(
            f"the model {model!r} {when} on {ends} (today is {today()}): its students would be "
            f"gone before they have answered. Name another with --limen-model"
        )

    def _no_jobs(self) -> str | None:
        """Why the service takes no fine-tuning jobs at all."""
        import openai

        jobs = self.account.client.fine_tuning.jobs
        doing = "its fine-tuning jobs"
        try:
            self._ask(
                lambda: require_page(lambda: jobs.list(limit=1)), doing, openai.APIStatusError
            )
        except openai.APIStatusError as error:
            if error.status_code in (404, 405, 501, 403, 400):
                return f"{self.account.url} takes no fine-tuning jobs (HTTP {error.status_code})"
            raise backend_error(
                self.account.scrub(classify(error).message), "checking for fine-tuning"
            ) from None
        return None

    def _ask(self, do: Any, what: str, *through: type[Exception]) -> Any:
        """Ask the service; exceptions of the kinds in ``through`` are the client's to sort."""
        caught: list[Exception] = []

        def ask() -> Any:
            try:
                return do()
            except through as error:
                if classify(error).kind in (FailureKind.TRANSPORT, FailureKind.RATE):
                    raise
                caught.append(error)
                return None

        doing = f"asking {self.account.url} for {what}"
        outage = min(OUTAGE, self.retries.outage)
        found = self.retries.call(ask, doing, outage=outage, remedy=REMEDY)
        if caught:
            raise caught[0]
        return found


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
