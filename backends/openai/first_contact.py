"""The first contact with a server: one small sample decides whether it can be used.

A server that keeps silent must not hold a run up, and one that loads its model must not be cut
off. So the first contact ends after some seconds without a whole answer, unless the server is known
to load models without a word; and a server that says that it is loading is waited for.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from ..budget import Budget
from . import responses
from .account import Account
from .choices import Choices
from .discovery import OUTAGE, Discovery, names_in
from .errors import Failure, FailureKind
from .negotiation import PROBE
from .rate_limiter import FIRST_REFUSALS
from .request_form import SIMPLEST, RequestForm
from .retries import Retries
from .timeouts import LOADING_TIME
from .waiting_times import MAX_RETRY_AFTER

PASSING = frozenset({FailureKind.SERVER, FailureKind.TRANSPORT})
"""Failures after which a small sample is asked for again."""
TRIES = 3
"""Tries of a small sample that fail in the same way."""
LOADING_PAUSES = (5.0, 9.0)
"""Seconds between tries where only the chat endpoint says that the model is loading."""
PAUSE = 0.5
"""Seconds after a first failure; twice that after a second one."""
RATE_PAUSE = 2.0
"""The same at a rate limit, also where the server names a shorter time."""
ON_DEMAND = frozenset({"library", "llama-swap", "organization-owner", "organization_owner"})
"""Owners of models in the lists of Ollama, llama-swap and LM Studio, which load a model at its
first request and send nothing meanwhile."""
NOT_LOADED = frozenset({"loading", "not-loaded", "not_loaded", "unloaded"})
"""States of models in lists: LM Studio's, and those of llama.cpp's server for several models."""


@dataclass(frozen=True)
class FirstContact:
    """The small sample, on one account."""

    account: Account
    discovery: Discovery
    retries: Retries
    budget: Budget
    choices: Choices

    def sample(self, model: str, cost: float) -> RequestForm | Failure:
        """The form in which a small sample came, or why there is none.

        ``cost`` is what a try costs at most, in US dollars. Raises :class:`~limen.BackendError` if
        the budget does not allow it.
        """
        form = replace(SIMPLEST, **self.choices.form)
        begun, same = time.monotonic(), Counter[tuple[object, ...]]()
        patience = self._patience(model)
        first = max(patience / 2, patience - self.discovery.silent_seconds)
        while True:
            failure = self._try(model, form, cost, first)
            if failure is None:
                return form
            same[failure.signature] += 1
            if failure.kind is FailureKind.REFUSED and self._has_another_name(form):
                form = form.changed("token_limit", "max_completion_tokens")
                continue
            pause = self._pause(failure, same[failure.signature], time.monotonic() - begun)
            if pause is None:
                return failure
            self.retries.sleep(pause)

    def _has_another_name(self, form: RequestForm) -> bool:
        """Whether the limit of tokens, which may be what is refused, has another name yet."""
        return form.token_limit == "max_tokens" and "token_limit" not in self.choices.form

    def _try(self, model: str, form: RequestForm, cost: float, first: float) -> Failure | None:
        if not self.budget.reserve(cost):
            raise self.budget.exhausted(cost, "a small sample to try the server")
        spent = cost
        try:
            self.account.start(self._post(model, form, first)).result()
        except Exception as error:
            failure = self.account.classify(error)
            spent = cost if failure.maybe_charged else 0.0
            return failure
        finally:
            self.budget.settle(cost, spent)
        return None

    async def _post(self, model: str, form: RequestForm, first: float) -> None:
        import httpx2

        async with asyncio.timeout(first):
            response = await self.account.async_client.post(
                form.path,
                cast_to=httpx2.Response,
                body=form.body(model, PROBE),
                options={"timeout": first},
            )
        responses.parse(response.content)

    def _patience(self, model: str) -> float:
        """Seconds of silence that the server is allowed."""
        found = self.discovery.get("/models")
        models = {} if isinstance(found, Failure) else names_in(found.data)
        entries = [models[model]] if model in models else models.values()
        return max(self.choices.first_answer, LOADING_TIME if _loads_late(entries) else 0.0)

    def _pause(self, failure: Failure, same: int, waited: float) -> float | None:
        """Seconds until the next try; None if there is to be none."""
        if (failure.wait or 0.0) > MAX_RETRY_AFTER:
            return None
        if failure.loading:
            return self._loading_pause(failure, same, waited)
        if failure.kind is FailureKind.TRANSPORT and not failure.sent:
            outage = min(OUTAGE, self.retries.outage)
            return min(PAUSE * same, 2.0) if waited < outage else None
        if failure.kind is FailureKind.RATE and same < FIRST_REFUSALS:
            return max(RATE_PAUSE * same, failure.wait or 0.0)
        if failure.kind in PASSING and not failure.silent and same < TRIES:
            return max(PAUSE * same, failure.wait or 0.0)
        return None

    def _loading_pause(self, failure: Failure, same: int, waited: float) -> float | None:
        if self.discovery.wait_until_loaded(LOADING_TIME - waited):
            return 0.0
        if same >= TRIES:
            return None
        return max(PAUSE * same, failure.wait) if failure.wait else LOADING_PAUSES[same - 1]


def _loads_late(entries: Iterable[Mapping[str, object]]) -> bool:
    """Whether a server may load a model only now, from the entries of its list of models."""
    for entry in entries:
        status = entry.get("status")
        state = status.get("value") if isinstance(status, dict) else entry.get("state", status)
        if str(state).lower() in NOT_LOADED or entry.get("owned_by") in ON_DEMAND:
            return True
    return False
