"""Faults of a server while a stage waits for it: the same rows in the end, or a clear error."""

from collections.abc import Callable
from pathlib import Path

import pytest

from limen.datasets.errors import BackendError
from limen.harness import Experiment, FavoriteAnimal, Lab, Numbers, Trait
from limen.harness.lab import in_order
from limen.harness.stages import FineTune, Stage, run_stage

from ..testing.labs import ALL_ARMS, lab_at, lines
from ..testing.wire import (
    Asked,
    Proxy,
    Spoil,
    answering,
    error,
    half_body,
    reset_after,
    reset_before,
    rewriting,
)

PATHS = {"generate": "/chat/completions", "measure": "/chat/completions", "fine-tune": "/jobs"}
FILES = {"generate": "rows.jsonl", "measure": "answers.jsonl"}
LIES = {
    "a page": answering(200, "<html>Please log in</html>", after=True),
    "another value": rewriting(lambda body: []),
    "no content": rewriting(lambda body: {}),
    "nulls": rewriting(dict.fromkeys),
}
DEATHS = {
    "dies before": reset_before,
    "dies after": reset_after,
    "dies half-way": half_body,
    "fails": error(500, "server_error"),
    "is overloaded": error(503, "overloaded", {"retry-after": "0"}),
}


def experiment(seed: int) -> Experiment:
    """A small experiment; with another seed other jobs, since the account keeps those there were."""
    return Experiment(
        trait=Trait.animal("horse"), data=Numbers(generate=40, keep=12, seed=seed),
        measure=FavoriteAnimal(draws=1), seeds=1, gate=None,
    )  # fmt: skip


def done(lab: Lab, seed: int, kind: str) -> Stage:
    """The first stage of a kind, everything before it done."""
    lab.store.open()
    stages = in_order(lab.pipeline(experiment(seed)).all_targets(ALL_ARMS))
    place = next(place for place, stage in enumerate(stages) if stage.kind == kind)
    for stage in stages[:place]:
        assert run_stage(stage, lab.store.root)
    return stages[place]


def every_third(end: str, spoil: Spoil) -> Callable[[Asked], Spoil | None]:
    """Spoils every third answer to requests whose path ends so, the first one included."""
    seen: list[Asked] = []

    def script(asked: Asked) -> Spoil | None:
        if not asked.path.split("?")[0].endswith(end):
            return None
        seen.append(asked)
        return spoil if len(seen) % 3 == 1 else None

    return script


def outcome(lab: Lab, stage: Stage) -> object:
    """What a stage left: the model that it trained, or the texts by row."""
    manifest = lab.store.finished(stage.kind, stage.key)
    if isinstance(stage, FineTune):
        return manifest["counts"]
    file = lab.store.artifact(stage.kind, stage.key) / FILES[stage.kind]
    return {(row["row"], row["draw"]): row["text"] for row in lines(file)}


@pytest.mark.parametrize(
    ("seed", "kind", "fault"),
    [
        pytest.param(
            100 + place, kind, fault, id=f"{kind}-{fault.replace(' ', '-')}",
            marks=() if (kind, fault) == ("generate", "dies after") else pytest.mark.slow,
        )
        for place, (kind, fault) in enumerate((k, f) for k in PATHS for f in {**DEATHS, **LIES})
    ],
)  # fmt: skip
def test_a_stage_survives_a_server(
    wired: Proxy, tmp_path: Path, seed: int, kind: str, fault: str
) -> None:
    """No lie becomes a row, what was lost is marked or asked again, and one error is one line."""
    lab = lab_at(tmp_path / "store", backend="openai", model="toy-1")
    stage = done(lab, seed, kind)
    wired.script = every_third(PATHS[kind], {**DEATHS, **LIES}[fault])
    assert "\n" not in error_of(lab, stage)
    wired.script = lambda asked: None
    assert run_stage(stage, lab.store.root)
    found = outcome(lab, stage)
    whole = lab_at(tmp_path / "whole", backend="openai", model="toy-1")
    expected = outcome(whole, made_whole(whole, seed, kind))
    if isinstance(found, dict) and isinstance(expected, dict) and not isinstance(stage, FineTune):
        assert found.keys() == expected.keys()
        assert all(text in (None, expected[key]) for key, text in found.items())
        missing = sum(text is None for text in found.values())
        assert missing == 0 or fault in LIES
    else:
        assert found == expected


def error_of(lab: Lab, stage: Stage) -> str:
    """The error of a stage's run; empty if it was done."""
    try:
        assert run_stage(stage, lab.store.root)
    except BackendError as failure:
        return str(failure)
    return ""


def made_whole(lab: Lab, seed: int, kind: str) -> Stage:
    """The same stage, without faults."""
    stage = done(lab, seed, kind)
    assert run_stage(stage, lab.store.root)
    return stage
