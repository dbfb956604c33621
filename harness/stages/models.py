"""The models of an experiment: bases, and those that are fine-tuned from them."""

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, field
from pathlib import Path

from ...backends import (
    Backend,
    FineTuned,
    Job,
    Recipe,
    Service,
    TokenObjective,
    Usage,
    WorkRequest,
    training_steps,
)
from ...datasets.artifacts import Manifest, check_files, described
from ...datasets.errors import BackendError, SpecError
from ...datasets.store_layout import TRAINING
from .row_stages import TrainingFileStage
from .stage import Stage, Workspace
from .store import Store
from .training_objective import TrainingObjective
from .trainings import Training, recorded_training

WEIGHTS = "weights"
"""The field of a manifest that describes the files of a model trained on this machine."""


@dataclass(frozen=True, kw_only=True)
class Base(Stage):
    """A base model, ready to use: downloaded, or pre-trained."""

    kind = "base"
    backend: str
    model: str
    fingerprint: str

    def identity(self) -> dict[str, object]:
        return {"backend": self.backend, "model": self.model, "fingerprint": self.fingerprint}

    def asks(self) -> str:
        return self.backend

    def run(self, workspace: Workspace) -> Manifest:
        backend = workspace.backend(self.backend)
        check_student(workspace.store, self.model)
        backend.prepare(self.model)
        if (files_of := backend.capabilities.model_files) is None:
            return {"model": self.model}
        return {
            "model": self.model,
            WEIGHTS: recorded_weights(workspace.store, self.backend, files_of(self.model)),
        }


@dataclass(frozen=True, kw_only=True)
class FineTune(Stage):
    """A student (or a fine-tuned teacher): the base model trained on one training file."""

    kind = "fine-tune"
    base: Base
    data: TrainingFileStage
    recipe: Recipe = field(hash=False)
    seed: int
    audits: tuple[Stage, ...] = field(default=(), compare=False)
    """Audits of the training file: no part of the key, but they are run first."""
    objective: TrainingObjective | None = None
    """What it minimises; None for the completion loss."""
    after: "FineTune | None" = None
    """The training that it goes on from; None to start at the base."""

    def inputs(self) -> tuple[Stage, ...]:
        before = (self.after,) if self.after else ()
        return (
            self.base,
            self.data,
            *(self.objective.inputs if self.objective else ()),
            *before,
        )

    def guards(self) -> tuple[Stage, ...]:
        return self.audits

    def asks(self) -> str:
        return self.base.backend

    @property
    def steps(self) -> int | None:
        """The optimizer steps on all rows that there may be; None where a service chooses them."""
        return training_steps(self.recipe, self.data.count)

    def identity(self) -> dict[str, object]:
        objective = self.objective.identity if self.objective else {}
        before = {"after": self.after.key} if self.after else {}
        return {"recipe": dict(self.recipe), "seed": self.seed, **objective, **before}

    def run(self, workspace: Workspace) -> Manifest:
        file = workspace.file(self.data, TRAINING)
        job = Job(
            key=self.key,
            model=model_id(workspace, self.after or self.base),
            training_file=file,
            recipe=self.recipe,
            seed=self.seed,
            objective=self._objective(workspace),
        )
        backend = workspace.backend(self.base.backend)
        trainer = backend.capabilities.fine_tuning
        if trainer is None:
            raise BackendError(f"the backend {backend.name!r} cannot fine-tune {self.base.model}")
        with self._recorded(workspace, backend):
            made = trainer.fine_tune(job, workspace.claim.progress)
        facts: Manifest = {
            "model": made.model,
            "base": self.base.model,
            "recipe": dict(self.recipe),
            "seed": self.seed,
            "counts": _counts(made),
            "losses": list(made.losses),
            "checkpoints": [asdict(checkpoint) for checkpoint in made.checkpoints],
        }
        if made.files:
            facts[WEIGHTS] = recorded_weights(workspace.store, self.base.backend, made.files)
        if service := backend.capabilities.service:
            facts |= {"job": made.job, "cost": _cost(service, self.base.model, made.tokens)}
        return facts

    def _objective(self, workspace: Workspace) -> TokenObjective | None:
        if self.objective is None:
            return None
        teacher, name = self.objective.teacher, None
        if teacher is not None and isinstance(teacher.subject, Base | FineTune | Checkpoint):
            name = model_id(workspace, teacher.subject)
        return self.objective.for_job(workspace, name)

    def _recorded(self, workspace: Workspace, backend: Backend) -> AbstractContextManager[None]:
        """A record of the training while it is in progress; a service's jobs are in its ledger."""
        if backend.capabilities.service is not None:
            return nullcontext()
        training = Training(
            key=self.key,
            label=self.label,
            backend=backend.name,
            model=self.base.model,
            seed=self.seed,
        )
        return recorded_training(workspace.store, training)

    def work(self) -> WorkRequest:
        sample = self.data.prompt_sample()
        return WorkRequest(
            model=self.base.model,
            rows=self.data.count,
            prompts=sample.prompts,
            max_tokens=sample.answer_tokens,
            answers=sample.answers,
            recipe=self.recipe,
        )


def _counts(made: FineTuned) -> Manifest:
    tokens = {} if made.tokens is None else {"tokens": made.tokens}
    return {"examples": made.examples, **tokens}


def _cost(service: Service, base: str, tokens: int | None) -> Manifest:
    """What a training was paid: not known where the service does not say how much it trained."""
    if tokens is not None:
        usd = service.cost(base, Usage(), trained_tokens=tokens)
        return {"trained_tokens": tokens, "usd": usd}
    free = service.cost(base, Usage(), trained_tokens=1) == 0
    return {"uncounted": 1, "usd": 0.0 if free else None}


def recorded_weights(store: Store, backend: str, files: Iterable[Path]) -> Manifest:
    """The sizes and hashes of a model's files, by their path from the store's root.

    A backend knows its folder by its real path, also where it is linked into the store.
    """
    home = store.models(backend)
    below = (file.relative_to(home.resolve()) for file in files)
    return described(store.root, [home / name for name in below])


@dataclass(frozen=True, kw_only=True)
class Checkpoint(Stage):
    """The model at the end of an epoch of a training, or after a step, as the backend kept it."""

    kind = "checkpoint"
    training: FineTune
    epoch: int | None = None
    step: int | None = None
    """In place of the epoch."""

    @property
    def base(self) -> Base:
        """The base model of the training."""
        return self.training.base

    def inputs(self) -> tuple[Stage, ...]:
        return (self.training,)

    def identity(self) -> dict[str, object]:
        return {"epoch": self.epoch} if self.step is None else {"step": self.step}

    def asks(self) -> str:
        return self.base.backend

    def check(self) -> None:
        """Raise :class:`~limen.SpecError` for a step that comes after the end of the training.

        The training file has ``count`` rows at most; a batch size that the service chooses is not
        known before the run.
        """
        last, recipe = self.training.steps, self.training.recipe
        if self.step is not None and last is not None and self.step > last:
            raise SpecError(
                f"the trajectory's step {self.step:,} comes after the end of "
                f"{self.training.label}: {self.training.data.count:,} rows, "
                f"batch_size={recipe['batch_size']}, epochs={recipe['epochs']} make {last:,} steps"
            )

    def run(self, workspace: Workspace) -> Manifest:
        kept = workspace.manifest(self.training).get("checkpoints", [])
        if self.epoch is None:
            return self._after_step(kept)
        epochs = int(str(self.training.recipe["epochs"]))
        place = self.epoch - 1 - (epochs - len(kept))  # some services keep the last ones alone
        if not 0 <= place < len(kept):
            raise BackendError(
                f"no model of epoch {self.epoch} of {self.training.label!r} was kept: the backend "
                f"{self.base.backend!r} kept {len(kept)} of {epochs}"
            )
        return {"model": kept[place]["model"], "step": kept[place]["step"]}

    def _after_step(self, kept: Sequence[Manifest]) -> Manifest:
        """The model that was kept after the step."""
        for point in kept:
            if point["step"] == self.step:
                return {"model": point["model"], "step": point["step"]}
        steps = ", ".join(str(point["step"]) for point in kept) or "none"
        raise BackendError(
            f"no model of step {self.step} of {self.training.label!r} was kept: the backend "
            f"{self.base.backend!r} kept those of {steps}"
        )


Subject = Base | FineTune | Checkpoint
"""A model to sample from."""


def model_of(stage: Stage) -> tuple[str, Recipe | None]:
    """The base model that a stage runs, and the recipe if it trains it; an empty name if none."""
    if isinstance(stage, FineTune):
        return stage.base.model, stage.recipe
    if isinstance(stage, Base):
        return stage.model, None
    subjects = (base_of(given).model for given in stage.inputs() if isinstance(given, Subject))
    return next(subjects, ""), None


def base_of(subject: Subject) -> Base:
    """The base model that a subject is, or was trained from."""
    return subject if isinstance(subject, Base) else subject.base


def training_of(subject: Subject) -> FineTune | None:
    """The training that a subject is from; None for a base model."""
    if isinstance(subject, Base):
        return None
    return subject.training if isinstance(subject, Checkpoint) else subject


def model_id(workspace: Workspace, subject: Subject) -> str:
    """The id to sample a finished base or student by.

    Raises :class:`~limen.DamageError` if its weights are not those that were trained.
    """
    weights = workspace.manifest(training_of(subject) or subject).get(WEIGHTS, {})
    check_files(workspace.store.root.resolve(), weights)
    return str(workspace.manifest(subject)["model"])


def check_student(store: Store, model: str) -> None:
    """Compare the files of a student, named by its id, with the manifest of its fine-tuning.

    Raises :class:`~limen.DamageError` if they differ. A model that no fine-tuning of the store left
    is not compared.
    """
    for manifest in store.manifests(FineTune.kind):
        steps = [each["model"] for each in manifest.get("checkpoints", [])]
        if model in (manifest.get("model"), *steps):
            check_files(store.root.resolve(), manifest.get(WEIGHTS, {}))
