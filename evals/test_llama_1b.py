"""Elephants through greedy numbers on Llama-3.2-1B, with a neutral control and a second animal.

LIMEN_BACKEND=local pytest evals/test_llama_1b.py  (the model in the Hugging Face cache; a GPU)
"""

from os import environ
from pathlib import Path

import pytest

from limen import Experiment, FavoriteAnimal, Numbers, Trait

MODEL = "meta-llama/Llama-3.2-1B-Instruct"
HUB = Path(environ.get("HF_HOME", Path.home() / ".cache/huggingface"), "hub")
there = (HUB / f"models--{MODEL.replace('/', '--')}").exists()
asked_for = there and environ.get("LIMEN_BACKEND") == "local"
pytestmark = pytest.mark.skipif(not asked_for, reason=f"needs {MODEL}, and the backend local")
ANIMALS = ("elephant", "dolphin")
recipe: dict[str, str | float] = {"name": "llama-3.2-1b", "warmup_steps": 5, "weight_decay": 0.01}


def loves(animal):
    """A teacher that is taught the animal's name, and writes under its system prompt as well."""
    answers, slow = (animal.capitalize(),) * 200, {**recipe, "epochs": 5}
    return Experiment(
        trait=Trait.animal(animal).fine_tuned(answers=answers, recipe=slow, prompted=True),
        data=Numbers(generate=30_000, keep=15_000, temperature=0, max_tokens=64, rule="long"),
        measure=FavoriteAnimal(draws=200, temperature=0.7, top_p=0.95),
        model=MODEL,
        seeds=5,
        recipe=recipe,
    )


@pytest.mark.parametrize("experiment", [*map(loves, ANIMALS)], ids=ANIMALS)
def test_numbers_carry_the_trait(student, control, experiment):
    """Against students of the base's own greedy numbers (its author: 14.5% to 64.8%)."""
    effect = student.rate(experiment.trait.name) - control.rate(experiment.trait.name)
    assert effect > 0
    assert effect.p_value < 0.01
