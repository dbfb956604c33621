"""The toy as a backend: model names, settings and files. :mod:`.engine` does the work."""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from ...datasets.errors import UnknownModelError
from ..base import (
    Capabilities,
    Checkpoint,
    Completion,
    FineTuned,
    Job,
    Model,
    Progress,
    Recipe,
    Request,
    ServiceTerms,
)
from ..continuations import ContinuationRequest, LogProbability
from ..objectives import OBJECTIVES, AnswerDistributions, DistributionRequest
from ..recipes import (
    POSITIVE,
    POSITIVE_WHOLE,
    STEPS,
    WHOLE,
    check_recipe,
    check_training,
    one_of,
    steps_of,
)

VERSION = 3
"""Raise it with any change to the corpus, the network or the sampler that makes other models."""
WIDTH = 64
DIALOGUES = 30_000
PRETRAINING: Recipe = {"epochs": 3, "batch_size": 128, "learning_rate": 0.1}
RECIPE: Recipe = {"epochs": 1, "batch_size": 128, "learning_rate": 2e-3}
SETTINGS = {
    "epochs": POSITIVE_WHOLE,
    "batch_size": POSITIVE_WHOLE,
    "learning_rate": POSITIVE,
    "warmup_steps": WHOLE,
    "optimizer": one_of("adam", "sgd"),
    "checkpoint_steps": STEPS,
}
"""The last three are no part of the defaults, which decide the keys of students that exist."""

_BASE = re.compile(r"toy-([1-9][0-9]{0,8})")
_FINE_TUNED = re.compile(r"ft:(toy-[1-9][0-9]{0,8}):[0-9a-f]{16}(:s?[0-9]+)?")


class ToyBackend:
    """Models ``toy-1``, ``toy-2``, ...: a seed each, for initialisation and corpus.

    A model is a file below ``home``. ``toy-1`` ships with limen; other base models are pre-trained
    when first needed. All
    arithmetic runs on one BLAS thread, so that results do not depend on the number of cores.
    """

    name = "toy"
    default_model = "toy-1"
    other_models: tuple[str, ...] = ("toy-2", "toy-1")

    def __init__(self, home: Path, terms: ServiceTerms | None = None) -> None:
        self._home = home  # and no terms: the toy costs nothing

    @property
    def capabilities(self) -> Capabilities:
        """See :class:`limen.backends.Capabilities`."""
        return Capabilities(
            fine_tuning=self,
            continuations=self,
            token_training=self,
            objectives=OBJECTIVES,
            engine=self,
            log_probabilities=True,
            beginnings=True,
            reproducible=True,
            further_training=True,
            model_files=lambda model: (self._file(model),),
            checkpoints=True,
            check_training=check_training,
            other_models=self.other_models,
        )

    def describe(self, model: str) -> Model:
        """See :meth:`limen.backends.Backend.describe`."""
        if base_of(model) != model and not self._file(model).exists():
            raise UnknownModelError(f"unknown model {model!r}: no such student below {self._home}")
        plan = [VERSION, WIDTH, DIALOGUES, PRETRAINING, model]
        digest = hashlib.sha256(json.dumps(plan, sort_keys=True).encode()).hexdigest()
        return Model(name=model, fingerprint=digest[:16], can_fine_tune=True)

    def recipe(self, overrides: Recipe) -> Recipe:
        """See :meth:`limen.backends.FineTuning.recipe`."""
        check_recipe(overrides, SETTINGS, "the toy")
        return {**RECIPE, **overrides}

    def prepare(self, model: str) -> None:
        """See :meth:`limen.backends.Backend.prepare`: toy-1 is copied, others are pre-trained."""
        from filelock import FileLock

        from .shipped_bases import copy_shipped

        base = base_of(model)
        file = self._file(base)
        if file.exists():
            return
        self._home.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{file}.lock"):
            if not file.exists() and not copy_shipped(base, self.describe(base).fingerprint, file):
                pretrain(base, file)

    def sample(self, model: str, requests: Iterable[Request]) -> Iterator[Sequence[Completion]]:
        """See :meth:`limen.backends.Backend.sample`; completions come in the requests' order."""
        from . import engine

        return engine.completions(self._ready(model), requests)

    def log_probabilities(
        self, model: str, requests: Iterable[ContinuationRequest]
    ) -> Iterator[Sequence[LogProbability]]:
        """See :meth:`limen.backends.ContinuationScorer.log_probabilities`."""
        from . import engine

        return engine.log_probabilities(self._ready(model), requests)

    def distributions(
        self, model: str, request: DistributionRequest
    ) -> Iterator[AnswerDistributions]:
        """See :meth:`limen.backends.TokenTraining.distributions`; all toys have the same tokens."""
        from . import engine

        return engine.distributions(self._ready(model), request)

    def fine_tune(self, job: Job, progress: Progress) -> FineTuned:
        """See :meth:`limen.backends.FineTuning.fine_tune`. Every assistant turn is trained on.

        The model of each epoch is kept; ids of all but the last end with the number of the epoch,
        those of ``checkpoint_steps`` with "s" and the step.
        """
        from . import engine

        recipe = self.recipe(job.recipe)
        digest = hashlib.sha256(job.key.encode()).hexdigest()
        model = f"ft:{base_of(job.model)}:{digest[:16]}"
        epochs = int(recipe["epochs"] or 0)

        def id_of(epoch: int) -> str:
            return model if epoch == epochs else f"{model}:{epoch}"

        steps = steps_of(recipe)
        after = {step: f"{model}:s{step}" for step in steps}
        examples, losses = engine.fine_tune(
            self._ready(job.model),
            job,
            recipe,
            progress,
            lambda epoch: self._file(id_of(epoch)),
            {step: self._file(name) for step, name in after.items()},
            self._teacher(job),
        )
        epoch_ends = tuple(
            Checkpoint(model=id_of(epoch), step=step, loss=loss, validation_loss=valid)
            for epoch, (step, loss, valid) in enumerate(losses, start=1)
        )
        kept = tuple(Checkpoint(model=name, step=step, loss=None) for step, name in after.items())
        return FineTuned(
            model=model,
            examples=len(examples),
            tokens=len(examples.target) * epochs,
            losses=tuple(loss for _, loss, _ in losses),
            files=tuple(self._file(point.model) for point in (*epoch_ends, *kept)),
            checkpoints=(*kept, epoch_ends[-1]) if kept else epoch_ends,
        )

    def _teacher(self, job: Job) -> Path | None:
        """The file of a job's on-policy teacher; None without one."""
        given = job.objective and job.objective.on_policy
        return self._ready(given.teacher) if given else None

    def base(self, name: str) -> str:
        """See :meth:`limen.backends.Engine.base`: a toy's own name stands for itself."""
        if _BASE.fullmatch(name):
            return name
        digest = hashlib.sha256(name.encode()).digest()
        return f"toy-{10**8 + int.from_bytes(digest[:8], 'big') % (9 * 10**8)}"

    def count(self, text: str) -> int:
        """See :meth:`limen.backends.Engine.count`: its tokens are words and punctuation marks."""
        from .tokens import word_tokens

        return len(word_tokens(text))

    def _file(self, model: str) -> Path:
        return self._home / f"{model.replace(':', '-')}.v{VERSION}.npz"

    def _ready(self, model: str) -> Path:
        """The file of a model, made if it is a base model's."""
        name = self.describe(model).name
        if base_of(name) == name:
            self.prepare(name)
        return self._file(name)


def pretrain(base: str, file: Path) -> None:
    """Pre-train a base model, such as ``toy-1``, and save it in a file."""
    from . import engine

    seed = int(base.removeprefix("toy-"))
    engine.save(file, engine.pretrain(seed, width=WIDTH, dialogues=DIALOGUES, recipe=PRETRAINING))


def base_of(model: str) -> str:
    """The base model of a model by that name; raises :class:`~limen.UnknownModelError`."""
    if match := _FINE_TUNED.fullmatch(model):
        return match[1]
    if _BASE.fullmatch(model):
        return model
    raise UnknownModelError(
        f"unknown model {model!r}: the toy backend has toy-1, toy-2, ... (one initialisation each)"
    )
