"""The list of all jobs of a store, whoever made them."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from limen.backends.base import FineTuned, Job
from limen.backends.toy.backend import ToyBackend
from limen.harness.cli import main
from limen.harness.stages import Store

from ..testing.commands import limen
from ..testing.labs import lab_at
from ..testing.serving import in_thread
from ..testing.specs import tiny_experiment


def listed(store: Path) -> list[str]:
    """The lines of `limen jobs list`."""
    found = CliRunner().invoke(main, ["jobs", "list", "--store", str(store)])
    assert found.exit_code == 0, found.output
    return found.output.splitlines()


def test_a_training_in_progress_is_listed(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its state is running with its step, stopped once its process is gone; none when finished."""
    lines: list[str] = []
    real = ToyBackend.fine_tune

    def killed(self: ToyBackend, job: Job, progress: Callable[..., None]) -> FineTuned:
        progress(3, 40)
        lines.extend(listed(store))
        (record,) = (store / "work").glob("*.training.json")
        kept = record.read_bytes()
        result = real(self, job, lambda done, total: None)
        (store / "kept.json").write_bytes(kept)
        (store / "kept.json").rename(store / "work" / f"{job.key}x.training.json")
        return result

    monkeypatch.setattr(ToyBackend, "fine_tune", killed)
    lab = lab_at(store)
    lab.run([(tiny_experiment(), ["student"])])
    assert lines[0].split()[:3] == ["job", "made", "by"]
    (line,) = lines[2:]
    assert "toy" in line
    assert "running at step 3 of 40" in line
    (line,) = listed(store)[2:]  # the copy of the record, as a killed process leaves it
    assert "stopped" in line


def test_a_training_on_this_machine_is_shown_without_a_service(store: Path) -> None:
    """By a part of its key or its name; what only a service can do is refused in one line."""
    Store(store).open()
    record = {"key": "ab" * 20, "label": "student 1", "backend": "toy", "model": "m", "seed": 0}
    (store / "work" / "x.training.json").write_text(json.dumps(record))
    for name in ("abab", "ab" * 20, "student 1"):
        said = limen("jobs", "show", name, "--store", store)
        assert {"student 1", "stopped"} <= {line[10:].strip() for line in said.splitlines()}
    for way in ("follow", "cancel"):
        said = limen("jobs", way, "abab", "--store", store, code=1)
        assert said.startswith("Error: student 1 is stopped; it is trained by the run")


def test_jobs_of_a_served_store_are_listed(store: Path, tmp_path: Path) -> None:
    """What a client made at `limen serve` with this store stands there by its id."""
    rows = tmp_path / "rows.jsonl"
    turn = (
        '{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}\n'
    )
    rows.write_text(turn * 10)
    with in_thread(store) as server:
        client = server.client()
        with rows.open("rb") as content:
            file = client.files.create(file=content, purpose="fine-tune")
        made = client.fine_tuning.jobs.create(model="toy-1", training_file=file.id, seed=3)
        (line,) = listed(store)[2:]
    assert line.startswith(f"{made.id}  limen serve")
    assert "toy-1" in line
