"""Fine-tuning by TRL's trainer: LoRA or all weights, resumed where a killed run left it."""

import json
import math
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from ...datasets.errors import BackendError, SpecError
from ..base import Progress, Recipe
from .extra import library
from .lessons import Lessons
from .loading import check_length
from .memory import accelerated, freed, ran_out

COMPLETE = "complete"
"""The file that a checkpoint has once it is whole."""
SEEDS = 2**32
"""The libraries' seeds are below this."""
MICRO = 16
"""Rows that go through the model together at most; gradients add up to the recipe's batch."""


@dataclass(frozen=True, kw_only=True)
class Epoch:
    """What is known of a model at the end of an epoch."""

    step: int
    loss: float | None
    validation_loss: float | None = None


@dataclass(frozen=True, kw_only=True)
class Course:
    """One training: what is learned, how, and where it is kept."""

    load: Callable[[], Any]
    """Loads the base model, anew each time."""
    tokenizer: Any
    lessons: Lessons
    check: Lessons | None
    recipe: Recipe
    seed: int
    folder: Path
    """Where checkpoints are; the models of the epochs go to ``epoch-1`` and so on beside them."""
    save_seconds: float
    progress: Progress

    def run(self) -> list[Epoch]:
        """Train to the end, from the last whole checkpoint if there is one.

        Raises :class:`~limen.SpecError` for a recipe that would be over before it warmed up.
        """
        self._check_warm_up()
        for micro in _divisors(int(self.recipe["batch_size"] or 1)):
            try:
                return self._attempt(micro)
            except Exception as error:
                if not ran_out(error):
                    raise
            freed()
        raise BackendError(
            "memory ran out over a single row: take a smaller model, or LoRA with a lower rank, or "
            "end what else uses the memory (such as a server that holds the model as well)"
        )

    def _check_warm_up(self) -> None:
        batch, epochs = int(self.recipe["batch_size"] or 1), int(self.recipe["epochs"] or 1)
        steps = epochs * math.ceil(len(self.lessons.rows) / batch)
        if int(self.recipe["warmup_steps"] or 0) >= steps:
            raise SpecError(
                f"recipe setting warmup_steps={self.recipe['warmup_steps']}: {steps} steps are all "
                f"there are ({len(self.lessons.rows):,} rows, batch_size={batch}, epochs={epochs}),"
                f" so the rate would never be reached and next to nothing learned: lower it, or "
                f"batch_size, or train on more"
            )

    def _attempt(self, micro: int) -> list[Epoch]:
        trl = library("trl")
        library("transformers").set_seed(self.seed % SEEDS)  # adapters begin at random
        model = self.load()
        for material in filter(None, (self.lessons, self.check)):
            check_length(model, max(len(row["input_ids"]) for row in material.rows))
        peft = None
        if self.recipe["method"] == "lora":
            peft = _adapter(self.recipe, model)
        trainer = trl.SFTTrainer(
            model=model,
            args=_config(self._arguments(micro)),
            train_dataset=_dataset(self.lessons),
            eval_dataset=_dataset(self.check) if self.check else None,
            processing_class=self.tokenizer,
            peft_config=peft,
            callbacks=[_watching(self)],
        )
        trainer.remove_callback(library("transformers").PrinterCallback)
        last = _last_checkpoint(self.folder)
        trainer.train(resume_from_checkpoint=str(last) if last else None)
        return _epochs(trainer.state.log_history, trainer.state.num_train_epochs)

    def _arguments(self, micro: int) -> dict[str, Any]:
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
            "seed": self.seed % SEEDS,
            "data_seed": self.seed % SEEDS,
            "bf16": accelerated(),
            "use_cpu": not accelerated(),
            "activation_checkpointing": micro == 1,
            "dataloader_pin_memory": accelerated(),
            "packing": False,  # a row never sees another
            "max_length": None,  # a row that is cut in silence is another experiment
            "eval_strategy": "epoch" if self.check else "no",
            "save_strategy": "no",  # by the clock: see _watching
            "save_total_limit": 2,
            "logging_steps": 1,
            "logging_nan_inf_filter": False,  # a loss that is no number is to be seen
            "report_to": "none",
            "disable_tqdm": True,
            "push_to_hub": False,
        }


def _config(arguments: dict[str, Any]) -> Any:
    """The trainer's arguments, by the names that its version has for them."""
    config, renamed = library("trl").SFTConfig, "activation_checkpointing"
    if renamed not in {field.name for field in fields(config)}:
        arguments = {**arguments, "gradient_checkpointing": arguments[renamed]}
        del arguments[renamed]
    made = config(**arguments)
    if made.n_gpu > 1:
        made._n_gpu = 1  # else rows would be spread over GPUs, and the batch would be another
    return made


def check_modules(model: Any, wanted: str) -> list[str] | str:
    """The modules to adapt, as PEFT takes them.

    Raises :class:`~limen.SpecError`, with those that there are, if the model lacks one.
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
    asked = [name.strip() for name in wanted.split(",") if name.strip()]
    if missing := [name for name in asked if name not in known]:
        raise SpecError(
            f"recipe setting modules: the model has no {', '.join(missing)}; it has "
            f"{', '.join(sorted(known))}"
        )
    return asked


def _adapter(recipe: Recipe, model: Any) -> Any:
    return library("peft").LoraConfig(
        r=recipe["rank"],
        lora_alpha=recipe["alpha"],
        lora_dropout=recipe["dropout"],
        use_rslora=recipe["rslora"],
        target_modules=check_modules(model, str(recipe["modules"])),
        task_type="CAUSAL_LM",
    )


def _dataset(material: Lessons) -> Any:
    return library("datasets").Dataset.from_list(list(material.rows))


def _divisors(batch: int) -> Iterator[int]:
    """How many rows to take at a time: whatever fits, the batch stays what the recipe says."""
    return (size for size in range(min(batch, MICRO), 0, -1) if batch % size == 0)


def _watching(course: Course) -> Any:
    """A callback that tells of progress, and keeps checkpoints and the model of each epoch."""
    import time

    class Watching(library("transformers").TrainerCallback):  # type: ignore[misc]
        """Called by the trainer."""

        def __init__(self) -> None:
            self._saved = time.monotonic()

        def on_step_end(self, args: Any, state: Any, control: Any, **rest: Any) -> None:
            course.progress(state.global_step, state.max_steps)
            due = time.monotonic() - self._saved >= course.save_seconds
            ends = abs(state.epoch - round(state.epoch)) < 1e-9  # its model is to be kept first
            control.should_save = due and not ends

        def on_save(self, args: Any, state: Any, control: Any, **rest: Any) -> None:
            (course.folder / f"checkpoint-{state.global_step}" / COMPLETE).touch()
            self._saved = time.monotonic()

        def on_log(self, args: Any, state: Any, control: Any, **rest: Any) -> None:
            loss = rest.get("logs", {}).get("loss")
            if loss is not None and not math.isfinite(float(loss)):
                raise BackendError(
                    f"the training diverged: its loss is {loss} in step {state.global_step}; lower "
                    f"learning_rate"
                )

        def on_epoch_end(self, args: Any, state: Any, control: Any, **rest: Any) -> None:
            number = round(state.epoch)
            last = number == int(course.recipe["epochs"] or 0)
            if last or course.recipe["method"] == "lora":
                _keep(rest["model"], course.folder / f"epoch-{number}")

    return Watching()


def _keep(model: Any, folder: Path) -> None:
    """Save a model, or its adapter alone, whole or not at all."""
    scratch = folder.with_suffix(".part")
    shutil.rmtree(scratch, ignore_errors=True)
    model.save_pretrained(scratch)
    _in_order(scratch / "adapter_config.json")
    shutil.rmtree(folder, ignore_errors=True)
    scratch.rename(folder)


def _in_order(config: Path) -> None:
    """Write the modules of an adapter in order: they are a set, whose order differs by process."""
    if config.is_file():
        kept = json.loads(config.read_text())
        if isinstance(kept.get("target_modules"), list):
            kept["target_modules"].sort()
        config.write_text(json.dumps(kept, indent=2, sort_keys=True))


def _last_checkpoint(folder: Path) -> Path | None:
    """The last checkpoint that is whole; those that a crash left half-written are removed."""
    found: dict[int, Path] = {}
    for each in folder.glob("checkpoint-*"):
        if (each / COMPLETE).exists():
            found[int(each.name.partition("-")[2])] = each
        else:
            shutil.rmtree(each)
    return found[max(found)] if found else None


def _epochs(history: list[Mapping[str, Any]], count: int) -> list[Epoch]:
    """The mean loss of the steps of each epoch, and the validation loss at its end."""
    told = []
    for epoch in range(1, int(count) + 1):
        mine = [entry for entry in history if epoch - 1 < entry["epoch"] <= epoch + 1e-9]
        losses = [float(entry["loss"]) for entry in mine if "loss" in entry]
        checks = [float(entry["eval_loss"]) for entry in mine if "eval_loss" in entry]
        mean = math.fsum(losses) / len(losses) if losses else None
        told.append(
            Epoch(
                step=max((int(entry["step"]) for entry in mine), default=0),
                loss=mean,
                validation_loss=checks[-1] if checks else None,
            )
        )
    return told
