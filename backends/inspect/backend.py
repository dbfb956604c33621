"""Any provider that Inspect has, as a backend: it samples, and it cannot train."""

import hashlib
import os
import queue
import re
import warnings
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...datasets.errors import BackendError, SpecError, UnknownModelError
from ..base import (
    Capabilities,
    Completion,
    Model,
    Quote,
    Request,
    ServiceTerms,
    Usage,
    WorkRequest,
)
from .loop import Loop

if TYPE_CHECKING:
    from inspect_ai.model import Model as InspectModel

WHY_NOT = "Inspect's providers answer; none of them trains"
FREE = ("limen", "mockllm", "none")
"""Providers that cost nothing."""
RETRIES = 8
ATTEMPT = 180
"""Seconds that one attempt at a call may take."""
ABOUT = 4
"""Characters a token, for a rough count."""
_MARKUP = re.compile(r"\[/?(?:bold|blue|red|yellow)(?: [a-z]+)*\]")


class InspectBackend:
    """Models by their names in Inspect, ``provider/name``; keys are taken from the environment.

    It is a service, so that its stages wait side by side in one process, on one event loop and
    under Inspect's own limits of connections.
    """

    name = "inspect"

    def __init__(self, home: Path, terms: ServiceTerms | None = None) -> None:
        terms = terms or ServiceTerms()
        if terms.batch:
            raise SpecError("--limen-batch: the backend 'inspect' has no batch mode of limen's")
        self._budget = terms.budget
        self._store = home.parents[1] if len(home.parents) > 1 else home
        self._models: dict[str, InspectModel] = {}
        self._known: dict[str, Model] = {}

    @property
    def capabilities(self) -> Capabilities:
        """See :class:`limen.backends.Capabilities`."""
        return Capabilities(service=self)

    @property
    def default_model(self) -> str:
        """See :meth:`limen.backends.Backend.default_model`: there is none."""
        raise SpecError(
            "the backend 'inspect' has no model of its own: name one with --limen-model, as "
            "provider/name"
        )

    def describe(self, model: str) -> Model:
        """See :meth:`limen.backends.Backend.describe`; nothing is asked of the provider."""
        if model not in self._known:
            self._check_budget(model)
            api: Any = self._model(model).api
            own = getattr(api, "fingerprint", None) or [model, api.base_url]
            digest = hashlib.sha256(repr(own).encode()).hexdigest()[:16]
            self._known[model] = Model(
                name=model, fingerprint=digest, can_fine_tune=False, why_not=WHY_NOT
            )
        return self._known[model]

    def prepare(self, model: str) -> None:
        """See :meth:`limen.backends.Backend.prepare`."""
        self.describe(model)

    def sample(self, model: str, requests: Iterable[Request]) -> Iterator[Sequence[Completion]]:
        """See :meth:`limen.backends.Backend.sample`; in the order in which answers arrive."""
        from .streams import Stream

        results: queue.SimpleQueue[list[Completion] | None] = queue.SimpleQueue()
        stream = Stream(self._model(model), results, self._loop.stopped)
        future = self._loop.start(stream.run(iter(requests)))
        try:
            while (found := results.get()) is not None:
                yield found
            future.result()
        except BackendError:
            raise
        except Exception as error:
            raise _failure(model, error) from None
        finally:
            future.cancel()

    def cost(
        self, model: str, usage: Usage, *, trained_tokens: int = 0, batch: bool = False
    ) -> float | None:
        """See :meth:`limen.backends.Service.cost`: not known, but where nothing is paid for."""
        return 0.0 if _free(model) else None

    def quote(self, work: WorkRequest) -> Quote:
        """See :meth:`limen.backends.Service.quote`: the least number of calls, and no price."""
        from .draws import MOST

        self._check_budget(work.model)
        if work.rows:
            return Quote(usd=0.0, usd_at_most=0.0)
        each = max(1, work.per_call)
        calls = -(-work.completions // each) * -(-each // MOST)
        texts = [turn["content"] for prompt in work.prompts for turn in prompt]
        asked = sum(map(len, texts)) // ABOUT // max(1, len(work.prompts))
        usd = self.cost(work.model, Usage())
        tokens = calls * asked + work.completions * work.max_tokens // 2
        return Quote(calls=calls, tokens=tokens, usd=usd, usd_at_most=usd)

    def conditions(self, model: str) -> str:
        """See :meth:`limen.backends.Service.conditions`."""
        if _free(model):
            return "costs nothing"
        return (
            "limen knows no price of Inspect's providers, so look it up; the calls are the fewest, "
            "for a provider that gives many draws a call"
        )

    def stop(self) -> None:
        """See :meth:`limen.backends.Service.stop`."""
        self._loop.stop()

    @cached_property
    def _loop(self) -> Loop:
        return Loop()

    def _model(self, name: str) -> "InspectModel":
        if name not in self._models:
            self._models[name] = _opened(name, self._store)
        return self._models[name]

    def _check_budget(self, model: str) -> None:
        if self._budget is not None and not _free(model):
            raise SpecError(
                f"--limen-budget cannot hold for {model!r}: limen knows no price of Inspect's "
                f"providers"
            )


def scrubbed(says: object) -> str:
    """A text on one line, without marks of colour and any of the environment's secrets."""
    text = " ".join(_MARKUP.sub("", str(says)).split())
    secret = ("KEY", "TOKEN", "SECRET", "PASSWORD", "CREDENTIAL")
    for name, value in os.environ.items():
        if len(value) >= 6 and any(part in name.upper() for part in secret):
            text = text.replace(value, "[key]")
    return text


def _free(model: str) -> bool:
    return model.partition("/")[0] in FREE


def _opened(name: str, store: Path) -> "InspectModel":
    """A model of Inspect's; raises :class:`~limen.UnknownModelError` if it cannot be had."""
    provider, _, rest = name.partition("/")
    if not (provider and rest):
        raise UnknownModelError(
            f"unknown model {name!r}: the backend 'inspect' has models as provider/name, such as "
            f"limen/toy-1"
        )
    from inspect_ai.model import GenerateConfig, get_model

    # Inspect's own use of a library below it, once a call
    warnings.filterwarnings("ignore", "The 'initial' parameter is deprecated", DeprecationWarning)
    config = GenerateConfig(max_retries=RETRIES, attempt_timeout=ATTEMPT)
    own: dict[str, Any] = {"store": str(store)} if provider == "limen" else {}
    try:
        return get_model(name, config=config, memoize=False, **own)
    except (Exception, SystemExit) as error:  # whatever a provider's constructor raises
        raise UnknownModelError(f"Inspect has no {name!r}: {scrubbed(error)}") from None


def _failure(model: str, error: Exception) -> BackendError:
    says = getattr(error, "provider_message", None) or str(error) or type(error).__name__
    return BackendError(
        f"sampling {model} stopped: {scrubbed(says)[-500:]} (everything finished is kept; run "
        f"the same command again to go on)"
    )
