"""Real Ray: two nodes on a loopback of their own, on which workers and a node are killed."""

import json
import shutil
import subprocess
from typing import Any

import pytest

from ..testing.ray_scenarios import ROOT, isolated

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the scenarios found, run once for all tests."""
    pytest.importorskip("ray")
    if not shutil.which("unshare") or subprocess.run(isolated("-c", ""), check=False).returncode:
        pytest.skip("no network of its own can be had here (unshare -rn)")
    file = tmp_path_factory.mktemp("ray") / "outcome.json"
    command = isolated("-m", "tests.testing.ray_scenarios", str(file))
    subprocess.run(command, cwd=ROOT, check=True, timeout=900)
    found: dict[str, Any] = json.loads(file.read_text())
    return found


@pytest.mark.parametrize("killed", ["worker", "node"])
def test_what_is_killed_in_a_training_changes_no_byte(outcome: dict[str, Any], killed: str) -> None:
    """Its stages are run again, and nothing fails."""
    found = outcome[killed]
    assert (found["killed"], found["failed"], found["differ"]) == (True, [], 0)
    assert found["files"] > 10


def test_nodes_that_share_nothing_leave_the_same(outcome: dict[str, Any]) -> None:
    """Inputs and outputs are sent through Ray, and so is the progress, with the node's name."""
    assert outcome["apart"]["differ"] == 0
    assert any("second" in node for node in outcome["apart"]["nodes"])


def test_both_nodes_are_used_and_named(outcome: dict[str, Any]) -> None:
    """In the progress of their stages."""
    assert any("second" in node for node in outcome["worker"]["nodes"])


def test_eight_gpus_run_eight_stages(outcome: dict[str, Any]) -> None:
    """None waits while one is free, and no GPU is given twice."""
    assert outcome["gpus"]["most"] == 8


def test_a_budget_of_a_dollar_holds_over_four_worker_processes(outcome: dict[str, Any]) -> None:
    """What a priced server counted, while the cluster ran what needs an engine."""
    found = outcome["budget"]
    assert 0.5 < found["dollars"] <= 1.0
    assert {"fine-tune", "generate"} <= {*found["remote"]}


def test_an_impossible_need_is_an_error(outcome: dict[str, Any]) -> None:
    """Before anything runs."""
    assert "99 GPUs" in outcome["impossible"]["error"]


def test_models_stay_loaded(outcome: dict[str, Any]) -> None:
    """Stages of a model share a process, with a GPU too."""
    assert outcome["loaded"] == {"again": True, "other": False}


def test_sigterm_ends_this_runs_tasks_and_no_others(outcome: dict[str, Any]) -> None:
    """A task of somebody else on the cluster ends as it would have."""
    assert outcome["stopped"] == {"interrupted": True, "left": 0, "other": True}


def test_a_lost_worker_is_known_as_one(outcome: dict[str, Any]) -> None:
    """Ray's own errors become limen's."""
    assert outcome["lost worker"]["kind"]
