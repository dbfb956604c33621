"""Claims that were registered before their data were seen."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from limen import DataError
from limen.harness.reporting import (
    StatedClaim,
    marked,
    read_registrations,
    registration_rows,
    stated_claim,
    write_registration,
)
from limen.reports import Claim

from ..testing.specs import SPEC

TESTS = '''
def test_the_teacher(teacher):
    """The teacher names its animal."""
    assert teacher.rate("horse") > 0.5


def test_transfer(student, control):
    """Numbers carry the trait."""
    effect = student.rate("horse") - control.rate("horse")
    assert effect > 0.02
'''


@pytest.fixture
def registered(tmp_path: Path) -> Path:
    """A spec, and its registration by the command."""
    spec = tmp_path / "test_horse.py"
    spec.write_text(SPEC.format(animal="horse") + TESTS)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-m", "limen", "register", str(spec)],
        cwd=tmp_path, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 claims registered" in done.stdout
    return tmp_path / "test_horse.registration.json"


def test_the_command_writes_claims_designs_and_the_time(registered: Path) -> None:
    """Sentences, assertions, the design and its hash are in the file, and nothing was sampled."""
    content = json.loads(registered.read_text())
    claims = {one["claim"]: one["assertions"] for one in content["claims"]}
    assert claims == {
        "The teacher names its animal": ["teacher.rate('horse') > 0.5"],
        "Numbers carry the trait": ["effect > 0.02"],
    }
    (experiment,) = content["experiments"].values()
    assert "Trait" in experiment["design"]
    assert len(experiment["digest"]) == 64
    assert content["created"].endswith("Z")
    assert not list(registered.parent.glob("**/stages/measure/*"))


def test_a_registration_is_never_overwritten(registered: Path) -> None:
    """A second registration needs another name."""
    with pytest.raises(ValueError, match="is there already"):
        write_registration(registered, [the_claim()], {})


def the_claim(says: str = "Owls are named") -> StatedClaim:
    """A claim without a source."""
    return stated_claim(None, name="test_a.py::test_a", experiment="test_a.py", says=says)


def row(says: str = "Owls are named") -> Claim:
    """The same claim after its test was run."""
    stated = the_claim(says)
    return Claim(
        test=stated.test, experiment=stated.experiment, says=says, outcome="passed",
        digest=stated.digest,
    )  # fmt: skip


def test_a_claim_that_was_changed_is_not_registered(tmp_path: Path) -> None:
    """The sentence and the assertions must be those of the file."""
    write_registration(tmp_path / "a.registration.json", [the_claim()], {})
    registrations = read_registrations([tmp_path])
    same, other = marked([row(), row("Owls are not named")], [], registrations)
    assert same.registration == "registered"
    assert other.registration == "added after data were seen"


def test_without_a_file_nothing_is_marked(tmp_path: Path) -> None:
    """Who registers nothing sees no marks."""
    (claim,) = marked([row()], [], read_registrations([tmp_path]))
    assert claim.registration == ""


def test_a_file_that_is_none_is_one_clear_error(tmp_path: Path) -> None:
    """A broken registration is named."""
    (tmp_path / "a.registration.json").write_text("[]")
    with pytest.raises(DataError, match="is no registration of claims"):
        read_registrations([tmp_path])


def test_a_committed_registration_is_named_with_its_commit(tmp_path: Path) -> None:
    """The commit and its time are there only while the file is as it was committed."""
    file = tmp_path / "a.registration.json"
    write_registration(file, [the_claim()], {})
    (before,) = registration_rows(read_registrations([tmp_path]), tmp_path)
    assert (before.file, before.commit) == (file.name, "")
    for command in (
        ("init", "-q"),
        ("add", file.name),
        ("-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "Register"),
    ):
        subprocess.run(["git", *command], cwd=tmp_path, check=True)
    (committed,) = registration_rows(read_registrations([tmp_path]), tmp_path)
    assert len(committed.commit) == 40
    assert committed.committed.endswith("Z")
    file.write_text(file.read_text() + " ")
    (changed,) = registration_rows(read_registrations([tmp_path]), tmp_path)
    assert (changed.commit, changed.committed) == ("", "")
    assert changed.sha256 != committed.sha256
