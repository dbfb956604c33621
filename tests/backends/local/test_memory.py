"""Memory is planned before a model is loaded, and a shortage is one error with what would fit."""

from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from limen.backends.local.libraries import LIBRARIES

for _name in LIBRARIES:
    pytest.importorskip(_name, reason='the extra is not installed: pip install "limen[local]"')

from limen.backends import Job, Request
from limen.backends.local import LocalBackend, memory_limits, memory_plan
from limen.backends.local.memory_plan import Shape, TrainingMemory
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
    settings: dict[str, Any] = {
        "shape": SMOLLM, "recipe": {"method": "lora", "rank": 8}, "row_tokens": 128,
        "answer_tokens": 40, "gpu": False, "half": False,
    }  # fmt: skip
    return TrainingMemory(**{**settings, **changes})


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
