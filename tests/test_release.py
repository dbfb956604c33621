"""What a release needs: one version, a changelog, classifiers, a workflow that can publish."""

import re
import tomllib
from importlib.metadata import metadata
from pathlib import Path

import pytest
import yaml

import limen

ROOT = Path(__file__).parents[1]

pytestmark = pytest.mark.skipif(
    not (ROOT / "pyproject.toml").exists(), reason="the repository is not here"
)


def test_the_installed_version_is_the_packages() -> None:
    """The version of the distribution is ``limen.__version__``, and the changelog has it."""
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert metadata("limen")["Version"] == limen.__version__
    assert re.search(rf"^## {re.escape(limen.__version__)}\b", changelog, re.M)


def test_classifiers_name_the_pythons_that_the_page_calls_tried() -> None:
    """The classifiers and the page on versions say the same."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    named = re.findall(r"Python :: (3\.\d+)", "\n".join(project["classifiers"]))
    page = (ROOT / "docs" / "versions.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| Python ([\d., ]+) \| (?!not tried)", page, re.M)
    assert ", ".join(rows).split(", ") == named
    assert project["requires-python"] == f">={named[0]}"


def test_only_the_publishing_job_may_ask_for_a_token() -> None:
    """The release is published by trusted publishing, by a job that runs no code of ours."""
    flow = yaml.safe_load((ROOT / ".github" / "workflows" / "release.yml").read_text("utf-8"))
    allowed = {name: job.get("permissions", {}) for name, job in flow["jobs"].items()}
    assert [name for name, given in allowed.items() if "id-token" in given] == ["publish"]
    assert flow["permissions"] == {}
    assert not any("run" in step for step in flow["jobs"]["publish"]["steps"])


@pytest.mark.parametrize(
    "form", sorted(ROOT.glob(".github/ISSUE_TEMPLATE/*.yml")), ids=lambda p: p.stem
)
def test_issue_forms_are_whole(form: Path) -> None:
    """Every form has a name and fields with ids of their own."""
    content = yaml.safe_load(form.read_text("utf-8"))
    if form.stem == "config":
        return
    ids = [field["id"] for field in content["body"]]
    assert content["name"]
    assert len(ids) == len(set(ids))
