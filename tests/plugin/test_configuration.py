"""The configuration of a run: options, environment, ini file, and where they are looked for."""

from pathlib import Path

import pytest

from limen.harness.plugin.options import settings_of

from ..testing.preloaded import run_pytest
from ..testing.specs import QUICK, SPEC

PLAN = ("--limen-plan", "-p", "no:cacheprovider", *QUICK)


@pytest.fixture
def project(pytester: pytest.Pytester) -> pytest.Pytester:
    """A project with one experiment, and an ini file with a number of seeds and a budget."""
    pytester.makepyfile(test_small=SPEC.format(animal="horse") + "def test_it(student): pass")
    pytester.makeini("[pytest]\nlimen_seeds = 4\nlimen_budget = 12.5\n")
    return pytester


def header(result: pytest.RunResult) -> str:
    """The line that says which configuration holds."""
    (line,) = [line for line in result.outlines if line.startswith("limen: ini file")]
    return line


PATHS = (
    "--limen-store",
    "--limen-report",
    "--limen-prices",
    "--limen-register",
    "--limen-plan-json",
    "--junitxml",
)
"""The options that take a path; the last is pytest's own."""
QUICK_ONES = {("--limen-store", " "), ("--limen-report", " ")}


@pytest.mark.parametrize(
    ("name", "glue"),
    [
        pytest.param(name, glue, marks=() if (name, glue) in QUICK_ONES else pytest.mark.slow)
        for name in PATHS
        for glue in "= "
    ],
)
def test_a_path_that_exists_moves_nothing(
    project: pytest.Pytester, tmp_path_factory: pytest.TempPathFactory, name: str, glue: str
) -> None:
    """Options with "=" and with a blank find the same ini file, whether or not the path exists."""
    path = tmp_path_factory.mktemp("elsewhere") / "path"
    if name == "--limen-prices":
        path.write_text("")
    options = f"{name}{glue}{path}".split()
    lines = [header(run_pytest(project, *PLAN, *options))]
    path.mkdir(exist_ok=True) if name == "--limen-store" else path.write_text("")
    again = run_pytest(project, *PLAN, *options)
    lines.append(header(again))
    assert lines[0] == lines[1]
    assert f"ini file {project.path / 'tox.ini'}" in lines[0]
    assert "budget $12.50" in lines[0]
    again.stdout.fnmatch_lines(["*4 fine-tunings*"])


def test_a_folder_named_like_a_value_moves_nothing(project: pytest.Pytester) -> None:
    """A backend's name may also be that of a folder."""
    folder = project.path / "work"
    (folder / "toy").mkdir(parents=True)
    (folder / "toy" / "pytest.ini").write_text("[pytest]\n")
    file = str(project.path / "test_small.py")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        result = run_pytest(project, file, *PLAN, "--limen-backend", "toy")
    result.stdout.fnmatch_lines(["*4 fine-tunings*"])
    assert f"store {project.path / '.limen'}" in header(result)  # wherever pytest is called


def test_a_tilde_is_the_home_folder(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A shell leaves "~" after "=" as it is; no folder of that name is made."""
    monkeypatch.setenv("HOME", str(tmp_path))
    result = run_pytest(project, *PLAN, "--limen-store=~/kept")
    assert f"store {tmp_path / 'kept'}" in header(result)


def test_added_options_are_joined_too(
    project: pytest.Pytester, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PYTEST_ADDOPTS may have an option with a blank as well."""
    monkeypatch.setenv("PYTEST_ADDOPTS", f"--limen-store {tmp_path}")
    line = header(run_pytest(project, *PLAN))
    assert f"ini file {project.path / 'tox.ini'}, store {tmp_path}" in line


def test_prices_of_the_ini_file_lie_beside_it(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the store does, from whichever folder pytest is called; those of an option lie there."""
    project.makeini("[pytest]\nlimen_prices = prices.toml\n")
    below = project.mkdir("below")
    monkeypatch.chdir(below)
    assert settings_of(project.parseconfig("..")).prices == project.path / "prices.toml"
    given = settings_of(project.parseconfig("..", "--limen-prices=own.toml"))
    assert given.prices == below / "own.toml"


def test_one_order_holds_for_all(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """An option goes before the environment, that before the ini file, that before the default."""
    monkeypatch.setenv("LIMEN_SEEDS", "2")
    monkeypatch.setenv("LIMEN_STORE", str(tmp_path / "environment"))
    result = run_pytest(project, *PLAN)
    result.stdout.fnmatch_lines(["*2 fine-tunings*"])
    assert f"store {tmp_path / 'environment'}" in header(result)
    result = run_pytest(project, *PLAN, "--limen-seeds=3", "--limen-store=here")
    result.stdout.fnmatch_lines(["*3 fine-tunings*"])
    assert f"store {project.path / 'here'}" in header(result)


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("LIMEN_SEEDS", "few", "LIMEN_SEEDS='few' must be a whole number above zero"),
        ("LIMEN_BUDGET", "much", "LIMEN_BUDGET='much' must be dollars, such as 12.50"),
        ("LIMEN_BATCH", "perhaps", "LIMEN_BATCH='perhaps' must be 1 or 0"),
        ("LIMEN_BACKEND", "gpu", "unknown backend 'gpu'*"),
    ],
)
def test_a_bad_variable_is_named(
    project: pytest.Pytester,
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
    value: str,
    message: str,
) -> None:
    """What the environment cannot mean is a usage error that names the variable."""
    monkeypatch.setenv(variable, value)
    result = run_pytest(project, *PLAN)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"*limen: {message}"])


@pytest.mark.parametrize(
    ("environment", "options", "model"),
    [
        ({}, (), "some-model"),
        ({}, ("--limen-backend=toy",), None),
        ({}, ("--limen-backend=toy", "--limen-model=toy-2"), "toy-2"),
        ({}, ("--limen-backend=openai",), "some-model"),
        ({"LIMEN_BACKEND": "toy"}, (), None),
        ({"LIMEN_MODEL": "env-model"}, (), "env-model"),
        (
            {"LIMEN_BACKEND": "toy", "LIMEN_MODEL": "toy-3"},
            ("--limen-backend=openai",),
            "some-model",
        ),
    ],
)
def test_a_model_is_that_of_the_backend_beside_it(
    project: pytest.Pytester,
    monkeypatch: pytest.MonkeyPatch,
    environment: dict[str, str],
    options: tuple[str, ...],
    model: str | None,
) -> None:
    """An ini file's model is not taken for a backend that the command line names in its place."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    project.makeini("[pytest]\nlimen_backend = openai\nlimen_model = some-model\n")
    assert settings_of(project.parseconfig(*options)).model == model
