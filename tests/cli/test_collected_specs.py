"""Commands find the experiments of spec files as pytest does."""

import shutil
from pathlib import Path

import pytest

from ..testing.commands import limen
from ..testing.specs import TINY_SPEC

HORSE = TINY_SPEC.replace("experiment = ", "HORSE = lambda: ")
"""The tiny experiment, which the module has no name for."""
OTHER = "\nexperiment = HORSE().but(trait=Trait.animal('lion'))\nimport pytest\n"
ROWS = {
    "tuples": """
@pytest.mark.parametrize("animal, experiment", [("horse", HORSE())])
def test_it(animal, experiment, student, control, teacher): ...
""",
    "by keyword": """
@pytest.mark.parametrize("experiment", argvalues=[HORSE()])
def test_it(experiment, student, control, teacher): ...
""",
    "of the module": """
pytestmark = pytest.mark.parametrize("experiment", [HORSE()])
def test_it(experiment, student, control, teacher): ...
""",
    "nested": """
class TestOuter:
    class TestInner:
        @pytest.mark.parametrize("experiment", [HORSE()])
        def test_it(self, experiment, student, control, teacher): ...
""",
    "generated": """
def pytest_generate_tests(metafunc):
    metafunc.parametrize("experiment", [HORSE()])
def test_it(experiment, student, control, teacher): ...
""",
    "skipped": """
@pytest.mark.skip
@pytest.mark.parametrize("experiment", [HORSE()])
def test_it(experiment, student, control, teacher): ...
""",
}
"""Legal forms of one experiment; the module has another one beside it."""


@pytest.fixture
def used(finished_store: Path, tmp_path: Path) -> Path:
    """A copy of a store in which the tiny experiment has run."""
    return Path(shutil.copytree(finished_store, tmp_path / "used"))


@pytest.fixture
def evals(tmp_path: Path) -> Path:
    """A folder for spec files."""
    folder = tmp_path / "evals"
    folder.mkdir()
    return folder


def would_go(*paths: Path, store: Path) -> str:
    """The last line of what prune says."""
    return limen("store", "prune", *paths, "--store", store).splitlines()[-1]


@pytest.mark.parametrize("form", ROWS)
def test_prune_keeps_what_any_legal_form_uses(used: Path, evals: Path, form: str) -> None:
    """However an experiment is given to its tests, nothing of it is removed."""
    (evals / "test_it.py").write_text(HORSE + OTHER + ROWS[form])
    assert would_go(evals, store=used).startswith("0 artifacts")


def test_prune_reads_the_files_and_tests_that_pytest_takes(used: Path, evals: Path) -> None:
    """Names of files are pytest's, and what an ini file deselects is in use all the same."""
    (evals / "pytest.ini").write_text("[pytest]\naddopts = -m 'not slow' -k nothing --lf\n")
    (evals / "horse_test.py").write_text(
        TINY_SPEC
        + "import pytest\n@pytest.mark.slow\ndef test_it(student, control, teacher): ...\n"
    )
    (evals / "test_other.py").write_text(HORSE + OTHER)
    assert would_go(evals, store=used).startswith("0 artifacts")


def test_a_spec_of_a_package_is_imported_as_pytest_imports_it(used: Path, evals: Path) -> None:
    """Relative imports work, as under pytest."""
    (evals / "__init__.py").write_text("")
    (evals / "common.py").write_text(TINY_SPEC)
    (evals / "test_it.py").write_text("from .common import experiment\n")
    assert would_go(evals / "test_it.py", store=used).startswith("0 artifacts")


UNCLEAR = {
    "asks for an arm of an experiment that is known at its run": """
import pytest
@pytest.fixture
def experiment():
    return HORSE()
def test_it(student): ...
""",
    "imports limen, and no experiment was found in it": "\ndef test_it(): ...\n",
    "is skipped as a whole": "\nimport pytest\npytest.importorskip('no_such_package')\n",
}


@pytest.mark.parametrize("reason", UNCLEAR)
def test_prune_refuses_what_it_cannot_know(used: Path, evals: Path, reason: str) -> None:
    """A file whose experiments are not found stops it, and is named; other commands say so."""
    (evals / "test_horse.py").write_text(TINY_SPEC)
    (evals / "test_own.py").write_text(HORSE + UNCLEAR[reason])
    before = sorted((used / "stages").glob("*/*"))
    refused = limen("store", "prune", evals, "--yes", "--store", used, code=1)
    assert "not all experiments of the given files can be known" in refused
    assert reason in refused
    assert "test_own.py" in refused
    assert sorted((used / "stages").glob("*/*")) == before
    assert "test_horse.py" in limen("store", "list", evals, "--store", used)


def test_a_file_that_cannot_be_imported_is_one_error(used: Path, evals: Path) -> None:
    """The error is that of the import, with the file, and nothing is removed."""
    (evals / "test_it.py").write_text(TINY_SPEC + "import no_such_package\n")
    refused = limen("store", "prune", evals, "--yes", "--store", used, code=1)
    assert "test_it.py fails: ModuleNotFoundError: No module named 'no_such_package'" in refused


def test_a_name_of_a_spec_in_a_package_is_read(used: Path, evals: Path) -> None:
    """Where a command takes FILE.py:NAME, relative imports work as well."""
    (evals / "__init__.py").write_text("")
    (evals / "common.py").write_text(TINY_SPEC)
    spec = evals / "test_it.py"
    spec.write_text("from .common import experiment\nmeasure = experiment.measure\n")
    out = evals / "answers.jsonl"
    limen("measure", "--measure", f"{spec}:measure", "--store", used, "--out", out)
    assert len(out.read_text().splitlines()) == 100
