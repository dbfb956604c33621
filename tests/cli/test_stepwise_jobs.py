"""Trainings at a step-wise service: listed with what is kept for them, deleted, forgotten."""

from contextlib import suppress
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from limen.backends.tinker import backend as tinker_module
from limen.harness.cli import main
from limen.harness.stages import Store

from ..testing.stepwise import Client, Server
from ..testing.stepwise_jobs import Killed, backend, job, killed_at, nothing


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Server:
    """A service that commands find in this process."""
    server = Server()
    monkeypatch.setattr(tinker_module, "check_installed", lambda: None)
    monkeypatch.setattr(tinker_module, "_connect", lambda: Client(server))
    return server


def run(store: Path, *arguments: str) -> Result:
    """A command on a store."""
    return CliRunner().invoke(main, ["jobs", *arguments, "--store", str(store)])


def trained(server: Server, store: Path, folder: Path, *, steps: str | None = None) -> str:
    """A finished training of a store; returns its id."""
    home = Store(store).models("tinker").resolve()
    home.mkdir(parents=True)
    wanted = job(folder, checkpoint_steps=steps) if steps else job(folder)
    return str(backend(server, home).fine_tune(wanted, nothing).job)


def test_trainings_are_listed_without_asking_the_service(
    served: Server, store: Path, tmp_path: Path
) -> None:
    """A training has its state, base model, seed and student in the list of jobs."""
    training = trained(served, store, tmp_path)
    (line,) = run(store, "list").output.splitlines()[2:]
    assert line.split()[:3] == [training, "tinker", "succeeded"]
    assert "words/small" in line
    assert "ft:words/small:" in line
    assert "words/small" in run(store, "show", training).output


def test_a_killed_training_is_listed_with_its_step(
    served: Server, store: Path, tmp_path: Path
) -> None:
    """A training that was killed says how far it is."""
    served.at = killed_at("before step", 4)
    with suppress(Killed):
        trained(served, store, tmp_path)
    assert "at step 3 of 6" in run(store, "list").output


def test_what_is_kept_is_listed_with_its_cost(served: Server, store: Path, tmp_path: Path) -> None:
    """Each thing kept at the service has its step, size and address, and its training a price."""
    training = trained(served, store, tmp_path, steps="2")
    prices = store / "models" / "prices.toml"
    lines = run(store, "kept", "--prices", str(prices)).output.splitlines()[2:]
    assert [line.split()[0] for line in lines] == [training] * 3
    assert {(line.split()[3], line.split()[4]) for line in lines} == {
        ("state", "2"), ("weights", "2"), ("weights", "6")
    }  # fmt: skip
    assert all(float(line.split()[2]) > 0 and "tinker://" in line for line in lines)


def test_states_alone_are_deleted(served: Server, store: Path, tmp_path: Path) -> None:
    """With --states students can still be asked."""
    training = trained(served, store, tmp_path, steps="2")
    assert "1 deleted" in run(store, "delete", training, "--states").output
    assert {kept.kind for kept, _ in served.kept.values()} == {"weights"}


def test_everything_of_a_training_is_deleted(served: Server, store: Path, tmp_path: Path) -> None:
    """Its student is then reported as deleted, and not trained again by itself."""
    training = trained(served, store, tmp_path)
    assert "2 deleted" in run(store, "delete", training).output
    assert not served.kept
    assert "nothing is kept" in run(store, "kept").output
    steps = sum(served.trained.values())
    assert training in run(store, "forget", training).output
    home = Store(store).models("tinker").resolve()
    backend(served, home).fine_tune(job(tmp_path), nothing)
    assert sum(served.trained.values()) == 2 * steps


def test_a_service_that_cannot_delete_says_so(served: Server, store: Path, tmp_path: Path) -> None:
    """What is left at the service is an error in one line."""
    training = trained(served, store, tmp_path)
    served.can_delete = False
    found = run(store, "delete", training)
    assert found.exit_code == 1
    assert "still has 2: it cannot delete" in found.output


def test_an_unknown_training_is_refused(served: Server, store: Path, tmp_path: Path) -> None:
    """A wrong id is one line."""
    trained(served, store, tmp_path)
    found = run(store, "delete", "nothing-like-it")
    assert found.exit_code == 1
    assert "no training 'nothing-like-it'" in found.output
