"""A damaged ledger is an error that names the file and the remedy; it is never used."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from limen import StoreError
from limen.backends import Job
from limen.backends.stepwise.ledger import TrainingLedger

from ...testing.damage import DAMAGES, Damage
from ...testing.stepwise import Server
from ...testing.stepwise_jobs import backend, job, nothing


@pytest.fixture
def jobs(tmp_path: Path) -> tuple[Job, Job]:
    """Two jobs, whose trainings differ."""
    first = job(tmp_path)
    return first, replace(first, key="another", seed=first.seed + 1)


@pytest.mark.parametrize("damage", DAMAGES)
def test_each_damage_to_a_ledger_is_one_line(
    tmp_path: Path, jobs: tuple[Job, Job], damage: Damage
) -> None:
    """Neither is its student asked, nor is the training sent (and charged) once more."""
    server, home = Server(), tmp_path / "home"
    made, other = (backend(server, home).fine_tune(each, nothing) for each in jobs)
    students = backend(server, home).students
    file = students.ledger_file(str(made.job))
    sent = sum(server.trained.values())
    damage(file, students.ledger_file(str(other.job)))
    says = rf"{re.escape(str(file))} .*restore .* from a copy, or .*, which is charged again"
    with pytest.raises(StoreError, match=says):
        backend(server, home).fine_tune(jobs[0], nothing)
    with pytest.raises(StoreError, match=says) as error:
        backend(server, home).describe(made.model)
    assert "\n" not in str(error.value)
    assert sum(server.trained.values()) == sent


def test_a_half_character_in_a_services_words_is_kept(tmp_path: Path) -> None:
    """Why a training failed is on record, whatever its text holds."""
    ledger = TrainingLedger(tmp_path / "one.jsonl")
    ledger.begin(training="one")
    ledger.append("failed", why="loss \ud800")
    assert TrainingLedger(tmp_path / "one.jsonl").failed == "loss \ud800"
