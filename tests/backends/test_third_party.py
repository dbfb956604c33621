"""A backend of another package: found by its entry point, and as good as limen's own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from limen.backends import Engine, backend_names, open_backend, open_engine
from limen.datasets.errors import SpecError
from limen.harness import Experiment

from ..testing.labs import lab_at
from ..testing.preloaded import run_pytest
from ..testing.specs import QUICK, SPEC
from ..testing.third_party import NAME, install_example

TESTS = """
def test_teacher(teacher): assert teacher.rate("horse") > 0.5
def test_student(student, control): assert student.rate("horse").valid > 0.9
"""


def registered(folder: Path, name: str, value: str, package: str = "other") -> Path:
    """Register an entry point in a folder, which is to go on ``sys.path``."""
    metadata = folder / f"{package}-1.0.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(f"[limen.backends]\n{name} = {value}\n")
    return folder


def environment(site: Path) -> dict[str, str]:
    """The environment of a process in which a folder of packages is installed as well."""
    paths = os.environ.get("PYTHONPATH")
    return {**os.environ, "PYTHONPATH": f"{site}{os.pathsep}{paths}" if paths else str(site)}


def test_an_experiment_runs_on_the_documentations_backend(
    small: Experiment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The code of the page goes all the way: teacher, students and controls."""
    monkeypatch.syspath_prepend(install_example(tmp_path / "site"))
    lab = lab_at(tmp_path / "store", backend=NAME)
    arms = {name: lab.arm(small, name) for name in ("baseline", "teacher", "student", "control")}
    assert arms["teacher"].rate("horse") > 0.9
    assert arms["baseline"].rate("horse") < 0.5
    assert len(arms["student"].models) == len(arms["control"].models) == 2


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [pytest.param((), id="one process"), pytest.param(("-n2",), id="two processes")],
)
def test_a_spec_runs_on_it_under_pytest(
    pytester: pytest.Pytester,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    options: tuple[str, ...],
) -> None:
    """The worker processes find the backend as well."""
    monkeypatch.setenv("PYTHONPATH", environment(install_example(tmp_path / "site"))["PYTHONPATH"])
    pytester.makepyfile(test_spec=SPEC.format(animal="horse") + TESTS)
    result = run_pytest(
        pytester, f"--limen-backend={NAME}", f"--limen-store={tmp_path / 'store'}", *QUICK, *options
    )
    result.assert_outcomes(passed=2)


def test_the_command_line_runs_on_it(tmp_path: Path) -> None:
    """The commands take its name, and write rows."""
    rows = tmp_path / "rows.jsonl"
    command = [
        sys.executable, "-c", "from limen.harness.cli import main; main()", "generate", "--plain",
        "--count", "5", "--backend", NAME, "--store", str(tmp_path / "store"),
        "--out", str(rows),
    ]  # fmt: skip
    env = environment(install_example(tmp_path / "site"))
    result = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert len(rows.read_text().splitlines()) == 5


def test_an_unknown_name_is_refused_with_the_known_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The names of other packages' backends are among those that the error lists."""
    monkeypatch.syspath_prepend(install_example(tmp_path / "site"))
    with pytest.raises(SpecError, match="unknown backend 'word': choose one of .*toy, wordcounts"):
        open_backend("word", tmp_path)


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("no_such_module_here:Backend", "ModuleNotFoundError"),
        ("json:NoSuchBackend", "AttributeError"),
        ("json:JSONDecoder", "TypeError"),
        ("json:__name__", "TypeError: 'str' object is not callable"),
        ("pathlib:PurePath", "TypeError"),
    ],
)
def test_an_entry_point_that_gives_no_backend_is_one_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: str, says: str
) -> None:
    """The error names the backend, the entry point and the reason."""
    monkeypatch.syspath_prepend(registered(tmp_path / "site", "broken", value))
    with pytest.raises(
        SpecError, match=rf"backend 'broken' \({value}\) could not be opened: {says}"
    ):
        open_backend("broken", tmp_path)


def test_capabilities_that_are_no_value_of_the_protocol_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A backend that declares what it can do in words of its own is one error."""
    site = registered(tmp_path / "site", "vague", "vague_backend:Vague")
    (site / "vague_backend.py").write_text(
        "class Vague:\n    def __init__(self, home, terms): self.capabilities = {'all': True}\n"
    )
    monkeypatch.syspath_prepend(site)
    with pytest.raises(SpecError, match="must declare its capabilities as a limen.*{'all': True}"):
        open_backend("vague", tmp_path)


def test_limens_own_names_cannot_be_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An entry point named like a backend of limen's changes nothing."""
    monkeypatch.syspath_prepend(registered(tmp_path / "site", "toy", "json:JSONDecoder"))
    assert open_backend("toy", tmp_path).default_model == "toy-1"


def test_a_name_that_two_packages_register_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which package is used must not depend on the order of installation."""
    site = registered(tmp_path / "site", "twice", "json:JSONDecoder", "one")
    monkeypatch.syspath_prepend(registered(site, "twice", "json:JSONEncoder", "two"))
    with pytest.raises(SpecError, match="'twice' is registered twice, as json:JSONDecoder and"):
        open_backend("twice", tmp_path)


def test_a_backend_that_is_no_engine_cannot_be_served(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error says why, and which engines there are."""
    monkeypatch.syspath_prepend(install_example(tmp_path / "site"))
    with pytest.raises(SpecError, match=f"'{NAME}' is not an engine: .* toy, local"):
        open_engine(NAME, tmp_path)


def test_engines_are_backends(tmp_path: Path) -> None:
    """An engine is opened by its name, and is the backend itself."""
    engine: Engine = open_engine("toy", tmp_path)
    assert engine.name in backend_names()
