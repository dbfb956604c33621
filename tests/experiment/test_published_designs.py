"""Designs of the field as specs: each is planned without a workaround, in at most 40 lines."""

import statistics
import subprocess
import sys
from pathlib import Path

import pytest

SPECS = sorted((Path(__file__).parents[2] / "evals" / "designs").glob("spec_*.py"))


def planned(specs: list[Path], store: Path) -> subprocess.CompletedProcess[str]:
    """What ``--limen-plan`` says of some specs, in a process of its own."""
    command = (
        sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--import-mode=importlib",
        *map(str, specs), "--limen-plan", "--limen-store", str(store), "-c", "/dev/null",
        "--rootdir", str(specs[0].parent),
    )  # fmt: skip
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_designs_fit_in_forty_lines() -> None:
    """A spec of a published design, its tests included, is short."""
    lengths = [len(spec.read_text().splitlines()) for spec in SPECS]
    assert len(SPECS) >= 30
    assert max(lengths) <= 40
    assert statistics.median(lengths) <= 25


def test_a_design_is_planned(tmp_path: Path) -> None:
    """Designs by medium, by selection and by steps are planned as they stand."""
    names = ("spec_own_prompts.py", "spec_likelihood_shift.py", "spec_along_steps.py")
    done = planned([spec for spec in SPECS if spec.name in names], tmp_path)
    assert done.returncode == 0, done.stdout


@pytest.mark.slow
def test_every_design_is_planned(tmp_path: Path) -> None:
    """Each spec is validated, and its stages are planned on the toy."""
    done = planned(SPECS, tmp_path)
    assert done.returncode == 0, done.stdout
    assert "ERROR" not in done.stdout
