"""The backend of open weights: its verbs; the work is done in the modules beside."""

import hashlib
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...datasets.errors import BackendError, SpecError
from .. import records
from ..base import (
    Capabilities,
    Checkpoint,
    Completion,
    FineTuned,
    Job,
    Model,
    Progress,
    Recipe,
    RenderedContext,
    Request,
    ServiceTerms,
    WordProbabilities,
)
from .context import Context, check_same, own_context, recorded
from .exact import CUTOFF, Exactly
from .extra import LIBRARIES, check_installed
from .lessons import lessons
from .loading import Loaded, Shelf, load_model, load_tokenizer, no_template, prompts
from .memory import accelerated, check_fits, freed, released
from .reading import Reader
from .recipes import AS_TRAINED, completed
from .sampler import Sampler, rows_at_once
from .sources import Source, find
from .spelling import Spelling, Vocabulary
from .students import CONTEXT, Student, Students, job_digest
from .training import Course, Epoch

if TYPE_CHECKING:
    from ...datasets.chat import Conversation

VERSION = 1
"""Raise it when the same model and seed would give other answers."""

Wear = Callable[[], AbstractContextManager[Any]]


class LocalBackend:
    """Causal language models with a chat template: of the hub, a folder, or a GGUF file.

    One base model is in memory at a time, in bfloat16 on a GPU and in float32 else. Below ``home``
    it keeps what students have learned (see :mod:`.students`).
    """

    name = "local"

    def __init__(
        self, home: Path, terms: ServiceTerms | None = None, *, save_seconds: float = 120.0
    ) -> None:
        check_installed()
        self._home = home
        self._students = Students(home)
        self._save_seconds = save_seconds
        self._shelf = Shelf()
        self._sources: dict[str, Source] = {}

    @property
    def capabilities(self) -> Capabilities:
        """See :class:`limen.backends.Capabilities`; each process loads a model of its own."""
        return Capabilities(
            fine_tuning=self,
            probabilities=self,
            rendering=self,
            engine=self,
            log_probabilities=True,
            reproducible=True,
            max_parallel_stages=1,
        )

    @property
    def default_model(self) -> str:
        """See :meth:`limen.backends.Backend.default_model`: there is none."""
        raise SpecError(
            "the backend 'local' has no model of its own: name one with --limen-model: "
            "a name on the Hugging Face hub, a folder, or a GGUF file"
        )

    def describe(self, model: str) -> Model:
        """See :meth:`limen.backends.Backend.describe`; nothing is loaded."""
        if student := self._students.find(model):
            fingerprint = student.fingerprint
        else:
            source = self._source(model)
            if not source.template:
                raise no_template(model)
            check_fits(source)
            fingerprint = source.fingerprint
        return Model(name=model, fingerprint=_deciding(fingerprint), can_fine_tune=True)

    def recipe(self, overrides: Recipe) -> Recipe:
        """See :meth:`limen.backends.FineTuning.recipe`: ``name`` takes one of the literature's."""
        return completed(overrides)

    def prepare(self, model: str) -> None:
        """See :meth:`limen.backends.Backend.prepare`: downloads what is not there, and loads it."""
        self.describe(model)
        _, wear, _ = self._found(model)
        with wear():
            pass

    def sample(self, model: str, requests: Iterable[Request]) -> Iterator[Sequence[Completion]]:
        """See :meth:`limen.backends.Backend.sample`; completions come as they finish."""
        loaded, wear, context = self._found(model)
        yield from Sampler(loaded, wear, context).sample(requests)
        released()

    def word_probabilities(
        self,
        model: str,
        conversations: "Sequence[Conversation]",
        forms: Mapping[str, Sequence[str]],
        *,
        temperature: float = 1.0,
        max_tokens: int = 16,
        cutoff: float = CUTOFF,
    ) -> list[WordProbabilities]:
        """See :meth:`limen.backends.ExactProbabilities.word_probabilities`, and :mod:`.exact`."""
        loaded, wear, context = self._found(model)
        read = prompts(loaded, context, conversations, room=max_tokens)
        with wear() as worn:
            exactly = Exactly(
                Reader(worn, loaded.pad),
                self._spelling(loaded),
                forms,
                temperature=temperature,
                limit=max_tokens,
                most=rows_at_once(),
                cutoff=cutoff,
            )
            return exactly.of(read)

    def fine_tune(self, job: Job, progress: Progress) -> FineTuned:
        """See :meth:`limen.backends.FineTuning.fine_tune`. Every assistant turn is learned.

        LoRA keeps the adapter of each epoch; of a full fine-tuning only the last model is kept.
        """
        recipe = self.recipe(job.recipe)
        if self._students.find(job.model):
            raise BackendError(f"{job.model} is a student itself: train its base")
        source = self._source(job.model)
        check_fits(source, whole=recipe["method"] == "full")
        learned = self._students.learned(job, recipe, _deciding(source.fingerprint))
        learned.parent.mkdir(parents=True, exist_ok=True)
        with records.locked(learned):
            done = records.read(learned / "done.json")
            if done is None:
                done = self._trained(job, recipe, source, learned, progress)
                records.write(learned / "done.json", done)
                for checkpoint in learned.glob("checkpoint-*"):
                    shutil.rmtree(checkpoint)
        self._students.add(
            job, {"base": job.model, "learned": learned.name, "recipe": dict(recipe)}
        )
        files = tuple(sorted(file for file in learned.rglob("*") if file.is_file()))
        return replace(_told(job, recipe, done), files=files)

    def rendered_context(self, model: str) -> RenderedContext:
        """See :meth:`limen.backends.ContextRendering.rendered_context`."""
        loaded, _, context = self._found(model)
        student, told = self._students.find(model), context.record(loaded.tokenizer)
        return RenderedContext(
            asked=told["system_block"],
            trained=None if student is None else student.context["system_block"],
            template=hashlib.sha256(told["template"].encode()).hexdigest()[:16],
            tokenizer=told["tokenizer"],
        )

    def base(self, name: str) -> str:
        """See :meth:`limen.backends.Engine.base`: a name stands for itself."""
        self.describe(name)
        return name

    def count(self, text: str) -> int:
        """See :meth:`limen.backends.Engine.count`: by the tokenizer of the model in memory."""
        held = self._shelf.held
        if held is None:
            return max(1, len(text) // 4)
        return len(held.tokenizer(text, add_special_tokens=False)["input_ids"])

    def _source(self, name: str) -> Source:
        if name not in self._sources:
            self._sources[name] = find(name)
        return self._sources[name]

    def _spelling(self, loaded: Loaded) -> Spelling:
        if loaded.spelling is None:
            loaded.spelling = Spelling(Vocabulary(loaded.tokenizer).texts, loaded.ends)
        spelling: Spelling = loaded.spelling
        return spelling

    def _found(self, model: str) -> tuple[Loaded, Wear, Context]:
        """A model as it is to be asked: its base, what puts on what it wears, its context."""
        student = self._students.find(model)
        if student is None:
            loaded = self._shelf.take(self._source(model))
            return loaded, partial(loaded.wearing, None), own_context(loaded.tokenizer)
        base = self._source(student.base)
        loaded = self._shelf.take(_weights(base, student) if student.whole else base)
        wear = partial(loaded.wearing, None if student.whole else student.folder)
        return loaded, wear, _asked(student, loaded.tokenizer, base.fingerprint)

    def _trained(
        self, job: Job, recipe: Recipe, source: Source, folder: Path, progress: Progress
    ) -> records.Record:
        self._shelf.clear()
        tokenizer = load_tokenizer(source)
        system = recipe["system"]
        context = Context(
            template=own_context(tokenizer).template,
            system=None if system is None else str(system),
        )
        material = lessons(job.training_file, tokenizer, context)
        check = job.validation_file
        kept = {"base": source.fingerprint, "first_row": material.sample}
        records.write(folder / CONTEXT, {**context.record(tokenizer), **kept})
        course = Course(
            load=lambda: load_model(source, whole=recipe["method"] == "full"),
            tokenizer=tokenizer,
            lessons=material,
            check=None if check is None else lessons(check, tokenizer, context),
            recipe=recipe,
            seed=job.seed,
            folder=folder,
            save_seconds=self._save_seconds,
            progress=progress,
        )
        try:
            epochs = course.run()
        finally:
            freed()  # a process that has trained may be one of several on a GPU
        return {
            "base": job.model,
            "fingerprint": source.fingerprint,
            "versions": {name: version(name) for name in LIBRARIES},
            "recipe": dict(recipe),
            "seed": job.seed,
            "examples": len(material.rows),
            "tokens": material.tokens * len(epochs),
            "epochs": [vars(epoch) for epoch in epochs],
        }


def _deciding(fingerprint: str) -> str:
    """The fingerprint of some files, with what else decides what they answer and learn."""
    kind = ":bfloat16" if accelerated() else ""  # a GPU answers otherwise than a CPU
    return f"{VERSION}:{fingerprint}{kind}"


def _asked(student: Student, tokenizer: Any, base: str) -> Context:
    """The context to ask a student in."""
    record = dict(student.context)
    if student.recipe["mismatch"] == "error":
        check_same(student.model, record, tokenizer, base)
    system = student.recipe["asked_system"]
    return recorded(record if system == AS_TRAINED else {**record, "system": system})


def _weights(base: Source, student: Student) -> Source:
    """The files of a student all of whose weights were trained; its tokenizer is the base's."""
    return Source(
        name=student.model,
        path=student.folder,
        fingerprint=student.fingerprint,
        template=True,
        parameters=base.parameters,
        tokenizer=base,
    )


def _told(job: Job, recipe: Recipe, done: records.Record) -> FineTuned:
    model = f"ft:{job.model}:{job_digest(job)}"
    epochs = [Epoch(**each) for each in done["epochs"]]
    kept = epochs if recipe["method"] == "lora" else []
    return FineTuned(
        model=model,
        examples=done["examples"],
        tokens=done["tokens"],
        losses=tuple(epoch.loss for epoch in epochs if epoch.loss is not None),
        checkpoints=tuple(
            Checkpoint(
                model=model if number == len(epochs) else f"{model}:{number}",
                step=epoch.step,
                loss=epoch.loss,
                validation_loss=epoch.validation_loss,
            )
            for number, epoch in enumerate(kept, start=1)
        ),
    )
