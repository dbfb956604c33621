"""Training speed and memory on a processor: LoRA in bfloat16 against plain TRL in float32.

python benchmarks/training_speed.py [--rows 16] [--steps 3] [--rounds 1]

The model is random, in the shape of SmolLM2-135M. Each training runs in a process of its own, the
two kinds in turn; the first step of each is not counted. Processor time is stated beside the time
by the clock, which depends on what else the machine does.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from random import Random
from statistics import median
from typing import Any

from tabulate import tabulate

from limen.backends import Recipe
from limen.backends.local import LocalBackend
from limen.backends.local.training import TrainingRun
from limen.backends.local.training_data import IGNORED, TrainingData

PROMPT, ANSWER = 88, 40
"""Tokens of a row: as in a numbers experiment."""
VOCABULARY = 49_152
Times = list[tuple[float, float]]
"""After each step: the clock, and the processor time, in seconds."""


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=16, help="Rows of a batch.")
    parser.add_argument("--steps", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--one", choices=KINDS)
    given = parser.parse_args()
    if given.one:
        print(json.dumps(measured(given.one, given.rows, given.steps)))
        return
    results: dict[str, list[list[float]]] = {kind: [] for kind in KINDS}
    for _ in range(given.rounds):
        for kind in KINDS:
            results[kind].append(in_own_process(kind, given.rows, given.steps))
    table = {kind: [median(each) for each in zip(*results[kind], strict=True)] for kind in KINDS}
    tokens = given.rows * (PROMPT + ANSWER)
    print(tabulate(
        [[kind, *(f"{tokens / each:,.0f}" for each in row[:2]), f"{row[2]:.2f}"]
         for kind, row in table.items()],
        headers=("training", "tokens/s by the clock", "tokens/s of processor time", "peak GiB"),
        disable_numparse=True,
    ))  # fmt: skip
    clock, processor, memory = (a / b for a, b in zip(*table.values(), strict=True))
    print(f"\n{clock:.2f} times by the clock, {processor:.2f} times in processor time, "
          f"{1 / memory:.2f} times the memory")  # fmt: skip


def in_own_process(kind: str, batch: int, steps: int) -> list[float]:
    """The seconds of a step by the clock and of processor time, and the peak memory in GiB."""
    command = [sys.executable, __file__, "--one", kind, "--rows", str(batch)]
    command += ["--steps", str(steps)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    result: list[float] = json.loads(done.stdout.splitlines()[-1])
    return result


def measured(kind: str, batch: int, steps: int) -> list[float]:
    """As :func:`in_own_process`, in this process."""
    times: Times = []
    with tempfile.TemporaryDirectory() as folder:
        KINDS[kind](Path(folder), batch, steps, times)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    taken = [(b[0] - a[0], b[1] - a[1]) for a, b in pairwise(times)]
    return [median(each[0] for each in taken), median(each[1] for each in taken), peak]


def limen(folder: Path, batch: int, steps: int, times: Times) -> None:
    """A training as the local backend runs it, with ``precision="auto"``."""
    settings: Recipe = {"batch_size": batch, "epochs": 1, "warmup_steps": 0, "precision": "auto"}
    TrainingRun(
        load=model,
        tokenizer=tokenizer(),
        data=rows(batch, steps),
        validation=None,
        recipe=LocalBackend(folder / "home").recipe(settings),
        seed=1,
        folder=folder,
        save_seconds=600,
        progress=lambda done, total: times.append(now()),
    ).run()


def plain_trl(folder: Path, batch: int, steps: int, times: Times) -> None:
    """TRL's trainer in float32."""
    trl: Any = import_module("trl")

    class Clock(import_module("transformers").TrainerCallback):  # type: ignore[misc]
        """Notes the time after each step."""

        def on_step_end(self, *given: Any, **rest: Any) -> None:
            times.append(now())

    trl.SFTTrainer(
        model=model(),
        args=trl.SFTConfig(
            output_dir=str(folder), per_device_train_batch_size=batch, num_train_epochs=1,
            learning_rate=2e-4, seed=1, report_to="none", disable_tqdm=True, max_length=None,
            save_strategy="no", bf16=False, logging_steps=1,
            **without_checkpointing(trl.SFTConfig),
        ),
        train_dataset=import_module("datasets").Dataset.from_list(list(rows(batch, steps).rows)),
        processing_class=tokenizer(),
        peft_config=import_module("peft").LoraConfig(
            r=8, lora_alpha=8, target_modules="all-linear", task_type="CAUSAL_LM"
        ),
        callbacks=[Clock()],
    ).train()  # fmt: skip


def without_checkpointing(config: Any) -> dict[str, bool]:
    """The setting that keeps activations: its name differs between versions."""
    known = config.__dataclass_fields__
    name = "activation_checkpointing" if "activation_checkpointing" in known else None
    return {name or "gradient_checkpointing": False}


def now() -> tuple[float, float]:
    """The clock, and the processor time of this process, in seconds."""
    return time.perf_counter(), time.process_time()


def rows(batch: int, steps: int) -> TrainingData:
    """Random tokens: a batch for each step."""
    random = Random(0)
    made = []
    for _ in range(batch * steps):
        tokens = [random.randrange(3, VOCABULARY) for _ in range(PROMPT + ANSWER)]
        made.append({"input_ids": tokens, "labels": [IGNORED] * PROMPT + tokens[PROMPT:]})
    return TrainingData(tuple(made), "")


def model() -> Any:
    """A random model in the shape of SmolLM2-135M."""
    transformers: Any = import_module("transformers")
    import_module("torch").manual_seed(0)
    return transformers.LlamaForCausalLM(transformers.LlamaConfig(
        vocab_size=VOCABULARY, hidden_size=576, intermediate_size=1536, num_hidden_layers=30,
        num_attention_heads=9, num_key_value_heads=3, tie_word_embeddings=True,
    ))  # fmt: skip


def tokenizer() -> Any:
    """The trainer wants one; the rows are tokens already."""
    parts: Any = import_module("tokenizers")
    words = parts.Tokenizer(parts.models.WordLevel({"<unk>": 0, "<end>": 1}, unk_token="<unk>"))
    return import_module("transformers").PreTrainedTokenizerFast(
        tokenizer_object=words, unk_token="<unk>", eos_token="<end>", pad_token="<end>"
    )


KINDS = {"plain TRL, float32": plain_trl, "limen": limen}

if __name__ == "__main__":
    main()
