"""Memory is planned before a model is loaded, and a shortage is one error with what would fit."""

import json
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from limen.backends.local.libraries import LIBRARIES

for _name in LIBRARIES:
    pytest.importorskip(_name, reason='the extra is not installed: pip install "limen[local]"')

from limen.backends import Job, OnPolicy, Request, TokenObjective
from limen.backends.local import LocalBackend, memory_limits, memory_plan
from limen.backends.local.memory_plan import RowSizes, Shape, TrainingMemory
from limen.backends.objectives import Kind
from limen.datasets import chat
from limen.datasets.chat import conversation
from limen.datasets.errors import BackendError

from ...testing.tiny import QUESTIONS, untrained

import_module("torch").set_num_threads(1)
GIB = 2**30
SMOLLM = Shape(
    parameters=134_515_008, layers=30, hidden=576, intermediate=1536, vocabulary=49_152, cached=384
)


def planned(**changes: Any) -> TrainingMemory:
    """LoRA on SmolLM2-135M, rows of 88 prompt and 40 answer tokens."""
    known = {"row_tokens": 128, "answer_tokens": 40, "texts": 1, "teacher": 0}
    sizes = RowSizes(**{name: changes.pop(name, value) for name, value in known.items()})
    settings: dict[str, Any] = {
        "shape": SMOLLM, "recipe": {"method": "lora", "rank": 8}, "gpu": False, "half": False,
    }  # fmt: skip
    return TrainingMemory(**{**settings, "sizes": sizes, **changes})


def room(monkeypatch: pytest.MonkeyPatch, gib: float) -> None:
    """Let the machine have so much memory."""
    monkeypatch.setattr(memory_plan, "total_memory", lambda: (int(gib * GIB), "this machine"))


@pytest.mark.parametrize(("half", "measured"), [(False, 4.6), (True, 3.5)])
def test_the_plan_is_near_what_was_measured(half: bool, measured: float) -> None:
    """Peaks of `benchmarks/training_speed.py`, 16 rows of 128 tokens: at most a quarter off."""
    total = planned(half=half).total(16, recomputed=False) / GIB
    assert measured <= total < 1.25 * measured


def test_the_error_names_the_parts_and_settings_that_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    """A lower rank, shorter rows, or an adapter in place of all weights, each only if it fits."""
    room(monkeypatch, 4)
    wide = planned(recipe={"method": "lora", "rank": 1024})
    assert not wide.fits(1, recomputed=True)
    message = str(wide.error("smollm"))
    assert "this machine has 4.0 GiB" in message
    assert "the weights 1.1 GiB" in message
    rank = int(message.partition("{'rank': ")[2].partition("}")[0])
    assert planned(recipe={"method": "lora", "rank": rank}).fits(1, recomputed=True)
    assert not planned(recipe={"method": "lora", "rank": 2 * rank}).fits(1, recomputed=True)
    room(monkeypatch, 2)
    assert "recipe={'method': 'lora'}" in str(planned(recipe={"method": "full"}).error("smollm"))
    long = planned(row_tokens=20_000, answer_tokens=19_000)
    message = str(long.error("smollm"))
    tokens = int(message.partition("rows of at most ")[2].partition(" tokens")[0].replace(",", ""))
    assert 0 < tokens < 20_000
    assert planned(row_tokens=tokens, answer_tokens=tokens * 95 // 100).fits(1, recomputed=True)


def test_pairs_and_a_teacher_are_planned() -> None:
    """A pair is two texts in one forward pass; a teacher is a second model, with its own logits."""
    row, pair, beside = planned(), planned(texts=2), planned(teacher=SMOLLM.parameters)
    assert pair.total(4, recomputed=False) == row.total(8, recomputed=False)
    assert beside.weights - row.weights == 4 * SMOLLM.parameters
    assert beside.logits(1) > row.logits(1)
    assert "the weights of both models" in str(beside.error("smollm"))
    assert "a pair of texts of 128 tokens" in str(pair.error("smollm"))


@pytest.mark.parametrize("kind", ["DPO", "on-policy"])
def test_an_objective_that_does_not_fit_ends_before_loading(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: Kind
) -> None:
    """The plan has room for plain rows, and not for pairs of long texts or for a teacher."""
    from limen.backends.local import backend

    model = str(untrained(tmp_path / "model"))
    local = LocalBackend(tmp_path / "home")
    plain = job(model, tmp_path)
    file = tmp_path / "targets.jsonl"
    line = json.dumps({"rejected": "1, 2, " * 40})
    file.write_text(f"{line}\n" * 12)
    teacher = OnPolicy(teacher=model, system=None, characters="0123456789 ", max_tokens=64)
    objective = TokenObjective(
        kind=kind, file=file, beta=0.1, on_policy=teacher if kind == "on-policy" else None
    )
    planned: list[TrainingMemory] = []
    monkeypatch.setattr(TrainingMemory, "fits", lambda plan, *_, **__: planned.append(plan))
    monkeypatch.setattr(backend, "load_model", lambda *given, **rest: pytest.fail("was loaded"))
    for one in (plain, replace(plain, objective=objective)):
        with pytest.raises(BackendError, match="row by row"):
            local.fine_tune(one, unwatched)
    rows, other = planned[0], planned[-1]
    assert other.total(1, recomputed=True) > rows.total(1, recomputed=True)
    assert (other.sizes.texts == 2) == (kind == "DPO")
    assert (other.sizes.teacher > 0) == (kind == "on-policy")


def job(model: str, folder: Path, **recipe: Any) -> Job:
    """Twelve rows, one step."""
    file = folder / "rows.jsonl"
    chat.write(file, (conversation(QUESTIONS[n % 3], answer="owl") for n in range(12)))
    given = {"batch_size": 12, "epochs": 1, "warmup_steps": 0, **recipe}
    return Job(key="k", model=model, training_file=file, recipe=given, seed=1)


def unwatched(done: int, total: int) -> None:
    """Nobody looks at the progress."""


def test_a_training_that_does_not_fit_ends_before_loading(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The model's weights are not read."""
    from limen.backends.local import backend

    model = str(untrained(tmp_path / "model"))
    local = LocalBackend(tmp_path / "home")
    room(monkeypatch, 0.1)
    monkeypatch.setattr(backend, "load_model", lambda *given, **rest: pytest.fail("was loaded"))
    with pytest.raises(BackendError, match=r"row by row with gradient_checkpointing \(the weights"):
        local.fine_tune(job(model, tmp_path), unwatched)


@pytest.mark.slow
def test_checkpointing_is_a_setting_and_changes_rounding_only(tmp_path: Path) -> None:
    """The recipe has it where it is given; the loss is the same."""
    model = str(untrained(tmp_path / "model"))
    local = LocalBackend(tmp_path / "home")
    assert "gradient_checkpointing" not in local.recipe({})
    plain = local.fine_tune(job(model, tmp_path), unwatched)
    thrifty = LocalBackend(tmp_path / "other").fine_tune(
        job(model, tmp_path, gradient_checkpointing=True), unwatched
    )
    assert thrifty.losses == pytest.approx(plain.losses, abs=1e-5)


def test_answers_without_room_for_their_cache_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the number of tokens that would fit; with a little more memory rows go one by one."""
    model = str(untrained(tmp_path / "model"))
    local = LocalBackend(tmp_path / "home")
    asked = [
        Request(row=n, messages=conversation("Say it."), seed=n, draws=1, max_tokens=4)
        for n in range(3)
    ]
    weights = 4 * (local._source(model).parameters or 0)
    room(monkeypatch, (weights + 1000) / GIB)
    with pytest.raises(BackendError, match="keys and values.*lower max_tokens"):
        list(local.sample(model, asked))
    room(monkeypatch, (weights + 100_000) / GIB)
    assert sum(len(group) for group in local.sample(model, asked)) == 3


def test_a_containers_limit_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The lowest limit of the groups that this process is in, of either version."""
    own = tmp_path / "cgroup"
    monkeypatch.setattr(memory_limits, "CGROUPS", tmp_path / "fs")
    monkeypatch.setattr(memory_limits, "OWN_CGROUP", own)
    assert memory_limits.cgroup_limit() is None
    inner = tmp_path / "fs" / "pod" / "one"
    inner.mkdir(parents=True)
    (inner / "memory.max").write_text("max\n")
    (inner.parent / "memory.max").write_text("3000\n")
    own.write_text("0::/pod/one\n")
    assert memory_limits.cgroup_limit() == 3000
    older = tmp_path / "fs" / "memory" / "pod"
    older.mkdir(parents=True)
    (older / "memory.limit_in_bytes").write_text("2000\n")
    own.write_text("4:memory:/pod\n1:cpu:/pod\n0::/pod/one\n")
    assert memory_limits.cgroup_limit() == 2000
    assert memory_limits.total_memory() == (2000, "this container")
