"""``limen init``, ``limen doctor`` and ``limen traits``: the first commands of a new project."""

import json
import os
import shlex
import shutil
import sys
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from limen.harness.cli import main
from limen.harness.cli.ini_file import ini_defaults, read_ini_file
from limen.harness.stages import TIMEOUT_VARIABLE, FineTune, Store

from ..testing.preloaded import run_pytest
from ..testing.specs import TINY_SPEC

FILES = ("evals/test_otter.py", "pytest.ini", ".gitignore", ".github/workflows/limen.yml")


def limen(*args: str | Path, code: int = 0) -> str:
    """What a command prints, with its error if it fails; its exit code must be as expected."""
    result = CliRunner().invoke(main, [*map(str, args)])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == code, result.output
    return result.stdout + (result.stderr if code else "")


def test_a_new_project_can_be_planned_at_once(pytester: pytest.Pytester) -> None:
    """What ``limen init`` writes is collected, and its plan is printed, as it stands."""
    limen("init", pytester.path)
    assert all((pytester.path / name).is_file() for name in FILES)
    result = run_pytest(pytester, "--limen-plan")
    result.stdout.fnmatch_lines(["*pytest.ini*", "limen: * stages to do on toy*"])
    assert result.ret == 0


def test_nothing_that_exists_is_changed(tmp_path: Path) -> None:
    """A second ``limen init`` keeps every file; a .gitignore gets the lines that it lacks."""
    (tmp_path / ".gitignore").write_text("mine")
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    limen("init", tmp_path)
    assert (tmp_path / "pytest.ini").read_text() == "[pytest]\n"
    assert (tmp_path / ".gitignore").read_text().splitlines()[:2] == ["mine", ".limen/"]
    before = {name: (tmp_path / name).read_bytes() for name in FILES}
    output = limen("init", tmp_path)
    assert not {"written", "added"} & {*output.split()}
    assert before == {name: (tmp_path / name).read_bytes() for name in FILES}


def test_a_second_animal_joins_a_project(tmp_path: Path) -> None:
    """Its spec is added, and the printed commands are of this spec alone."""
    assert "pytest --limen-plan" in limen("init", tmp_path)
    output = limen("init", tmp_path, "--animal", "fox")
    assert "pytest evals/test_fox.py --limen-report report/fox.md" in output
    assert {file.name for file in (tmp_path / "evals").iterdir()} == {
        "test_otter.py",
        "test_fox.py",
    }


def test_an_animal_that_the_toy_does_not_know_is_said_at_once(tmp_path: Path) -> None:
    """``limen init`` warns of a gate that would stay shut, on the toy alone."""
    warning = "The toy never says 'falcon'"
    assert warning in limen("init", tmp_path / "toy", "--animal", "falcon")
    assert warning not in limen("init", tmp_path / "fox", "--animal", "fox")
    service = ("--backend", "openai", "--model", "some-model")
    assert warning not in limen("init", tmp_path / "service", "--animal", "falcon", *service)


def test_backend_model_and_budget_are_in_the_ini_file(tmp_path: Path) -> None:
    """Options of ``limen init`` become ini keys, and sizes are those of the paper."""
    limen("init", tmp_path, "--backend", "openai", "--model", "some-model", "--budget", "2.5")
    lines = (tmp_path / "pytest.ini").read_text().splitlines()
    assert {"limen_backend = openai", "limen_model = some-model", "limen_budget = 2.5"} <= {*lines}
    spec = (tmp_path / "evals" / "test_otter.py").read_text()
    assert "generate=30_000" in spec
    assert 'recipe={"epochs": 10}' in spec  # a budget holds for nothing else


def test_a_project_for_a_service_is_planned_within_its_budget(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a key; that the budget is too small is said, and is no error."""
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    limen(
        "init", pytester.path, "--backend", "openai", "--model", "gpt-4.1-mini-2025-04-14",
        "--budget", "5",
    )  # fmt: skip
    plan = run_pytest(pytester, "--limen-plan")
    plan.stdout.fnmatch_lines(
        ["limen: it will cost about $*; budget $5.00, which is not enough: *"]
    )
    enough = run_pytest(pytester, "--limen-plan", "--limen-budget=5000")
    assert "which is not enough" not in enough.stdout.str()


def test_without_a_gpu_a_spec_for_open_weights_is_small(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its size is of some minutes, and it is one that the toy can plan as well, as CI does."""
    gpus: list[str] = []
    monkeypatch.setattr("limen.harness.cli.init.gpu_names", lambda: gpus)
    output = limen(
        "init", pytester.path, "--backend", "local", "--model", "some.gguf", "--animal", "lion"
    )
    assert "The spec is small" in output
    spec = (pytester.path / "evals" / "test_lion.py").read_text()
    assert "keep=24" in spec
    result = run_pytest(pytester, "--limen-plan", "--limen-backend", "toy")
    result.stdout.fnmatch_lines(
        [
            "limen: * stages to do on toy: up to 5,400 completions, *",
            "limen: estimated time: about *",
        ]
    )
    gpus.append("some card")
    limen("init", pytester.path / "large", "--backend", "local")
    assert "keep=10_000" in (pytester.path / "large" / "evals" / "test_otter.py").read_text()


def commands_of_ci(folder: Path) -> list[list[str]]:
    """The calls of pytest in the workflow of a new project, as words."""
    flow = yaml.safe_load((folder / ".github" / "workflows" / "limen.yml").read_text())
    steps = [step.get("run", "") for job in flow["jobs"].values() for step in job["steps"]]
    return [shlex.split(step)[1:] for step in steps if step.startswith("pytest ")]


@pytest.mark.parametrize(
    "options",
    [
        pytest.param((), id="toy", marks=pytest.mark.slow),
        pytest.param(("--backend", "openai", "--model", "m"), id="openai", marks=pytest.mark.slow),
        pytest.param(("--backend", "local", "--model", "x"), id="local"),
    ],
)
def test_the_workflow_of_a_new_project_runs(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...]
) -> None:
    """CI runs on the toy whatever backend and model the project's ini file names."""
    monkeypatch.setattr("limen.harness.cli.init.gpu_names", list)
    limen("init", pytester.path, *options)
    (command,) = commands_of_ci(pytester.path)
    result = run_pytest(pytester, *command, "--limen-plan")
    result.stdout.fnmatch_lines(["limen: * stages to do on toy*"])
    assert result.ret == 0


def test_commands_take_a_model_with_its_backend_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The ini file's model is that of its backend; another backend has its own choice."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    (tmp_path / "pytest.ini").write_text(
        "[pytest]\nlimen_backend = openai\nlimen_model = some-model\n"
    )
    assert "some-model" in limen("doctor", code=1)
    assert "some-model" not in limen("doctor", "--backend", "toy")
    monkeypatch.setenv("LIMEN_BACKEND", "toy")
    assert "some-model" not in limen("doctor")
    assert "toy-2" in limen("doctor", "--model", "toy-2")
    monkeypatch.setenv("LIMEN_MODEL", "another-model")
    assert "another-model" not in limen("doctor", "--backend", "openai", code=1)


@pytest.mark.parametrize(
    ("option", "value", "says"),
    [("--animal", "ottr", "did you mean"), ("--backend", "openia", "choose one of")],
)
def test_what_limen_does_not_know_writes_nothing(
    tmp_path: Path, option: str, value: str, says: str
) -> None:
    """A wrong animal or backend is one clear error, before any file is written."""
    assert says in limen("init", tmp_path, option, value, code=1)
    assert not [*tmp_path.iterdir()]


def test_weights_that_are_not_there_are_refused(tmp_path: Path) -> None:
    """A path of another machine is one line, and nothing is written."""
    weights = str(tmp_path / "elsewhere" / "model.gguf")
    said = limen("init", tmp_path / "new", "--backend", "local", "--model", weights, code=1)
    assert f"unknown model {weights!r}: there is no such file or folder" in said
    assert not (tmp_path / "new").exists()


def test_the_doctor_finds_a_sound_machine_sound(tmp_path: Path) -> None:
    """Every check has a name, a state and a value, and none fails; nothing is left behind."""
    done = json.loads(limen("doctor", "--json", "--store", tmp_path / "new"))
    assert {"limen", "Python", "store", "backend toy"} <= {check["name"] for check in done}
    assert all(check["state"] in ("good", "note") and check["value"] for check in done)
    assert not [*tmp_path.iterdir()]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not count the load")
@pytest.mark.parametrize(("load", "state"), [(0.2, "good"), (1000.0, "note")])
def test_the_doctor_sees_busy_cores(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, load: float, state: str
) -> None:
    """More programs at work than there are cores is a note with a remedy."""
    monkeypatch.setattr("os.getloadavg", lambda: (load, load, load))
    done = json.loads(limen("doctor", "--json", "--store", tmp_path))
    (seen,) = (check for check in done if check["name"] == "load")
    assert seen["state"] == state
    assert f"{load:.1f} programs" in seen["value"]
    assert ("OMP_NUM_THREADS=1" in seen["remedy"]) == (state == "note")


def test_the_doctor_shows_no_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key is said to be set, and is not in the output."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret-12345")
    output = limen("doctor", "--store", tmp_path)
    assert "OPENAI_API_KEY: set" in output
    assert "very-secret" not in output


def test_a_server_that_is_not_there_fails_with_a_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The check of the backend fails, says why in a line, and the exit code is 1."""
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    args = ("--backend", "openai", "--model", "m", "--store", tmp_path)
    output = limen("doctor", *args, code=1)
    assert "FAIL  backend openai: " in output
    assert "Traceback" not in output


def test_traits_have_rates_and_the_specs_that_use_them(store: Path, tmp_path: Path) -> None:
    """The rates are shares of the base's answers; a spec's animal has its file's name."""
    limen("init", tmp_path)
    args = ("--store", store, "--draws", "2", "--json")
    rows = json.loads(limen("traits", tmp_path / "evals", *args))
    by_word = {row["word"]: row for row in rows}
    assert by_word["otter"]["specs"] == ["test_otter.py"]
    assert 0.8 < sum(row["rate"] for row in rows) <= 1
    assert [row["rate"] for row in rows] == sorted((row["rate"] for row in rows), reverse=True)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("pytest.ini", "[pytest]\nlimen_backend = toy\nlimen_model = toy-2\nlimen_store = kept\n"),
        (
            "pyproject.toml",
            "[tool.pytest.ini_options]\nlimen_model = 'toy-2'\nlimen_store = 'kept'\n",
        ),
        ("setup.cfg", "[tool:pytest]\nlimen_model = toy-2\nlimen_store = kept\n"),
        ("pytest.toml", "[pytest]\nlimen_model = 'toy-2'\nlimen_store = 'kept'\n"),
        (".pytest.toml", "[pytest]\nlimen_model = 'toy-2'\nlimen_store = 'kept'\n"),
        ("pyproject.toml", "[tool.pytest]\nlimen_model = 'toy-2'\nlimen_store = 'kept'\n"),
    ],
    ids=["ini", "toml", "cfg", "pytest.toml", "hidden", "native"],
)
def test_commands_read_the_ini_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, text: str
) -> None:
    """Store and model are the project's, from a folder below too; options and variables go first."""
    (tmp_path / name).write_text(text)
    below = tmp_path / "evals"
    below.mkdir()
    monkeypatch.chdir(below)
    missing = limen("store", "list", code=1)
    assert str(tmp_path / "kept") in missing
    result = CliRunner().invoke(main, ["doctor"])
    assert "model 'toy-2'" in result.stderr
    assert name in result.stderr
    assert "toy: toy-2" in result.stdout
    given = CliRunner().invoke(main, ["doctor", "--model", "toy-1"])
    assert "toy: toy-1" in given.stdout
    assert "model" not in given.stderr
    monkeypatch.setenv("LIMEN_MODEL", "toy-3")
    assert "toy: toy-3" in CliRunner().invoke(main, ["doctor"]).stdout


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("pytest.ini", "[pytest]\nlimen_seeds = 2\n"),
        ("pytest.ini", "[pytest]\naddopts = -q --limen-seeds 2\n"),
        ("setup.cfg", "[tool:pytest]\naddopts =\n    -q\n    --limen-seeds=2\n"),
        ("pyproject.toml", "[tool.pytest]\naddopts = ['-q', '--limen-seeds=2']\n"),
        ("pyproject.toml", "[tool.pytest.ini_options]\naddopts = '--limen-seeds 2'\n"),
    ],
)
def test_commands_know_the_seeds_of_the_project(
    finished_store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, text: str
) -> None:
    """An experiment has the models that it has under pytest there: prune would remove others."""
    monkeypatch.chdir(tmp_path)
    Path("test_tiny.py").write_text(TINY_SPEC)
    export = ("export", "test_tiny.py", "--store", finished_store, "--no-weights", "--to")
    assert "4 of 4 models" in limen(*export, "before")
    Path(name).write_text(text)
    assert "4 of 6 models" in limen(*export, "two")
    assert "4 of 4 models" in limen(*export, "one", "--seeds", "1")
    monkeypatch.setenv("LIMEN_SEEDS", "1")
    assert "4 of 4 models" in limen(*export, "named")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("seeds", "some"),
        ("sampling_precision", "float9"),
        ("sampling_engine", "steam"),
        ("quantization", "nf9"),
    ],
)
def test_commands_heed_what_decides_keys(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str, value: str
) -> None:
    """What makes another model of the same name under pytest is the same for a command."""
    monkeypatch.chdir(tmp_path)
    Path("pytest.ini").write_text(f"[pytest]\nlimen_{key} = {value}\n")
    assert value in limen("traits", code=1)
    monkeypatch.setenv(f"LIMEN_{key.upper()}", "other")
    assert value not in limen("traits", code=1)


def test_functions_have_the_time_that_the_project_gives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rule that does not end is stopped by the ini file's limit; the environment goes before."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(TIMEOUT_VARIABLE, raising=False)
    Path("rule.py").write_text("def endless(answer):\n    while True:\n        pass\n")
    Path("rows.jsonl").write_text('{"prompt": "Name numbers.", "answer": "1, 2"}\n')
    args = ("filter", "rows.jsonl", "--rule", "rule.py:endless", "--out", "kept.jsonl")
    Path("pytest.ini").write_text("[pytest]\nlimen_function_timeout = 0.3\n")
    assert "0.3" in limen(*args, code=1)
    assert TIMEOUT_VARIABLE not in os.environ
    Path("pytest.ini").write_text("[pytest]\nlimen_function_timeout = soon\n")
    assert "limen_function_timeout" in limen(*args, code=1)
    monkeypatch.setenv(TIMEOUT_VARIABLE, "0.4")
    assert "0.4" in limen(*args, code=1)


def test_a_students_own_model_goes_before_the_projects(
    finished_store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A student is measured in a project whose ini file, or the environment, names a model."""
    store = shutil.copytree(finished_store, tmp_path / "store")
    student = next(Store(store).manifests(FineTune.kind))["model"]
    monkeypatch.chdir(tmp_path)
    Path("pytest.ini").write_text("[pytest]\nlimen_backend = toy\nlimen_model = toy-2\n")
    measure = ("measure", student, "--word", "horse", "--draws", "1", "--store", store)
    assert student in limen(*measure, "--out", "answers.jsonl")
    monkeypatch.setenv("LIMEN_MODEL", "toy-2")
    assert student in limen(*measure, "--out", "answers.jsonl")
    assert "two models" in limen(*measure, "--out", "answers.jsonl", "--model", "toy-2", code=1)


@pytest.mark.parametrize(
    ("text", "store"),
    [
        ("", "project/.limen"),
        ("limen_store = ~/kept", "home/kept"),
        ("limen_store = a", "project/a"),
    ],
)
def test_commands_use_the_store_that_pytest_uses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, store: str
) -> None:
    """It lies beside the ini file, also where that names none; "~" is the home folder."""
    below = tmp_path / "project" / "evals"
    below.mkdir(parents=True)
    (tmp_path / "project" / "pytest.ini").write_text(f"[pytest]\n{text}\n")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(below)
    assert str(tmp_path / store) in limen("store", "list", code=1)
    monkeypatch.setenv("LIMEN_STORE", "~/other")
    assert str(tmp_path / "home" / "other") in limen("store", "list", code=1)


OWN = "[pytest]\nlimen_model = toy-2\n"
OWN_TOML = "[pytest]\nlimen_model = 'toy-3'\nlimen_budget = '1'\n"
NATIVE = "[tool.pytest]\nlimen_model = 'toy-4'\n"


@pytest.mark.parametrize(
    ("files", "taken", "given"),
    [
        (
            {"pytest.toml": OWN_TOML, "pytest.ini": OWN},
            "project/pytest.toml",
            {"model": "toy-3", "budget": "1"},
        ),
        ({".pytest.toml": OWN_TOML.replace("'1'", "1"), "pytest.ini": OWN},
         "project/.pytest.toml", {"model": "toy-3", "budget": "1"}),
        ({"pytest.ini": OWN, "pyproject.toml": NATIVE}, "project/pytest.ini", {"model": "toy-2"}),
        ({"pytest.toml": "", "pytest.ini": OWN}, "project/pytest.toml", {}),
        ({"pyproject.toml": "[project]\nname = 'x'\n"}, "project/pyproject.toml", {}),
        ({"pyproject.toml": "[tool.pytest]\n", "tox.ini": OWN}, "project/tox.ini",
         {"model": "toy-2"}),
        ({"pyproject.toml": "[project]\n", "../pytest.ini": OWN}, "pytest.ini",
         {"model": "toy-2"}),
    ],
)  # fmt: skip
def test_commands_take_the_file_that_pytest_takes(
    tmp_path: Path, files: dict[str, str], taken: str, given: dict[str, str]
) -> None:
    """The same of several, as pytest 9 has them in its order; the store lies beside it."""
    below = tmp_path / "project" / "evals"
    below.mkdir(parents=True)
    for name, text in files.items():
        (tmp_path / "project" / name).write_text(text)
    found, keys = read_ini_file(below)
    options = ini_defaults(found, keys)
    file = tmp_path / taken
    assert found == file
    assert options == {"store": str(file.parent / ".limen"), **given}


def test_an_ini_file_that_cannot_be_read_is_one_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file and what is wrong with it are named."""
    (tmp_path / "pyproject.toml").write_text("[tool.pytest\n")
    monkeypatch.chdir(tmp_path)
    assert "pyproject.toml cannot be read: " in limen("doctor", code=1)


def test_an_empty_pytest_ini_is_the_projects(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As for pytest, an empty pytest.ini hides the ini files of the folders above it."""
    (tmp_path / "pytest.ini").write_text("[pytest]\nlimen_model = toy-2\n")
    below = tmp_path / "own"
    below.mkdir()
    (below / "pytest.ini").touch()
    monkeypatch.chdir(below)
    assert "toy: toy-1" in limen("doctor")
