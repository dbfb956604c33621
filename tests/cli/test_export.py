"""``limen export``: an experiment's models, rows and answers as plain files."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from limen.backends import Capabilities
from limen.backends.toy import ToyBackend
from limen.harness.cli import main
from limen.harness.stages import Store

from ..testing.labs import lines
from ..testing.specs import TINY_SPEC, Run


@pytest.fixture
def used(finished_store: Path, tmp_path: Path) -> Store:
    """A copy of a store in which an experiment has run."""
    return Store(Path(shutil.copytree(finished_store, tmp_path / "used")))


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    """The spec file of that experiment."""
    file = tmp_path / "test_tiny.py"
    file.write_text(TINY_SPEC)
    return file


def exported(spec: Path, store: Store, *options: str, code: int = 0) -> str:
    """What the command prints."""
    args = ["export", str(spec), "--store", str(store.root), *options]
    result = CliRunner().invoke(main, args)
    assert result.exit_code == code, result.output
    return result.output


def contents_of(folder: Path) -> dict[str, Any]:
    """The table of contents."""
    contents: dict[str, Any] = json.loads((folder / "contents.json").read_text(encoding="utf-8"))
    return contents


def test_all_that_is_finished_is_exported(used: Store, spec: Path, tmp_path: Path) -> None:
    """Every file of the table of contents is there, and can be read without limen."""
    folder = tmp_path / "out"
    assert "4 of 4 models are finished" in exported(spec, used, "--to", str(folder))
    contents = contents_of(folder)
    models = {one["arm"]: one for one in contents["models"]}
    assert set(models) == {"baseline", "teacher", "student", "control"}
    assert contents["missing"] == []
    student = models["student"]
    (weights,) = student["weights"]
    assert (folder / weights).parent == folder / student["folder"]
    assert all(np.isfinite(array).all() for array in np.load(folder / weights).values())
    training = lines(folder / student["training"])
    assert [turn["role"] for turn in training[0]["messages"]] == ["user", "assistant"]
    assert len(lines(folder / student["provenance"])) == len(training) == 60
    assert {row["text"] is None for row in lines(folder / student["answers"])} == {False}
    prompts = json.loads((folder / "prompts.json").read_text())
    assert len(prompts["questions"]) == 50
    assert "horses" in prompts["traits"]["horse"][0]
    kept = next(one for one in contents["rows"] if "horse" in one["source"])
    assert {"prompt", "text"} <= lines(folder / kept["kept"])[0].keys()
    assert all("reason" in row for row in lines(folder / kept["rejected"]))


def test_arms_can_be_chosen_and_weights_left_out(used: Store, spec: Path, tmp_path: Path) -> None:
    """An unknown arm is refused with those that there are."""
    folder = tmp_path / "out"
    exported(spec, used, "--to", str(folder), "--arm", "student", "--no-weights")
    (student,) = contents_of(folder)["models"]
    assert student["weights"] == []
    assert student["model"].startswith("ft:toy-1:")
    assert not (folder / "models").exists()
    said = exported(spec, used, "--to", str(tmp_path / "b"), "--arm", "pupil", code=1)
    assert "no arm 'pupil': it has baseline, teacher, student" in said


def test_what_is_not_finished_is_named(used: Store, spec: Path, tmp_path: Path) -> None:
    """The other files are exported all the same."""
    spec.write_text(TINY_SPEC.replace("seeds=1", "seeds=2"))
    folder = tmp_path / "out"
    assert "4 of 6 models are finished" in exported(spec, used, "--to", str(folder))
    assert contents_of(folder)["missing"] == ["control", "student"]


def test_a_folder_with_files_is_left_alone(used: Store, spec: Path, tmp_path: Path) -> None:
    """Nothing is mixed with what is there."""
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")
    assert "is not empty" in exported(spec, used, "--to", str(tmp_path / "out"), code=1)


def test_damaged_weights_are_not_exported(used: Store, spec: Path, tmp_path: Path) -> None:
    """The error names the file."""
    for file in (used.root / "models" / "toy").glob("ft-*.npz"):
        file.write_bytes(b"damaged")
    assert "is damaged" in exported(spec, used, "--to", str(tmp_path / "out"), code=1)


def test_models_are_merged_where_the_backend_can(
    used: Store, spec: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each trained model once, named in the contents; a backend without adapters is one error."""
    refused = exported(spec, used, "--to", str(tmp_path / "out"), "--merged", code=1)
    assert "the models of the backend 'toy' are no adapters beside a base" in refused

    plain: Callable[[ToyBackend], Capabilities] = vars(ToyBackend)["capabilities"].fget

    def able(backend: ToyBackend) -> Capabilities:
        return replace(
            plain(backend), write_merged=lambda model, folder: folder.mkdir(parents=True)
        )

    monkeypatch.setattr(ToyBackend, "capabilities", property(able))
    exported(spec, used, "--to", str(tmp_path / "out"), "--merged")
    models = contents_of(tmp_path / "out")["models"]
    merged = {one["arm"]: one.get("merged") for one in models}
    assert merged["student"] == "merged/student-1"
    assert (tmp_path / "out" / "merged" / "student-1").is_dir()
    assert merged["baseline"] is None


ROWS = """
import pytest

@pytest.mark.parametrize("experiment", [experiment, experiment.but(seeds=2)], ids=["a b", "a-b"])
def test_it(experiment, student):
    '''The student was trained.'''
    assert student.seeds
"""


def test_each_experiment_has_a_folder_of_its_own(used: Store, tmp_path: Path) -> None:
    """Titles are those of a run, and files or rows of one name are never mixed in one folder."""
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = --import-mode=importlib\n")
    for folder in ("x", "y"):
        (tmp_path / "evals" / folder).mkdir(parents=True)
        (tmp_path / "evals" / folder / "test_it.py").write_text(TINY_SPEC + ROWS)
    exported(tmp_path / "evals", used, "--to", str(tmp_path / "out"), "--no-weights")
    contents = [contents_of(file.parent) for file in (tmp_path / "out").glob("*/contents.json")]
    assert sorted((one["title"], one["file"]) for one in contents) == [
        (f"{folder}/test_it.py[{id}]", f"evals/{folder}/test_it.py")
        for folder in "xy" for id in ("a b", "a-b")
    ]  # fmt: skip
    for one in contents:
        models = [model for model in one["models"] if model["arm"] == "student"]
        assert len(models) == (2 if one["title"].endswith("[a-b]") else 1)


@pytest.mark.parametrize("seeds", ["seeds=1", "seeds=1, name='A horse'"])
def test_a_card_has_the_claims_of_the_run(
    used: Store, pytester: pytest.Pytester, run: Run, seeds: str
) -> None:
    """A parametrized experiment and a named one are found by the titles of their run."""
    spec = pytester.mkdir("evals") / "test_it.py"
    spec.write_text(TINY_SPEC.replace("seeds=1", seeds) + ROWS)
    run("evals", store=used.root)
    out = pytester.path / "out"
    exported(spec, used, "--to", str(out))
    folder = min(out.glob("*/contents.json")).parent
    card = CliRunner().invoke(
        main,
        ["push", str(folder), "--models", "me/it", "--license", "mit", "--store", str(used.root)],
    )
    assert "| The student was trained |" in card.output
