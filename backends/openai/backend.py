"""The backend class; the work is done in the other modules of this package."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from pathlib import Path

from ...datasets.errors import BackendError, SpecError
from .. import records
from ..base import (
    Capabilities,
    Completion,
    FineTuned,
    Job,
    Model,
    Progress,
    Quote,
    Recipe,
    Request,
    ServiceTerms,
    Usage,
    WorkRequest,
)
from ..continuations import ContinuationRequest, LogProbability
from ..plain_text import PlainAnswers
from ..recipes import POSITIVE, POSITIVE_WHOLE, check_recipe, or_auto
from .account import Account, base_of
from .batches import Batches
from .chat import LONGEST_WAIT, ChatClient
from .choices import read_choices
from .continuation_calls import PaidCalls
from .continuations import Continuations
from .discovery import Discovery
from .first_contact import FirstContact
from .job_form import SETTINGS
from .job_ledger import JobLedger
from .jobs import Jobs
from .preflight import Preflight, is_from_tables
from .prices import ModelPrice, prices
from .quotes import DRAWS, Limits, assumed_limits, conditions, quote
from .rate_limiter import RateLimiter
from .retries import OUTAGE, Retries
from .sampling import stream
from .server_profile import ASSUMED, PROBED, ServerProfile
from .uploads import Uploads

MOST_PROBING = 30.0
"""Seconds at most that a request for what a server offers is given; else a sixth of what the
server has for its first answer, so that silence everywhere takes not much longer than that."""
ACCEPTED = {
    name: or_auto(POSITIVE if name == "learning_rate_multiplier" else POSITIVE_WHOLE)
    for name in SETTINGS
}


class OpenAIBackend:
    """Models of a server with OpenAI's API; server and key come from the environment.

    Below ``home`` it keeps its ledger of jobs, uploads and batches, and the limits that it found.
    """

    name = "openai"

    def __init__(
        self,
        home: Path,
        terms: ServiceTerms | None = None,
        *,
        deadline: float | None = None,
        longest_wait: float = LONGEST_WAIT,
        outage: float = OUTAGE,
    ) -> None:
        self.terms = terms or ServiceTerms()
        self.account = Account(needs_key=not self.terms.estimate_only)
        self.budget = self.terms.spending
        self.ledger = JobLedger(home)
        self._home = home
        self._choices = read_choices(self.terms.choices)
        self._deadline = deadline or self._choices.deadline
        self._longest_wait = longest_wait
        known = prices(self.terms.prices)
        self._prices = replace(known, base_of_student=self.ledger.base_of_student)
        knows_without = self.terms.estimate_only and self.account.is_openai
        self._retries = Retries(self.account, outage=0.0 if knows_without else outage)
        self._limits = Limits(home / "limits", self.account.url)
        self._stopped = False
        self._models: dict[str, Model] = {}
        self._limiters: dict[str, RateLimiter] = {}
        self._profiles: dict[str, ServerProfile] = {}

    @property
    def capabilities(self) -> Capabilities:
        """See :class:`limen.backends.Capabilities`."""
        return Capabilities(
            fine_tuning=self,
            batches=self,
            continuations=self,
            service=self,
            beginnings=self._asks_plainly,
            plain_text=self._asks_plainly,
            checkpoints=True,
        )

    @cached_property
    def default_model(self) -> str:
        """See :meth:`limen.backends.Backend.default_model`."""
        return self._preflight.default_model()

    def describe(self, model: str) -> Model:
        """See :meth:`limen.backends.Backend.describe`; asked of the service once a run."""
        if model not in self._models:
            self._price_of(model)
            self._models[model] = self._preflight.describe(model)
            if not is_from_tables(self._models[model]):
                self._limits.note(base_of(model), self._preflight.limits())
        return self._models[model]

    def recipe(self, overrides: Recipe) -> Recipe:
        """See :meth:`limen.backends.FineTuning.recipe`: ``auto`` is the service's own choice."""
        check_recipe(overrides, ACCEPTED, "openai")
        return {**dict.fromkeys(SETTINGS, "auto"), **overrides}

    def prepare(self, model: str) -> None:
        """See :meth:`limen.backends.Backend.prepare`: the service has its models ready."""
        self.describe(model)

    def sample(self, model: str, requests: Iterable[Request]) -> Iterator[Sequence[Completion]]:
        """See :meth:`limen.backends.Backend.sample`; in the order in which answers arrive."""
        with self._client(model) as client:
            if not self._asks_plainly:
                yield from stream(self.account, client, requests)
                return
            plain = PlainAnswers()
            yield from plain.answered(stream(self.account, client, plain.asked(requests)))

    def log_probabilities(
        self, model: str, requests: Iterable[ContinuationRequest]
    ) -> Iterator[Sequence[LogProbability]]:
        """See :meth:`limen.backends.continuations.ContinuationScorer.log_probabilities`.

        Of a chat answer, a continuation of one token is exact, and of any other an upper bound.
        """
        price = self._price_of(model)
        profile = self._profile_of(model)
        profile.note_sample(self._preflight.ensure_answers(model))
        scorer = Continuations(
            PaidCalls(self.account, self._retries, self.budget, price, model),
            profile,
            self._choices.first_tokens,
            self._choices.max_failed,
        )
        yield from scorer.score(requests)

    def sample_batch(
        self, model: str, requests: Iterable[Request], key: str
    ) -> Iterator[Sequence[Completion]]:
        """See :meth:`limen.backends.BatchSampling.sample_batch`."""
        self._price_of(model)
        profile = self._profile_of(model)
        if not self._asks_plainly:
            yield from self._batches.sample(model, requests, key, profile)
            return
        plain = PlainAnswers()
        asked = plain.asked(requests)
        yield from plain.answered(self._batches.sample(model, asked, key, profile))

    def fine_tune(self, job: Job, progress: Progress) -> FineTuned:
        """See :meth:`limen.backends.FineTuning.fine_tune`."""
        return self.jobs.fine_tune(job, progress)

    def has_batches(self, key: str) -> bool:
        """See :meth:`limen.backends.BatchSampling.has_batches`."""
        return self._batches.path(key).exists()

    def cost(
        self, model: str, usage: Usage, *, trained_tokens: int = 0, batch: bool = False
    ) -> float | None:
        """See :meth:`limen.backends.Service.cost`."""
        return self._prices.cost(model, usage, trained_tokens=trained_tokens, batch=batch)

    def quote(self, work: WorkRequest) -> Quote:
        """See :meth:`limen.backends.Service.quote`."""
        limits = assumed_limits(self.limits(work.model), openai=self.account.is_openai)
        made = quote(work, self._prices, limits, batch=self.terms.batch)
        if self.budget.limited and made.usd_at_most is None:
            epochs = work.recipe.get("epochs")
            raise SpecError(
                f"--limen-budget cannot hold for a fine-tuning of {work.model} with "
                f"epochs={epochs!r}: what it costs is not bounded. Set the epochs, as in "
                f"recipe={{'epochs': 3}}; the price, if none is known, comes from --limen-prices"
            )
        return made

    def conditions(self, model: str) -> str:
        """See :meth:`limen.backends.Service.conditions`."""
        openai = self.account.is_openai
        return conditions(model, self._prices, self.limits(model), openai=openai)

    def server_facts(self, model: str) -> dict[str, str]:
        """See :meth:`limen.backends.Service.server_facts`."""
        facts = self._profile_of(model).facts()
        known = self._models.get(base_of(model))
        if known is not None:
            found = "yes" if known.can_fine_tune else f"no: {known.why_not}"
            source = ASSUMED if is_from_tables(known) else PROBED
            facts = {"fine-tuning": f"{found} ({source})", **facts}
        return facts

    def limits(self, model: str) -> dict[str, float]:
        """Requests and tokens a minute and draws a call, as far as this or an earlier run saw."""
        return self._limits.of(model)

    def stop(self) -> None:
        """See :meth:`limen.backends.Service.stop`."""
        self._stopped = True
        self._retries.stop()
        for limiter in list(self._limiters.values()):
            self.account.start(_stop(limiter))

    @cached_property
    def jobs(self) -> Jobs:
        """The fine-tuning jobs."""
        return Jobs(
            self.account,
            self.ledger,
            self._uploads,
            self._retries,
            self.budget,
            self._prices,
            self.terms,
        )

    @cached_property
    def _batches(self) -> Batches:
        return Batches(
            self.account,
            self._uploads,
            self._retries,
            self.budget,
            self._prices,
            self.terms,
            self._home / "batches",
            self._choices.max_failed,
        )

    @cached_property
    def _uploads(self) -> Uploads:
        return Uploads(self.account, self._retries, self._home / "uploads")

    @cached_property
    def _preflight(self) -> Preflight:
        choices = self._choices
        timeout = min(MOST_PROBING, choices.first_answer / 6)
        discovery = Discovery(self.account, self._retries, timeout)
        contact = FirstContact(self.account, discovery, self._retries, self.budget, choices)
        return Preflight(
            self.account, discovery, contact, self._prices, estimate_only=self.terms.estimate_only
        )

    @property
    def _asks_plainly(self) -> bool:
        """Whether models are asked in plain text, by the endpoint that continues texts."""
        return self._choices.asks_plainly

    @contextmanager
    def _client(self, model: str) -> Iterator[ChatClient]:
        base = base_of(model)
        if self._stopped:
            raise BackendError("the run was ended; run the same command again to go on")
        price = self._price_of(model)
        limiter = self._limiters.setdefault(base, RateLimiter(longest_wait=self._longest_wait))
        profile = self._profile_of(model)
        profile.note_sample(self._preflight.ensure_answers(model))
        try:
            yield ChatClient(
                self.account,
                model,
                limiter=limiter,
                profile=profile,
                budget=self.budget,
                price=price,
                max_failed=self._choices.max_failed,
                deadline=self._deadline,
                longest_wait=self._longest_wait,
            )
        finally:
            found = limiter.limits()
            if profile.draws.lasting and profile.fixed_draws is None:
                found[DRAWS] = profile.draws.lasting
            with records.locked(self._home / "limits" / "all"):
                self._limits.note(base, found)

    def _profile_of(self, model: str) -> ServerProfile:
        base = base_of(model)
        known = self.limits(base).get(DRAWS)
        made = ServerProfile(
            fixed=self._choices.form,
            draws=self._choices.draws,
            known_draws=int(known) if known else None,
        )
        return self._profiles.setdefault(base, made)

    def _price_of(self, model: str) -> ModelPrice | None:
        """What calls to a model cost; raises :class:`~limen.SpecError` where a budget needs it."""
        price = self._prices.of_calls(model)
        if self.budget.limited and price is None:
            raise SpecError(
                f"--limen-budget cannot hold for {model!r}, whose price is not known: give it with "
                f"--limen-prices FILE ([[model]], name, input, output, training: dollars a million "
                f"tokens)"
            )
        return price


async def _stop(limiter: RateLimiter) -> None:
    limiter.stop()
