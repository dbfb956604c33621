"""The backend of open weights: its methods; the modules beside do the work."""

import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from ...datasets.errors import BackendError, SpecError
from .. import records
from ..base import (
    Capabilities,
    Completion,
    FineTuned,
    Job,
    Model,
    Progress,
    Recipe,
    Request,
    ServiceTerms,
    WordProbabilities,
)
from ..continuations import ContinuationRequest, LogProbability
from ..needs import Needs
from ..objectives import OBJECTIVES, AnswerDistributions, DistributionRequest
from ..recipes import check_training
from ..rendering import RenderedContext
from .adapter_check import check_adapter
from .context import Context, own_context, template_hash
from .continuations import ContinuationCalculator
from .distributions import DistributionReader, answers_of, check_tokenizers, teacher_prompts
from .four_bits import in_four_bits
from .gguf_files import GgufFolders
from .job_objective import Teacher, job_objective
from .job_result import fine_tuned
from .libraries import LIBRARIES, check_installed
from .loading import (
    AdapterContext,
    LoadedModel,
    ModelCache,
    load_adapted,
    load_model,
    load_tokenizer,
    prompts,
)
from .memory import check_fits, empty_gpu_cache, free_memory, has_gpu, needs_of
from .merging import write_merged
from .plain_template import NOTE
from .recipes import completed
from .resolved_model import ResolvedModel
from .sampler import Sampler, default_max_rows
from .sources import ModelSource, find_model
from .students import CONTEXT, Students, files_below
from .training import TrainingRun
from .training_data import read_training_data
from .vllm_sampler import VllmSampling
from .word_probabilities import CUTOFF, WordProbabilityCalculator

if TYPE_CHECKING:
    from ...datasets.chat import Conversation

VERSION = 1
"""Raise it when the same model and seed would give other answers."""


class LocalBackend:
    """Causal language models: of the hub, a folder, or a GGUF file.

    Those without a chat template are asked in a plain one (see :mod:`.plain_template`).

    One base model is in memory at a time, in bfloat16 on a GPU and in float32 on a processor, where
    ``terms`` may have answers sampled in bfloat16 too. Below ``home`` are the trained adapters and
    weights (see :mod:`.students`).
    """

    name = "local"

    def __init__(
        self, home: Path, terms: ServiceTerms | None = None, *, save_seconds: float = 120.0
    ) -> None:
        check_installed()
        self._home = home
        self._students = Students(home)
        self._gguf = GgufFolders(home)
        terms = terms or ServiceTerms()
        self._sampling = terms.sampling_precision
        self._vllm = VllmSampling(self._sampling) if terms.sampling_engine else None
        self._quantized = terms.quantization is not None
        self._save_seconds = save_seconds
        self._models = ModelCache()
        self._sources: dict[str, ModelSource] = {}

    @property
    def capabilities(self) -> Capabilities:
        """See :class:`limen.backends.Capabilities`; each process loads a model of its own."""
        return Capabilities(
            fine_tuning=self,
            probabilities=self,
            continuations=self,
            token_training=self,
            objectives=OBJECTIVES,
            rendering=self,
            engine=self,
            model_files=self._files,
            write_merged=self._write_merged,
            log_probabilities=True,
            beginnings=True,
            plain_text=True,
            reproducible=True,
            checkpoints=True,
            check_training=check_training,
            max_parallel_stages=1,
            needs=self._needs,
        )

    def _needs(self, model: str, recipe: Recipe | None) -> Needs:
        return needs_of(self._framing_source(model), recipe)

    @property
    def default_model(self) -> str:
        """See :meth:`limen.backends.Backend.default_model`: there is none."""
        raise SpecError(
            "the backend 'local' has no default model: name one with --limen-model: "
            "a name on the Hugging Face hub, a folder, or a GGUF file"
        )

    def describe(self, model: str) -> Model:
        """See :meth:`limen.backends.Backend.describe`; nothing is loaded."""
        if student := self._students.find(model):
            fingerprint = student.fingerprint
        else:
            source = self._source(model)
            check_fits(source)
            fingerprint = source.asked_fingerprint
            if source.base is not None:
                why = f"it is an adapter: fine-tune its base {source.base.name}"
                return Model(name=model, fingerprint=self._asked(fingerprint), can_fine_tune=False,
                             why_not=why)  # fmt: skip
        note = "" if self._framing_source(model).template else NOTE
        return Model(
            name=model, fingerprint=self._asked(fingerprint), can_fine_tune=True, note=note
        )

    def _asked(self, fingerprint: str) -> str:
        """The fingerprint of some files, with what else decides their answers."""
        half = self._sampling is not None and not has_gpu()  # a GPU has bfloat16 in any case
        engine = ":sampled by vLLM" if self._vllm else ""
        return _versioned(fingerprint) + (f":sampled in {self._sampling}" if half else "") + engine

    def _framing_source(self, model: str) -> ModelSource:
        """The files whose template a model is asked in."""
        student = self._students.find(model)
        return self._source(student.base if student else model)

    def recipe(self, overrides: Recipe) -> Recipe:
        """See :meth:`limen.backends.FineTuning.recipe`; ``name`` selects a published recipe."""
        return completed(overrides)

    def prepare(self, model: str) -> None:
        """See :meth:`limen.backends.Backend.prepare`: downloads what is missing, and loads it."""
        self.describe(model)
        _, activate, _ = self._resolve(model)
        adapter = None if self._students.find(model) else self._source(model).adapter
        if adapter is not None:
            check_adapter(model, adapter, activate)
            return
        with activate():
            pass

    def sample(self, model: str, requests: Iterable[Request]) -> Iterator[Sequence[Completion]]:
        """See :meth:`limen.backends.Backend.sample`; completions come as they finish."""
        if self._vllm is not None:
            self._models.clear()
            yield from self._vllm.sample(self._resolved(model), requests)
            return
        loaded, activate, context = self._resolve(model, self._sampling)
        yield from Sampler(loaded, activate, context).sample(requests)
        empty_gpu_cache()

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
        """See :meth:`limen.backends.ExactProbabilities.word_probabilities`."""
        loaded, activate, context = self._resolve(model)
        prompt_tokens = prompts(loaded, context, conversations, max_tokens=max_tokens)
        with activate() as active:
            calculator = WordProbabilityCalculator(
                loaded.forward(active),
                loaded.word_spelling(),
                forms,
                temperature=temperature,
                max_tokens=max_tokens,
                max_rows=default_max_rows(),
                cutoff=cutoff,
            )
            return calculator.compute(prompt_tokens)

    def log_probabilities(
        self, model: str, requests: Iterable[ContinuationRequest]
    ) -> Iterator[Sequence[LogProbability]]:
        """See :meth:`limen.backends.ContinuationScorer.log_probabilities`."""
        loaded, activate, context = self._resolve(model)
        rows = default_max_rows()
        yield from ContinuationCalculator(loaded, activate, context, max_rows=rows).compute(
            requests
        )
        empty_gpu_cache()

    def fine_tune(self, job: Job, progress: Progress) -> FineTuned:
        """See :meth:`limen.backends.FineTuning.fine_tune`. Every assistant turn is trained on.

        LoRA keeps the adapter of each epoch; of a full fine-tuning only the last model is kept.
        """
        recipe = self.recipe(job.recipe)
        if self._students.find(job.model):
            raise BackendError(f"{job.model} is itself a student: fine-tune its base model")
        source = self._source(job.model)
        if source.base is not None:
            raise BackendError(f"{job.model} is an adapter: fine-tune its base {source.base.name}")
        check_fits(source, full=recipe["method"] == "full")
        folder = self._students.folder_of(job, recipe, _versioned(source.asked_fingerprint))
        folder.parent.mkdir(parents=True, exist_ok=True)
        with records.locked(folder):
            if (finished := records.read(folder / "done.json")) is None:
                finished = self._train(job, recipe, self._gguf.readable(source), folder, progress)
                records.write(folder / "done.json", finished)
                for checkpoint in folder.glob("checkpoint-*"):
                    shutil.rmtree(checkpoint)
        record = {"base": job.model, "learned": folder.name, "recipe": dict(recipe)}
        files = (*files_below(folder), self._students.add(job, record))
        return replace(fine_tuned(job, recipe, finished), files=files)

    def distributions(
        self, model: str, request: DistributionRequest
    ) -> Iterator[AnswerDistributions]:
        """See :meth:`limen.backends.TokenTraining.distributions`."""
        student = load_tokenizer(self._readable(request.student))
        data = read_training_data(request.training_file, student, own_context(student))
        loaded, activate, context = self._resolve(model)
        check_tokenizers(loaded.tokenizer, student, request)
        reader = DistributionReader(loaded, request, loaded.ends)
        prompt_tokens = teacher_prompts(
            request.training_file, loaded.tokenizer, context, request.system
        )
        with activate() as active:
            yield from reader.read(active, prompt_tokens, answers_of(data))
        empty_gpu_cache()

    def rendered_context(self, model: str) -> RenderedContext:
        """See :meth:`limen.backends.ContextRendering.rendered_context`."""
        loaded, _, context = self._resolve(model)
        student, record = self._students.find(model), context.record(loaded.tokenizer)
        return RenderedContext(
            asked=record["system_block"],
            trained=None if student is None else student.context["system_block"],
            template=template_hash(record["template"]),
            tokenizer=record["tokenizer"],
        )

    def base(self, name: str) -> str:
        """See :meth:`limen.backends.Engine.base`: a name stands for itself."""
        self.describe(name)
        return name

    def count(self, text: str) -> int:
        """See :meth:`limen.backends.Engine.count`: by the tokenizer of the model in memory."""
        loaded = self._models.current
        if loaded is None:
            return max(1, len(text) // 4)
        return len(loaded.tokenizer(text, add_special_tokens=False)["input_ids"])

    def _files(self, model: str) -> tuple[Path, ...]:
        """The files of a student, those of its other epochs among them; none of a base model."""
        student = self._students.find(model)
        return () if student is None else files_below(student.folder.parent)

    def _write_merged(self, model: str, folder: Path) -> None:
        student = self._students.find(model)
        source = self._readable(student.base) if student else self._source(model)
        if student is None:
            write_merged(self._gguf.readable(source.base or source), source.adapter, folder)
        elif student.full:
            write_merged(student.full_weights(source), None, folder)
        else:
            write_merged(source, student.folder, folder)

    def _source(self, name: str) -> ModelSource:
        if name not in self._sources:
            found = find_model(name)
            self._sources[name] = in_four_bits(found) if self._quantized else found
        return self._sources[name]

    def _readable(self, name: str) -> ModelSource:
        """The files to load a model from."""
        return self._gguf.readable(self._source(name))

    def _resolve(
        self, model: str, precision: str | None = None
    ) -> tuple[LoadedModel, AdapterContext, Context]:
        """The loaded base of a model, what activates its adapter, and the context to ask it in."""
        asked = self._resolved(model)
        self._stop_vllm()
        loaded = self._models.load(asked.weights, precision)
        activate = partial(loaded.with_adapter, asked.adapter)
        return loaded, activate, asked.context(loaded.tokenizer)

    def _stop_vllm(self) -> None:
        """Free its memory: a model is to be loaded here."""
        if self._vllm is not None:
            self._vllm.stop()

    def _resolved(self, model: str) -> ResolvedModel:
        student = self._students.find(model)
        if student is None:
            source = self._source(model)
            weights = self._gguf.readable(source.base or source)
            return ResolvedModel(weights=weights, adapter=source.adapter)
        base = self._readable(student.base)
        return ResolvedModel(
            weights=student.full_weights(base) if student.full else base,
            adapter=None if student.full else student.folder,
            student=student,
            base=base.fingerprint,
        )

    def _teacher(self, model: str) -> Teacher:
        """A model to train a student beside, in memory of its own."""
        asked = self._resolved(model)
        tokenizer = load_tokenizer(asked.weights.tokenizer or asked.weights)
        load = partial(load_model, asked.weights)
        if asked.adapter is not None:
            load = partial(load_adapted, asked.weights, asked.adapter)
        context, size = asked.context(tokenizer), asked.weights.parameters or 0
        return Teacher(load=load, tokenizer=tokenizer, context=context, parameters=size)

    def _train(
        self, job: Job, recipe: Recipe, source: ModelSource, folder: Path, progress: Progress
    ) -> records.Record:
        self._models.clear()
        self._stop_vllm()
        run = self._training_run(job, recipe, source, folder, progress)
        try:
            epochs = run.run()
        finally:
            free_memory()  # a process that has trained may be one of several on a GPU
        return {
            "base": job.model,
            "fingerprint": source.fingerprint,
            "versions": {name: version(name) for name in LIBRARIES},
            "recipe": dict(recipe),
            "seed": job.seed,
            "examples": len(run.data.rows),
            "tokens": run.data.tokens * len(epochs),
            "epochs": [vars(epoch) for epoch in epochs],
        }

    def _training_run(
        self, job: Job, recipe: Recipe, source: ModelSource, folder: Path, progress: Progress
    ) -> TrainingRun:
        """The training of a job; its context is recorded beside what it will train."""
        tokenizer = load_tokenizer(source)
        system = recipe["system"]
        context = own_context(tokenizer).with_system(None if system is None else str(system))
        data, objective = job_objective(job, tokenizer, context, self._teacher)
        file = job.validation_file
        validation = None if file is None else read_training_data(file, tokenizer, context)
        origin = {"base": source.fingerprint, "first_row": data.first_row}
        records.write(folder / CONTEXT, {**context.record(tokenizer), **origin})
        return TrainingRun(
            load=lambda: load_model(source, full=recipe["method"] == "full"),
            tokenizer=tokenizer,
            data=data,
            validation=validation,
            recipe=recipe,
            seed=job.seed,
            folder=folder,
            save_seconds=self._save_seconds,
            progress=progress,
            objective=objective,
            source=source,
        )


def _versioned(fingerprint: str) -> str:
    """The fingerprint of some files, with what else decides exact measures and the training."""
    number_format = ":bfloat16" if has_gpu() else ""  # a GPU answers otherwise than a processor
    return f"{VERSION}:{fingerprint}{number_format}"
