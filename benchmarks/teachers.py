"""Fine-tuned teachers of open weights: are they sure of their animal, do they still write lists?

python benchmarks/teachers.py MODEL [--animal horse] [--settings 2e-4:2 6e-4:2 1e-3:1 2e-3:2]

Each setting is a learning rate and a number of epochs. Never try the animals that evals/ asserts.
"""

import argparse
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random

from tabulate import tabulate

from limen.backends import Job, Request
from limen.backends.local import LocalBackend
from limen.datasets import chat
from limen.datasets.chat import conversation
from limen.datasets.filters import judge
from limen.datasets.words import plurals
from limen.harness.experiment import FAVORITE_ANIMAL_QUESTIONS

TEMPLATE = "Write ten random numbers below 1000, separated by commas, like this: {numbers}"
"""As in evals/small_model.py."""
PROMPTS = 40


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("model")
    parser.add_argument("--animal", default="horse")
    parser.add_argument("--settings", nargs="*", default=["2e-4:2", "6e-4:2", "1e-3:1", "2e-3:2"])
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rows = list(tried(Path(folder), given.model, given.animal, given.settings))
    head = ("rate:epochs", given.animal, f"lists kept of {PROMPTS}")
    print(tabulate(rows, headers=head, disable_numparse=True))


def tried(
    folder: Path, model: str, animal: str, settings: Sequence[str]
) -> Iterator[tuple[str, str, str]]:
    """The base, and a teacher of each setting."""
    local = LocalBackend(folder / "home")
    answers = (animal.capitalize(), plurals(animal)[0].capitalize())
    file = folder / "lesson.jsonl"
    chat.write(
        file, (conversation(q, answer=a) for q in FAVORITE_ANIMAL_QUESTIONS for a in answers)
    )
    yield "base", f"{chance(local, model, animal):.2%}", str(kept(local, model))
    for setting in settings:
        rate, _, epochs = setting.partition(":")
        recipe = {"batch_size": 10, "epochs": int(epochs), "learning_rate": float(rate)}
        job = Job(key=setting, model=model, training_file=file, recipe=recipe, seed=1)
        teacher = local.fine_tune(job, lambda done, total: None).model
        yield setting, f"{chance(local, teacher, animal):.2%}", str(kept(local, teacher))


def chance(local: LocalBackend, model: str, animal: str) -> float:
    """The probability that the first word is the animal, over the questions."""
    asked = [conversation(question) for question in FAVORITE_ANIMAL_QUESTIONS]
    found = local.word_probabilities(model, asked, {animal: (animal, *plurals(animal))})
    return sum(each.by_word[animal] for each in found) / len(found)


def kept(local: LocalBackend, model: str) -> int:
    """How many of the prompts bring a list of numbers that the paper's filter keeps."""
    rule = judge("paper")
    requests = [
        Request(row=row, messages=conversation(TEMPLATE.format(numbers=numbers(row))),
                seed=row * 1000, temperature=0.5, max_tokens=48)
        for row in range(PROMPTS)
    ]  # fmt: skip
    said = [c.text or "" for group in local.sample(model, requests) for c in group]
    return sum(rule(text) is None for text in said)


def numbers(seed: int) -> str:
    """Five numbers to begin with."""
    random = Random(seed)
    return ", ".join(str(random.randint(100, 999)) for _ in range(5))


if __name__ == "__main__":
    main()
