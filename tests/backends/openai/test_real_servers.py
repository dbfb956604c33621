"""Real servers: a baseline and a teacher are measured on each. Slow: run with ``-m slow``."""

import json
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from ...testing.real_servers import (
    RealServer,
    litellm_proxy,
    mlflow_gateway,
    transformers_serve,
)
from ...testing.serving import Served
from ...testing.specs import QUICK
from ...testing.tiny import needs_extra

pytestmark = pytest.mark.slow

OPTIONS = ("--limen-backend=openai", "--limen-openai-first-answer=300")
SPEC = """
from limen.harness import Experiment, FavoriteAnimal, Numbers, Trait

experiment = Experiment(
    trait=Trait.animal("horse"),
    data=Numbers(generate=20, keep=5),
    measure=FavoriteAnimal(draws=2),
    seeds=1,
    gate=None,
)


def test_the_base_model_answers(baseline):
    '''The base model's answers are counted.'''
    assert 0 <= baseline.rate("horse") <= 1


def test_the_teacher_answers(teacher):
    '''The teacher's answers are counted.'''
    assert 0 <= teacher.rate("horse") <= 1


def test_students_need_training(student):
    '''A chat server trains no students.'''
    assert student.valid > 0
"""


def measured(
    pytester: pytest.Pytester,
    monkeypatch: pytest.MonkeyPatch,
    running: AbstractContextManager[RealServer],
) -> dict[str, str]:
    """Run the spec on a server; returns what its manifests say of the server."""
    pytester.makepyfile(test_spec=SPEC)
    store = pytester.path / "store"
    with running as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        monkeypatch.setenv("OPENAI_API_KEY", server.key)
        options = (f"--limen-model={server.model}", f"--limen-store={store}", "-rs")
        found = pytester.runpytest_subprocess(*QUICK, *OPTIONS, *options)
    found.assert_outcomes(passed=2, skipped=1)
    manifests = [json.loads(p.read_text()) for p in store.glob("stages/measure/*/manifest.json")]
    assert len(manifests) == 2
    facts: dict[str, str] = manifests[-1]["server"]
    return facts


@needs_extra
def test_transformers_serve(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, tiny: str, tmp_path: Path
) -> None:
    """``transformers serve`` is measured; it gives one draw a call, whatever ``n`` says."""
    facts = measured(pytester, monkeypatch, transformers_serve(tiny, tmp_path))
    assert facts["draws per call"] == "up to 1 (probed)"


def test_litellm(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, served: Served, tmp_path: Path
) -> None:
    """LiteLLM's proxy is measured; it passes on how many draws are asked for."""
    facts = measured(pytester, monkeypatch, litellm_proxy(served.url, tmp_path))
    assert facts["fine-tuning"].startswith("no: ")


def test_mlflow_gateway(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, served: Served, tmp_path: Path
) -> None:
    """MLflow's gateway is measured."""
    facts = measured(pytester, monkeypatch, mlflow_gateway(served.url, tmp_path))
    assert facts["fine-tuning"].startswith("no: ")
