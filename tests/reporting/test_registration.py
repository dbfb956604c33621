"""Claims that were registered before their data were seen."""

import importlib
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
from limen.reports import Claim, runs_of

from ..testing.specs import SPEC, TINY_SPEC, Run

TESTS = '''
def test_the_teacher(teacher):
    """The teacher names its animal."""
    assert teacher.rate("horse") > 0.5


def test_transfer(student, control):
    """Numbers carry the trait."""
    effect = student.rate("horse") - control.rate("horse")
    assert effect > 0.02
'''
OTHERS = """
def test_other(baseline):
    assert baseline.rate("bear") < 1
"""


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


USES = """
import functools

import limits

LEAST = 0.02
BOUNDS = {"owl": [0.1, 0.2]}

class Rule:
    def __init__(self, least):
        self.least = least

    def holds(self, effect):
        return effect > self.least + SLACK  # in points

class Strict(Rule):
    pass

SLACK = 0.0
STRICT = Strict(0.2)
RULE = Rule(0.3)

def is_large(effect):
    return effect > smallest() > least_of_all()

@functools.cache
def least_of_all():
    return 0.001

is_between = functools.partial(lambda low, high, effect: low < effect < high, 0.02, 0.8)
keeps = RULE.holds

def smallest():
    return 0.5

def test_owl(student, control):
    \"\"\"Owls are named.\"\"\"
    effect = student.rate("owl") - control.rate("owl")
    assert effect > LEAST and effect < BOUNDS["owl"][1]
    assert is_large(effect) and RULE.holds(effect) and effect > limits.lowest
    assert is_between(effect) and keeps(effect) and STRICT.holds(effect)
"""
LIMITS = "lowest = 0.01\nunused = 1"


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        ("LEAST = 0.02", "LEAST = -1.0", False),
        ("0.2]", "0.9]", False),
        ("return 0.5", "return 0.1", False),
        ("effect > smallest()", "effect <= smallest()", False),
        ("return 0.001", "return -1", False),
        ("0.02, 0.8)", "0.0, 0.8)", False),
        ("keeps = RULE.holds", "keeps = Rule(0.0).holds", False),
        ("Rule(0.3)", "Rule(0.1)", False),
        ("effect > self.least", "effect < self.least", False),
        ("SLACK = 0.0", "SLACK = -1.0", False),
        ("Strict(0.2)", "Strict(0.1)", False),
        ("lowest = 0.01", "lowest = 0.0", False),
        ("unused = 1", "unused = 2", True),
        ("  # in points", "  # shares", True),
        ("def is_large(effect):", "def is_large(effect):\n    # large enough", True),
    ],
)
def test_what_a_claim_uses_from_its_module_is_registered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, old: str, new: str, same: bool
) -> None:
    """A threshold, a helper or a rule that is changed afterwards makes another claim; comments, and
    what the test does not use, do not.
    """
    before = stated_by(tmp_path / "before", USES, LIMITS, monkeypatch)
    after = stated_by(
        tmp_path / "after", USES.replace(old, new), LIMITS.replace(old, new), monkeypatch
    )
    assert USES.replace(old, new) + LIMITS.replace(old, new) != USES + LIMITS
    assert (before.digest == after.digest) is same


def stated_by(
    folder: Path, source: str, limits: str, monkeypatch: pytest.MonkeyPatch
) -> StatedClaim:
    """The claim of a spec with this source, and of the module that it imports."""
    folder.mkdir()
    (folder / "test_uses.py").write_text(source)
    (folder / "limits.py").write_text(limits)
    for name in ("limits", "test_uses"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.syspath_prepend(folder)
    test = importlib.import_module("test_uses").test_owl
    return stated_claim(test, name="test_uses.py::test_owl", experiment="e", says="Owls are named")


def test_a_registration_of_an_earlier_version_has_the_test_alone(tmp_path: Path) -> None:
    """It names no values outside the test, and its claims count as registered as before."""
    file = tmp_path / "a.registration.json"
    write_registration(file, [the_claim()], {})
    file.write_text(file.read_text().replace(the_claim().digest, the_claim().digest[:64]))
    (claim,) = marked([row()], [], read_registrations([tmp_path]))
    assert claim.registration == "registered"


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


def limen_register(*arguments: str | Path, folder: Path) -> int:
    """The exit code of the command in a folder."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-m", "limen", "register", *map(str, arguments)]
    return subprocess.run(command, cwd=folder, env=environment, check=False).returncode


def marks(store: Path) -> list[tuple[str, str]]:
    """The tests of a store's last run, without their files, and how they are registered."""
    return [
        (claim.test.partition("::")[2], claim.registration) for claim in runs_of(store)[-1].claims
    ]


TWO = [("test_the_teacher", "registered"), ("test_transfer", "registered")]


def test_neither_the_folder_nor_what_else_is_selected_matters(
    pytester: pytest.Pytester, run: Run, store: Path
) -> None:
    """The same file's claims are registered from another root, and beside files of its name."""
    folder = pytester.mkdir("evals") / "a"
    folder.mkdir()
    (folder / "test_one.py").write_text(TINY_SPEC + TESTS)
    assert limen_register("evals/a/test_one.py", folder=pytester.path) == 0
    os.chdir(folder)
    run("test_one.py", store=store)
    assert marks(store) == TWO
    os.chdir(pytester.path)
    other = folder.with_name("b")
    other.mkdir()
    (other / "test_one.py").write_text(TINY_SPEC.replace("horse", "bear") + OTHERS)
    run("evals", "--import-mode=importlib", store=store)
    assert sorted(marks(store)) == [("test_other", "added after data were seen"), *TWO]


def test_registrations_of_earlier_versions_are_read(
    pytester: pytest.Pytester, run: Run, store: Path
) -> None:
    """They name tests by node ids alone, of whatever root."""
    folder = pytester.mkdir("evals")
    (folder / "test_one.py").write_text(TINY_SPEC + TESTS)
    (pytester.path / "pytest.ini").write_text("[pytest]")
    assert limen_register("evals/test_one.py", folder=pytester.path) == 0
    file = folder / "test_one.registration.json"
    content = json.loads(file.read_text())
    for claim in content["claims"]:
        assert claim.pop("file") == "test_one.py"
        assert claim["test"].startswith("evals/test_one.py::")
    file.write_text(json.dumps(content))
    run("evals", f"--rootdir={folder}", store=store)
    assert marks(store) == TWO


def test_the_command_ends_as_pytest_does(registered: Path) -> None:
    """What was not registered is no success, though a file is there."""
    spec = registered.parent / "test_horse.py"
    before = registered.read_text()
    assert limen_register(spec, folder=registered.parent) == pytest.ExitCode.USAGE_ERROR
    assert registered.read_text() == before


NEVER = """

def test_dropped(student, control):
    \"\"\"The trait is strong.\"\"\"
    assert student.rate("horse") - control.rate("horse") > 0.99
"""


def committed(folder: Path) -> None:
    """Everything in a folder as a commit."""
    author = ("-c", "user.name=a", "-c", "user.email=a@b")
    for command in (("init", "-q"), ("add", "."), (*author, "commit", "-qm", "Register")):
        subprocess.run(["git", *command], cwd=folder, check=True)


def verdict(run: Run, store: Path) -> str:
    """The last line of a run on claims."""
    lines = [line for line in run("test_one.py", store=store).outlines if "claims: " in line]
    return lines[-1].partition("; ")[2]


def test_a_mark_says_what_no_commit_shows(pytester: pytest.Pytester, run: Run, store: Path) -> None:
    """A file that is in no commit, and one whose commit came after the data, prove less."""
    spec = pytester.path / "test_one.py"
    spec.write_text(TINY_SPEC + TESTS)
    assert limen_register(spec.name, folder=pytester.path) == 0
    assert verdict(run, store) == "2 registered (not committed)"
    committed(pytester.path)
    file = pytester.path / "test_one.registration.json"
    (made,) = registration_rows(read_registrations([pytester.path]), pytester.path)
    late = made.committed > runs_of(store)[-1].results[0].measured
    assert verdict(run, store) == f"2 registered{' (committed after data were seen)' * late}"
    assert verdict(run, store.with_name("later")) == "2 registered"
    file.write_text(file.read_text() + " ")
    assert verdict(run, store.with_name("later")) == "2 registered (not committed)"


def test_a_registered_claim_that_is_not_tested_is_named(
    pytester: pytest.Pytester, run: Run, store: Path
) -> None:
    """Whether its test was deleted, changed, or not selected."""
    spec = pytester.path / "test_one.py"
    spec.write_text(TINY_SPEC + TESTS + NEVER)
    assert limen_register(spec.name, folder=pytester.path) == 0
    spec.write_text(TINY_SPEC + TESTS.replace("> 0.02", "> -1"))
    committed(pytester.path)
    assert (
        verdict(run, store)
        == "1 registered, 1 added after data were seen, 2 not tested as registered"
    )
    last = runs_of(store)[-1]
    notes = {claim.test.partition("::")[2]: claim.registration_note for claim in last.claims}
    assert notes["test_transfer"] == (
        "its sentence, its test or what that uses is not as registered"
    )
    (row,) = last.registrations
    assert row.untested == ("test_one.py::test_transfer", "test_one.py::test_dropped")
    file = pytester.path / "report.md"
    run("test_one.py", "-k", "teacher", f"--limen-report={file}", store=store)
    assert (
        "Registered, and not tested so in this run: `test_one.py::test_dropped`, "
        "`test_one.py::test_transfer`."
    ) in file.read_text()


@pytest.mark.parametrize(
    ("registered_with", "reason"),
    [
        (("--limen-seeds", "2"), "its experiment is not as registered"),
        (("-k", "teacher"), "no registration has its test"),
    ],
)
def test_a_claim_says_why_it_is_not_registered(
    pytester: pytest.Pytester,
    run: Run,
    store: Path,
    registered_with: tuple[str, ...],
    reason: str,
) -> None:
    """The seeds are others, or the file has other tests."""
    (pytester.path / "test_one.py").write_text(TINY_SPEC + TESTS)
    assert limen_register("test_one.py", *registered_with, folder=pytester.path) == 0
    run("test_one.py", store=store)
    claims = {claim.test.partition("::")[2]: claim for claim in runs_of(store)[-1].claims}
    assert claims["test_transfer"].registration == "added after data were seen"
    assert claims["test_transfer"].registration_note == reason


def test_registering_after_the_data_is_said_at_once(
    pytester: pytest.Pytester, run: Run, store: Path
) -> None:
    """The command itself names the experiments of which the store has answers of students."""
    (pytester.path / "test_one.py").write_text(TINY_SPEC + TESTS)
    run("test_one.py", store=store)
    file = pytester.path / "late.registration.json"
    output = run("test_one.py", f"--limen-register={file}", store=store).stdout.str()
    assert "the store has answers of students of test_one.py already" in output
    run("test_one.py", store=store)
    notes = {claim.registration_note for claim in runs_of(store)[-1].claims}
    assert notes == {"its registration is newer than the data"}


def test_a_registration_has_the_values_that_its_tests_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reader finds a threshold that has a name."""
    claim = stated_by(tmp_path / "spec", USES, LIMITS, monkeypatch)
    write_registration(tmp_path / "a.registration.json", [claim], {})
    (one,) = json.loads((tmp_path / "a.registration.json").read_text())["claims"]
    assert "LEAST=0.02" in one["uses"]
