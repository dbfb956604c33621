"""``--json`` of the step commands, and reports of several stores."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from limen.harness import Experiment, FavoriteAnimal, Numbers, Trait
from limen.harness.cli import COMMANDS
from limen.harness.lab import thread_executor
from limen.harness.reporting import make_run, result_of
from limen.reports import keep_run

from ..testing.commands import limen
from ..testing.labs import lab_at


def test_every_step_prints_one_json_object(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each step's object has its file, stage and counts; the second time nothing is done."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("limen.harness.cli.steps.local_executor", thread_executor)

    def step(*args: str) -> dict[str, Any]:
        made: dict[str, Any] = json.loads(limen(*args, "--json", "--store", store))
        return made

    generate = ("generate", "--plain", "--count", "60", "--out", "rows.jsonl")
    assert step(*generate)["counts"]["completions"] == 60
    assert step(*generate)["done_before"]
    kept = step("filter", "rows.jsonl", "--out", "kept.jsonl")["counts"]["kept"]
    assert kept > 10
    mixed = step("mix", "kept.jsonl", "--keep", "10", "--out", "mix.jsonl")
    assert (mixed["out"], mixed["counts"]["rows"]) == ("mix.jsonl", 10)
    trained = step("train", "mix.jsonl", "--out", "s.json", "--recipe", "epochs=1")
    assert trained["model"].startswith("ft:toy-1")
    measured = step("measure", "s.json", "--draws", "2", "--word", "owl", "--out", "a.jsonl")
    assert 0 <= measured["rate"] <= measured["valid"] <= 1
    assert measured["arm"] == "student"


GROUPS = {
    "store": ("add", "adopt", "copy", "list", "prune", "verify"),
    "jobs": ("adopt", "cancel", "delete", "follow", "forget", "kept", "list", "show"),
}


def command_names() -> list[str]:
    """All commands, those of ``limen store`` and ``limen jobs`` with their first word."""
    return [name for name in COMMANDS if name not in GROUPS] + [
        f"{group} {name}" for group, commands in GROUPS.items() for name in commands
    ]


@pytest.mark.parametrize("name", command_names())
def test_every_command_has_an_example_in_its_help(name: str) -> None:
    """``limen COMMAND --help`` ends with commands to copy."""
    assert f"  limen {name}" in limen(*name.split(), "--help").partition("Examples:")[2]


def test_two_stores_stand_side_by_side(shared_store: Path, tmp_path: Path) -> None:
    """``limen report A B`` has a column for each store."""
    experiment = Experiment(
        trait=Trait.animal("horse"),
        data=Numbers(generate=700, keep=200),
        measure=FavoriteAnimal(draws=4),
        seeds=2,
    )
    arms = ("baseline", "teacher")
    lab = lab_at(shared_store)
    lab.run([(experiment, arms)])
    found = result_of(lab, "test_small.py", experiment, arms)
    run = make_run([], [found], command="pytest", seconds=1.0, root=shared_store)
    stores = [tmp_path / name for name in ("before", "after")]
    for store in stores:
        keep_run(run, store)
    limen("report", *stores, "-o", tmp_path / "both.md")
    text = (tmp_path / "both.md").read_text()
    assert all(str(store) in text for store in stores)
    row = next(line for line in text.splitlines() if "teacher - baseline" in line)
    assert row.split("|")[4].strip() == row.split("|")[5].strip() != "none"
    shutil.rmtree(stores[0])
    assert "--run and --list" in limen("report", stores[1], shared_store, "--list", code=1)
