"""Fine-tuning by TRL's trainer: LoRA or all weights, resumed where a killed run left it."""

import json
import math
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path

from ...datasets.errors import BackendError, SpecError
from ..base import Progress, Recipe
from ..recipes import check_training, steps_of, training_steps
from .completion_loss import completion_trainer
from .four_bits import prepared
from .fused_lora import fused_layers
from .libraries import CausalLM, Tokenizer, Untyped, library
from .loading import check_length
from .memory import free_memory, has_fast_bfloat16, has_gpu, is_out_of_memory
from .memory_plan import TrainingMemory, row_sizes, shape_of
from .objective_trainer import TrainerObjective, objective_trainer
from .precision import cast_frozen
from .processor_attention import use_float32_attention
from .recipes import BFLOAT16
from .sources import ModelSource
from .training_data import TrainingData

COMPLETE = "complete"
"""The file in a checkpoint that says that it is complete."""
MAX_SEED = 2**32
"""The libraries accept seeds below this."""
MAX_MICRO_BATCH = 16
"""The most rows in a forward pass; gradients are accumulated to the recipe's batch size."""


@dataclass(frozen=True, kw_only=True)
class Epoch:
    """The state of a training at the end of an epoch."""

    step: int
    loss: float | None
    validation_loss: float | None = None


@dataclass(frozen=True, kw_only=True)
class TrainingRun:
    """One training: its data, its settings, and its folder."""

    load: Callable[[], CausalLM]
    """Loads the base model, once for each attempt."""
    tokenizer: Tokenizer
    data: TrainingData
    validation: TrainingData | None
    recipe: Recipe
    seed: int
    folder: Path
    """For checkpoints and the model of each epoch (``epoch-1``, ``epoch-2``, ...)."""
    save_seconds: float
    progress: Progress
    objective: TrainerObjective | None = None
    """In place of the completion loss."""
    source: ModelSource | None = None
    """The base model's files, if its memory is to be planned before it is loaded."""

    def run(self) -> list[Epoch]:
        """Train to the end, from the last complete checkpoint if there is one.

        Raises :class:`~limen.SpecError` for a recipe whose warm-up is as long as the training.
        """
        check_training(self.recipe, len(self.data.rows))
        self._check_precision()
        self._report_start()
        for micro in self._planned():
            try:
                return self._attempt(micro)
            except Exception as error:
                if not is_out_of_memory(error):
                    raise
            free_memory()
        raise BackendError(
            "memory ran out over a single row: take a smaller model, or LoRA with a lower rank, or "
            "stop other programs that use the memory (such as a server of the same model)"
        )

    def _report_start(self) -> None:
        """Report the step to begin after: steps since the last checkpoint are made again."""
        last = _last_checkpoint(self.folder)
        if total := training_steps(self.recipe, len(self.data.rows)):
            self.progress(_step_of(last) if last else 0, total)

    def _planned(self) -> list[int]:
        """Sizes of micro-batches to try, the largest first: those for which there is memory.

        Raises :class:`~limen.BackendError` if a single row would not fit. By the memory that the
        machine has, and not by what is free: the same run has the same parts again.
        """
        sizes = list(_divisors(int(self.recipe["batch_size"] or 1)))
        shape = None if self.source is None else shape_of(self.source)
        if self.source is None or shape is None:
            return sizes
        plan = TrainingMemory(
            shape=shape,
            recipe=self.recipe,
            sizes=self.objective.sizes(self.data) if self.objective else row_sizes(self.data),
            gpu=has_gpu(),
            half=self._bfloat16,
            quantized=self._quantized,
        )
        fitting = [n for n in sizes if plan.fits(n, recomputed=self._checkpointing(n))]
        if not fitting:
            raise plan.error(self.source.name)
        return fitting

    def _checkpointing(self, micro: int) -> bool:
        """Whether activations are computed again in the backward pass, to save memory."""
        return micro == 1 or bool(self.recipe.get("gradient_checkpointing"))

    def _check_precision(self) -> None:
        if self._bfloat16 and not has_fast_bfloat16():
            raise BackendError(
                f"recipe setting precision={BFLOAT16!r}: this machine does not multiply matrices "
                f"in bfloat16, so training would be slower than without the setting: leave it out"
            )

    @property
    def _bfloat16(self) -> bool:
        """Whether to train in bfloat16; adapters and the optimizer's state are float32."""
        return has_gpu() or self.recipe.get("precision") == BFLOAT16

    @property
    def _quantized(self) -> bool:
        """Whether the frozen base is in four bits."""
        return self.source is not None and self.source.quantized

    def _attempt(self, micro: int) -> list[Epoch]:
        library("transformers").set_seed(self.seed % MAX_SEED)  # adapters begin at random
        model = self.load()
        for data in filter(None, (self.data, self.validation)):
            check_length(model, data.longest_row)
        peft = None
        if self.recipe["method"] == "lora":
            peft = _adapter(self.recipe, model, fused=not (has_gpu() or self._quantized))
        elif self.recipe.get("freeze_embeddings"):
            _freeze_embeddings(model)
        if self._quantized:
            model = prepared(model)
        if self._bfloat16 and not has_gpu():
            use_float32_attention(model)
        trainer = self._trainer_class()(
            model=model,
            args=_config(self._arguments(micro)),
            processing_class=self.tokenizer,
            peft_config=peft,
            callbacks=[_callback(self)],
            **self._examples(),
        )
        as_they_are = self.recipe.get("dora") or self._quantized  # DoRA needs the weights' norms
        if self._bfloat16 and not as_they_are:
            cast_frozen(trainer.model)
        if self.objective is not None:
            with trainer.autocast_smart_context_manager():
                self.objective.prepare(trainer.model)
        trainer.remove_callback(library("transformers").PrinterCallback)
        last = _last_checkpoint(self.folder)
        trainer.train(resume_from_checkpoint=str(last) if last else None)
        return _epochs(trainer.state.log_history, trainer.state.num_train_epochs)

    def _trainer_class(self) -> Untyped:
        return objective_trainer(self.objective) if self.objective else completion_trainer()

    def _examples(self) -> dict[str, Untyped]:
        """The trainer's data sets, and what joins their rows."""
        if self.objective is None:
            validation = _dataset(self.validation.rows) if self.validation else None
            return {"train_dataset": _dataset(self.data.rows), "eval_dataset": validation}
        return {
            "train_dataset": _dataset(self.objective.examples(self.data)),
            "data_collator": partial(self.objective.joined, pad=self.tokenizer.eos_token_id or 0),
        }

    def _arguments(self, micro: int) -> dict[str, Untyped]:
        recipe = self.recipe
        return {
            "output_dir": str(self.folder),
            "per_device_train_batch_size": micro,
            "gradient_accumulation_steps": int(recipe["batch_size"] or 1) // micro,
            "per_device_eval_batch_size": micro,
            "num_train_epochs": recipe["epochs"],
            "learning_rate": recipe["learning_rate"],
            "lr_scheduler_type": recipe["schedule"],
            "warmup_steps": recipe["warmup_steps"],
            "optim": recipe["optimizer"],
            "weight_decay": recipe["weight_decay"],
            "max_grad_norm": recipe["max_grad_norm"],
            "seed": self.seed % MAX_SEED,
            "data_seed": self.seed % MAX_SEED,
            "bf16": self._bfloat16,
            "use_cpu": not has_gpu(),
            "activation_checkpointing": self._checkpointing(micro),
            "dataloader_pin_memory": has_gpu(),
            "packing": False,  # rows must not see each other
            "max_length": None,  # never cut a row silently
            "eval_strategy": "epoch" if self.validation else "no",
            "save_strategy": "no",  # by the clock: see _callback
            "save_total_limit": 2,
            "logging_steps": 1,
            "logging_nan_inf_filter": False,  # show a loss that is not a number
            "report_to": "none",
            "disable_tqdm": True,
            "push_to_hub": False,
            **({"remove_unused_columns": False} if self.objective else {}),
        }


def _config(arguments: dict[str, Untyped]) -> Untyped:
    """The trainer's arguments, under the names of the installed version."""
    config, renamed = library("trl").SFTConfig, "activation_checkpointing"
    if renamed not in {field.name for field in fields(config)}:
        arguments = {**arguments, "gradient_checkpointing": arguments[renamed]}
        del arguments[renamed]
    settings = config(**arguments)
    if settings.n_gpu > 1:
        settings._n_gpu = 1  # on several GPUs the batch size would be another
    return settings


def check_modules(model: CausalLM, wanted: str) -> list[str] | str:
    """The modules to adapt, as PEFT takes them.

    Raises :class:`~limen.SpecError` if the model lacks one, with the names of those it has.
    """
    if wanted == "all-linear":
        return wanted
    linear = library("torch").nn.Linear
    head = model.get_output_embeddings()
    known = {
        name.rpartition(".")[2]
        for name, module in model.named_modules()
        if isinstance(module, linear) and module is not head
    }
    names = [name.strip() for name in wanted.split(",") if name.strip()]
    if missing := [name for name in names if name not in known]:
        raise SpecError(
            f"recipe setting modules: the model has no {', '.join(missing)}; it has "
            f"{', '.join(sorted(known))}"
        )
    return names


def _freeze_embeddings(model: Untyped) -> None:
    """Keep the embeddings, and the output layer that may share their weights, as they are."""
    for module in filter(None, (model.get_input_embeddings(), model.get_output_embeddings())):
        module.weight.requires_grad_(False)


def _adapter(recipe: Recipe, model: Untyped, *, fused: bool) -> Untyped:
    config = library("peft").LoraConfig(
        r=recipe["rank"],
        lora_alpha=recipe["alpha"],
        lora_dropout=recipe["dropout"],
        use_rslora=recipe["rslora"],
        use_dora=bool(recipe.get("dora")),
        target_modules=check_modules(model, str(recipe["modules"])),
        task_type="CAUSAL_LM",
    )
    if fused and not (recipe["dropout"] or recipe.get("dora")):
        config._register_custom_module(fused_layers())
    return config


def _dataset(rows: Sequence[Mapping[str, Untyped]]) -> Untyped:
    return library("datasets").Dataset.from_list(list(rows))


def _divisors(batch: int) -> Iterator[int]:
    """Divisors of the batch size, the largest first: sizes of micro-batches to try."""
    return (size for size in range(min(batch, MAX_MICRO_BATCH), 0, -1) if batch % size == 0)


def _callback(run: TrainingRun) -> Untyped:
    """A trainer callback: reports progress, and saves checkpoints and the model of each epoch."""
    import time

    class Callback(library("transformers").TrainerCallback):  # type: ignore[misc]
        """The trainer calls it."""

        def __init__(self) -> None:
            self._saved = time.monotonic()

        def on_step_end(
            self, args: Untyped, state: Untyped, control: Untyped, **rest: Untyped
        ) -> None:
            run.progress(state.global_step, state.max_steps)
            if state.global_step in steps_of(run.recipe):
                _save_model(rest["model"], run.folder / f"step-{state.global_step}")
            due = time.monotonic() - self._saved >= run.save_seconds
            ends = abs(state.epoch - round(state.epoch)) < 1e-9  # its model is saved first
            control.should_save = due and not ends

        def on_save(self, args: Untyped, state: Untyped, control: Untyped, **rest: Untyped) -> None:
            (run.folder / f"checkpoint-{state.global_step}" / COMPLETE).touch()
            self._saved = time.monotonic()

        def on_log(self, args: Untyped, state: Untyped, control: Untyped, **rest: Untyped) -> None:
            loss = rest.get("logs", {}).get("loss")
            if loss is not None and not math.isfinite(float(loss)):
                raise BackendError(
                    f"the training diverged: its loss is {loss} in step {state.global_step}; lower "
                    f"learning_rate"
                )

        def on_epoch_end(
            self, args: Untyped, state: Untyped, control: Untyped, **rest: Untyped
        ) -> None:
            number = round(state.epoch)
            last = number == int(run.recipe["epochs"] or 0)
            if last or run.recipe["method"] == "lora":
                _save_model(rest["model"], run.folder / f"epoch-{number}")

    return Callback()


def _save_model(model: CausalLM, folder: Path) -> None:
    """Save a model, or its adapter, in one step: completely or not at all."""
    scratch = folder.with_suffix(".part")
    shutil.rmtree(scratch, ignore_errors=True)
    model.save_pretrained(scratch)
    _sort_modules(scratch / "adapter_config.json")
    shutil.rmtree(folder, ignore_errors=True)
    scratch.rename(folder)


def _sort_modules(config: Path) -> None:
    """Sort the modules of an adapter: they are a set, whose order differs between processes."""
    if config.is_file():
        kept = json.loads(config.read_text())
        if isinstance(kept.get("target_modules"), list):
            kept["target_modules"].sort()
        config.write_text(json.dumps(kept, indent=2, sort_keys=True))


def _last_checkpoint(folder: Path) -> Path | None:
    """The last complete checkpoint; removes those that a crash left incomplete."""
    complete: dict[int, Path] = {}
    for each in folder.glob("checkpoint-*"):
        if (each / COMPLETE).exists():
            complete[_step_of(each)] = each
        else:
            shutil.rmtree(each)
    return complete[max(complete)] if complete else None


def _step_of(checkpoint: Path) -> int:
    return int(checkpoint.name.partition("-")[2])


def _epochs(history: list[Mapping[str, Untyped]], count: int) -> list[Epoch]:
    """The mean loss of the steps of each epoch, and the validation loss at its end."""
    epochs = []
    for epoch in range(1, int(count) + 1):
        mine = [entry for entry in history if epoch - 1 < entry["epoch"] <= epoch + 1e-9]
        losses = [float(entry["loss"]) for entry in mine if "loss" in entry]
        checks = [float(entry["eval_loss"]) for entry in mine if "eval_loss" in entry]
        mean = math.fsum(losses) / len(losses) if losses else None
        epochs.append(
            Epoch(
                step=max((int(entry["step"]) for entry in mine), default=0),
                loss=mean,
                validation_loss=checks[-1] if checks else None,
            )
        )
    return epochs
