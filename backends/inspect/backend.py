"""Any provider that Inspect has, as a backend: it samples, and it cannot train."""

import hashlib
import queue
import threading
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
from ..event_loop import EventLoopThread
from .redaction import redacted

if TYPE_CHECKING:
    from inspect_ai.model import Model as InspectModel

WHY_NOT = "Inspect's providers sample; none of them trains"
FREE_PROVIDERS = ("limen", "mockllm", "none")
"""Providers that cost nothing."""
MAX_RETRIES = 8
ATTEMPT_SECONDS = 180
"""Seconds that one attempt at a call may take."""
CHARACTERS_PER_TOKEN = 4
"""For a rough count."""


class InspectBackend:
    """Models by their names in Inspect, ``provider/name``; keys are taken from the environment.

    It is a service, so that its stages wait side by side in one process, on one event loop and
    under Inspect's own limits of connections.
    """

    name = "inspect"

    def __init__(self, home: Path, terms: ServiceTerms | None = None) -> None:
        terms = terms or ServiceTerms()
        if terms.batch:
            raise SpecError("--limen-batch: the backend 'inspect' has no batch mode")
        self._budget = terms.budget
        self._store = home.parents[1] if len(home.parents) > 1 else home
        self._stopped = threading.Event()
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
            from .provider import BackendAPI

            api = self._model(model).api
            own = api.fingerprint if isinstance(api, BackendAPI) else [model, api.base_url]
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
        from .sampling import RequestStream

        results: queue.SimpleQueue[list[Completion] | None] = queue.SimpleQueue()
        stream = RequestStream(self._model(model), results, self._stopped)
        future = self._loop.start(stream.run(iter(requests)))
        try:
            while (completions := results.get()) is not None:
                yield completions
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
        """See :meth:`limen.backends.Service.cost`: known only where nothing is paid for."""
        return 0.0 if _is_free(model) else None

    def quote(self, work: WorkRequest) -> Quote:
        """See :meth:`limen.backends.Service.quote`: the fewest calls possible, and no price."""
        from .draws import MAX_DRAWS

        self._check_budget(work.model)
        if work.rows:
            return Quote(usd=0.0, usd_at_most=0.0)
        draws = max(1, work.per_call)
        calls = -(-work.completions // draws) * -(-draws // MAX_DRAWS)
        texts = [turn["content"] for prompt in work.prompts for turn in prompt]
        prompt_tokens = sum(map(len, texts)) // CHARACTERS_PER_TOKEN // max(1, len(work.prompts))
        usd = self.cost(work.model, Usage())
        tokens = calls * prompt_tokens + work.completions * work.max_tokens // 2
        return Quote(calls=calls, tokens=tokens, usd=usd, usd_at_most=usd)

    def server_facts(self, model: str) -> dict[str, str]:
        """See :meth:`limen.backends.Service.server_facts`: Inspect's providers tell none."""
        return {}

    def conditions(self, model: str) -> str:
        """See :meth:`limen.backends.Service.conditions`."""
        if _is_free(model):
            return "costs nothing"
        return (
            "limen knows no prices of Inspect's providers: look them up; the number of calls is "
            "the lowest possible, for a provider that gives many draws a call"
        )

    def stop(self) -> None:
        """See :meth:`limen.backends.Service.stop`."""
        self._stopped.set()

    @cached_property
    def _loop(self) -> EventLoopThread:
        return EventLoopThread("limen-inspect")

    def _model(self, name: str) -> "InspectModel":
        if name not in self._models:
            self._models[name] = _opened(name, self._store)
        return self._models[name]

    def _check_budget(self, model: str) -> None:
        if self._budget is not None and not _is_free(model):
            raise SpecError(
                f"--limen-budget cannot hold for {model!r}: limen knows no prices of "
                f"Inspect's providers"
            )


def _is_free(model: str) -> bool:
    return model.partition("/")[0] in FREE_PROVIDERS


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
    config = GenerateConfig(max_retries=MAX_RETRIES, attempt_timeout=ATTEMPT_SECONDS)
    own: dict[str, Any] = {"store": str(store)} if provider == "limen" else {}
    try:
        return get_model(name, config=config, memoize=False, **own)
    except (Exception, SystemExit) as error:  # whatever a provider's constructor raises
        raise UnknownModelError(f"Inspect has no {name!r}: {redacted(error)}") from None


def _failure(model: str, error: Exception) -> BackendError:
    message = getattr(error, "provider_message", None) or str(error) or type(error).__name__
    return BackendError(
        f"sampling {model} stopped: {redacted(message)[-500:]} (everything finished is kept; run "
        f"the same command again to go on)"
    )
