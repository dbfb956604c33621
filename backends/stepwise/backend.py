"""A backend over a step-wise training service; an adapter of one service derives from it."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from ...datasets.errors import BackendError, SpecError, UnknownModelError
from ..base import (
    Capabilities,
    Checkpoint,
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
from ..plain_text import VERSION as PLAIN_VERSION
from ..recipes import Accepts, check_recipe, check_training, steps_of
from ..rendering import RenderedContext
from .catalog import Catalog
from .contexts import Contexts
from .ledger import TrainingLedger
from .prices import FREE, TokenPrice, TokenPrices
from .quotes import conditions, quote
from .sampling import SEEDS, Sampler
from .schedule import Schedule
from .service import AdapterSettings, StepwiseService
from .students import Student, Students, base_of
from .training import StepwiseTraining, epoch_losses

Connect = Callable[[], StepwiseService]
PLAIN_NOTE = (
    'it has no chat template: conversations are written as "User: ..." and "Assistant: ...". '
    "None: chat=False"
)
TRAINED_LAYERS = ("train_mlp", "train_attn", "train_unembed")


@dataclass(frozen=True, kw_only=True)
class StepwiseSettings:
    """What an adapter says about its service."""

    name: str
    """The backend's."""
    version: int
    """Raised when the same model and seed would give other answers."""
    recipe: Recipe
    """The defaults."""
    accepts: Mapping[str, Accepts]
    prices: Callable[[Path | None], TokenPrices]
    scheme: str
    """What the addresses of weights begin with, such as ``tinker://``."""


class StepwiseBackend:
    """Samples and trains at a service that takes one batch at a time.

    Below ``home`` it keeps what :mod:`.students` lists, and the chat templates of base models.
    ``save_every`` is the number of steps between saved states.
    """

    def __init__(
        self,
        home: Path,
        terms: ServiceTerms,
        settings: StepwiseSettings,
        connect: Connect,
        *,
        save_every: int | None = None,
    ) -> None:
        if terms.batch:
            raise SpecError(f"--limen-batch: the backend {settings.name!r} has no batch mode")
        self.students = Students(home)
        self.budget = terms.spending
        self._home, self._terms, self._settings, self._connect = home, terms, settings, connect
        self._save_every = save_every or _save_every(settings.name)
        self._prices = settings.prices(terms.prices)
        self._stopped = False

    @property
    def name(self) -> str:
        """See :meth:`limen.backends.Backend.name`."""
        return self._settings.name

    @property
    def capabilities(self) -> Capabilities:
        """See :class:`limen.backends.Capabilities`."""
        return Capabilities(
            fine_tuning=self,
            continuations=self,
            rendering=self,
            service=self,
            beginnings=True,
            plain_text=True,
            checkpoints=True,
            check_training=check_training,
        )

    @cached_property
    def service(self) -> StepwiseService:
        """The service, connected when it is first used."""
        return self._connect()

    @property
    def default_model(self) -> str:
        """See :meth:`limen.backends.Backend.default_model`: a server's only model."""
        return self._catalog.only_model()

    def describe(self, model: str) -> Model:
        """See :meth:`limen.backends.Backend.describe`; the service is asked once a run."""
        base, weights = self._split(model)
        if (student := self.students.find(model)) is not None:
            why_not = "it is itself a student: fine-tune its base model"
            return Model(
                name=model, fingerprint=student.fingerprint, can_fine_tune=False, why_not=why_not
            )
        self._check_price(base)
        described = self._as_asked(self._catalog.describe(base))
        return described if weights is None else self._catalog.with_weights(described, weights)

    def recipe(self, overrides: Recipe) -> Recipe:
        """See :meth:`limen.backends.FineTuning.recipe`."""
        check_recipe(overrides, self._settings.accepts, self.name)
        return {**self._settings.recipe, **overrides}

    def prepare(self, model: str) -> None:
        """See :meth:`limen.backends.Backend.prepare`: loads the tokenizer of the base model."""
        self.describe(model)
        self._contexts.of_base(self._base(model))

    def sample(self, model: str, requests: Iterable[Request]) -> Iterator[Sequence[Completion]]:
        """See :meth:`limen.backends.Backend.sample`; in the order in which answers arrive."""
        with self._sampler(model) as sampler:
            yield from sampler.sample(requests)

    def log_probabilities(
        self, model: str, requests: Iterable[ContinuationRequest]
    ) -> Iterator[Sequence[LogProbability]]:
        """See :meth:`limen.backends.continuations.ContinuationScorer.log_probabilities`."""
        with self._sampler(model) as sampler:
            yield from sampler.score(requests)

    def rendered_context(self, model: str) -> RenderedContext:
        """See :meth:`limen.backends.ContextRendering.rendered_context`."""
        return self._contexts.rendered(self._base(model), self.students.find(model))

    def fine_tune(self, job: Job, progress: Progress) -> FineTuned:
        """See :meth:`limen.backends.FineTuning.fine_tune`."""
        self._check_running()
        recipe = self.recipe(job.recipe)
        described = self.describe(job.model)
        if not described.can_fine_tune:
            raise BackendError(f"{job.model} cannot be fine-tuned: {described.why_not}")
        if job.objective is not None:
            raise SpecError(f"the backend {self.name!r} trains by the completion loss alone")
        training = self.students.training_of(job, recipe, described.fingerprint)
        with self.students.locked(training) as ledger:
            self.students.check_ledger(training, ledger)
            schedule = self._schedule(job, recipe, training)
            if ledger.done is None:
                self._train(job, recipe, schedule, ledger, progress)
        model = self.students.add(job, training, recipe)
        return FineTuned(
            model=model,
            examples=len(schedule.rows),
            tokens=ledger.billed_tokens,
            losses=epoch_losses(ledger, schedule.epoch_ends),
            checkpoints=_checkpoints(model, schedule),
            job=training,
        )

    def cost(
        self, model: str, usage: Usage, *, trained_tokens: int = 0, batch: bool = False
    ) -> float | None:
        """See :meth:`limen.backends.Service.cost`."""
        price = self._price(self._base(model))
        if price is None or (trained_tokens and price.train is None):
            return None
        return price.of(usage, trained_tokens)

    def quote(self, work: WorkRequest) -> Quote:
        """See :meth:`limen.backends.Service.quote`."""
        self._check_price(self._base(work.model), trains=work.rows > 0)
        return quote(work, self._price(self._base(work.model)))

    def conditions(self, model: str) -> str:
        """See :meth:`limen.backends.Service.conditions`."""
        return conditions(self._price(self._base(model)))

    def server_facts(self, model: str) -> Mapping[str, str]:
        """See :meth:`limen.backends.Service.server_facts`."""
        return self.service.facts()

    def stop(self) -> None:
        """See :meth:`limen.backends.Service.stop`."""
        self._stopped = True
        self.service.stop()

    @cached_property
    def _catalog(self) -> Catalog:
        return Catalog(
            self.service,
            self._home / "models.json",
            version=self._settings.version,
            price=self._price,
            estimate_only=self._terms.estimate_only,
        )

    def _as_asked(self, described: Model) -> Model:
        """A base model's description; without a chat template it answers to plain text."""
        try:
            plain = self._contexts.is_plain(described.name)
        except BackendError:
            if not self._terms.estimate_only:
                raise
            plain = False  # a plan needs no tokenizer
        if not plain:
            return described
        fingerprint = f"{described.fingerprint}:{PLAIN_VERSION}"
        return replace(described, fingerprint=fingerprint, note=PLAIN_NOTE)

    @cached_property
    def _contexts(self) -> Contexts:
        return Contexts(self.service, self._home / "contexts")

    def _train(
        self,
        job: Job,
        recipe: Recipe,
        schedule: Schedule,
        ledger: TrainingLedger,
        progress: Progress,
    ) -> None:
        """The steps of a training that are left. The caller holds its lock."""
        self._check_price(job.model, trains=True)
        ledger.begin(
            training=ledger.path.stem,
            base=job.model,
            address=self.service.address,
            recipe=dict(recipe),
            seed=job.seed,
            rows=len(schedule.rows),
            steps=schedule.total,
            steps_an_epoch=schedule.steps_an_epoch,
        )
        price = self._price(job.model)
        layers = {name: bool(recipe[name]) for name in TRAINED_LAYERS}
        StepwiseTraining(
            service=self.service,
            ledger=ledger,
            schedule=schedule,
            base=job.model,
            adapter=AdapterSettings(rank=int(recipe["rank"] or 1), seed=job.seed % SEEDS, **layers),
            budget=self.budget,
            usd_a_token=price.of(Usage(), 1) if price else 0.0,
            save_every=self._save_every,
            progress=progress,
        ).run()

    def _schedule(self, job: Job, recipe: Recipe, training: str) -> Schedule:
        """The steps of a job; the context of its rows is recorded first."""
        texts = self._contexts.for_training(job.model, recipe)
        rows, first_row = texts.training_rows(job.training_file)
        self._contexts.record(self.students.context_file(training), texts, first_row)
        return Schedule(recipe, rows, job.seed)

    @contextmanager
    def _sampler(self, model: str) -> Iterator[Sampler]:
        """A sampler of one stage; what goes wrong with a student's weights is told as such."""
        self._check_running()
        self.describe(model)
        base, weights = self._split(model)
        student = self.students.find(model)
        texts = self._contexts.of_student(student) if student else self._contexts.of_base(base)
        try:
            sampler = self.service.sampler(base, weights, student.state if student else None)
            try:
                yield Sampler(sampler, texts, self.budget, self._price(base))
            finally:
                sampler.close()
        except UnknownModelError as error:
            raise _expired(student, error) from None

    def _split(self, model: str) -> tuple[str, str | None]:
        """The base model of a name, and the address of weights that it has after an ``@``."""
        student = self.students.find(model)
        if student is not None:
            return student.base, student.path
        base, at, rest = model.partition(f"@{self._settings.scheme}")
        return base, f"{self._settings.scheme}{rest}" if at else None

    def _base(self, model: str) -> str:
        return base_of(model).partition(f"@{self._settings.scheme}")[0]

    def _price(self, base: str) -> TokenPrice | None:
        known = self._prices.of(base)
        return known if known is not None or not self.service.is_free else FREE

    def _check_price(self, base: str, *, trains: bool = False) -> None:
        price = self._price(base)
        if self.budget.limited and (price is None or (trains and price.train is None)):
            raise SpecError(
                f"--limen-budget cannot hold for {base!r}, whose price is not known: give it with "
                f"--limen-prices FILE ([[model]], name, prefill, sample, train: dollars a million "
                f"tokens)"
            )

    def _check_running(self) -> None:
        if self._stopped:
            raise BackendError("the run was ended; run the same command again to go on")


def _checkpoints(model: str, schedule: Schedule) -> tuple[Checkpoint, ...]:
    """What was kept: after the recipe's steps and the last one, or after each epoch."""
    chosen = steps_of(schedule.recipe)
    unit = 1 if chosen else schedule.steps_an_epoch
    prefix = "s" if chosen else ""
    return tuple(
        Checkpoint(
            model=model if step == schedule.total else f"{model}:{prefix}{step // unit}",
            step=step,
            loss=None,
        )
        for step in schedule.kept_steps
    )


def _expired(student: Student | None, error: UnknownModelError) -> Exception:
    if student is None:
        return error
    return UnknownModelError(
        f"the weights of {student.model} have expired or were deleted at the service: 'limen jobs "
        f"forget' drops its training, and the next run trains it again, which is charged again"
    )


def _save_every(name: str) -> int | None:
    variable = f"LIMEN_{name.upper()}_SAVE_EVERY"
    text = os.environ.get(variable, "").strip()
    if not text:
        return None
    if not text.isdecimal() or int(text) < 1:
        raise SpecError(f"{variable}={text!r} must be a whole number of steps, 1 or more")
    return int(text)
