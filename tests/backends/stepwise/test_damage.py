"""A damaged ledger is an error that names the file and the remedy; it is never used."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from limen import StoreError
from limen.backends import Job
from limen.backends.stepwise.ledger import AFTER, CHECK, TrainingLedger, checksum

from ...testing.damage import DAMAGES, Damage
from ...testing.stepwise import Server
from ...testing.stepwise_jobs import Killed, backend, job, killed_at, nothing

LINKS = (CHECK, AFTER)


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


Lines = list[bytes]


def without_one(lines: Lines) -> Lines:
    """A line in the middle is gone."""
    return [*lines[:3], *lines[4:]]


def two_swapped(lines: Lines) -> Lines:
    """Two lines have changed places."""
    return [*lines[:2], lines[3], lines[2], *lines[4:]]


def one_repeated(lines: Lines) -> Lines:
    """A line is there twice."""
    return [*lines[:4], lines[3], *lines[4:]]


@pytest.mark.parametrize("change", [without_one, two_swapped, one_repeated])
def test_lines_that_do_not_follow_each_other_are_one_line(
    tmp_path: Path, change: Callable[[Lines], Lines]
) -> None:
    """Every line is as it was written, but not where it was: the ledger is not used."""
    server, home, wanted = Server(), tmp_path / "home", job(tmp_path)
    made = backend(server, home).fine_tune(wanted, nothing)
    file = backend(server, home).students.ledger_file(str(made.job))
    file.write_bytes(b"".join(change(file.read_bytes().splitlines(keepends=True))))
    sent = sum(server.trained.values())
    with pytest.raises(StoreError, match=r"line \d of .* does not follow the line before it: res"):
        backend(server, home).fine_tune(wanted, nothing)
    assert sum(server.trained.values()) == sent


def as_older(line: bytes) -> bytes:
    """A line as older versions wrote it: it does not name the line before."""
    record = {name: value for name, value in json.loads(line).items() if name not in LINKS}
    return json.dumps({**record, CHECK: checksum(record)}).encode() + b"\n"


def test_a_ledger_of_an_older_version_is_read_and_continued(tmp_path: Path) -> None:
    """Its lines are used as they are; new ones name the one before from then on."""
    server, home, wanted = Server(at=killed_at("before step", 3)), tmp_path / "home", job(tmp_path)
    with pytest.raises(Killed):
        backend(server, home).fine_tune(wanted, nothing)
    server.at = lambda event: None
    (file,) = (home / "trainings").glob("*.jsonl")
    older = b"".join(map(as_older, file.read_bytes().splitlines()))
    file.write_bytes(older)
    backend(server, home).fine_tune(wanted, nothing)
    assert TrainingLedger(file).done
    assert file.read_bytes().startswith(older)
    fresh = file.read_bytes().removeprefix(older).splitlines()
    assert all(AFTER in json.loads(line) for line in fresh)


def test_a_half_character_in_a_services_words_is_kept(tmp_path: Path) -> None:
    """Why a training failed is on record, whatever its text holds."""
    ledger = TrainingLedger(tmp_path / "one.jsonl")
    ledger.begin(training="one")
    ledger.append("failed", why="loss \ud800")
    assert TrainingLedger(tmp_path / "one.jsonl").failed == "loss \ud800"
