"""The names that users import, from the top and from ``limen.harness``."""

import subprocess
import sys

import pytest

import limen
from limen import harness


def test_a_spec_can_import_everything_from_the_top() -> None:
    """``from limen import Experiment`` gives the same classes as ``limen.harness``."""
    assert limen.Experiment is harness.Experiment
    assert all(getattr(limen, name) is getattr(harness, name) for name in harness.__all__)


def test_what_one_writes_is_listed() -> None:
    """``dir(limen)`` has the names of specs, and no name of a typing module."""
    assert {"Experiment", "Numbers", "Trait", "SpecError"} <= set(dir(limen))
    assert "TYPE_CHECKING" not in dir(limen)


def test_an_unknown_name_is_an_attribute_error() -> None:
    """A misspelt name is reported as Python reports it."""
    assert not hasattr(limen, "Experimnet")


def test_python_m_limen_is_the_command_line() -> None:
    """``python -m limen --help`` lists the subcommands."""
    shown = subprocess.run(
        [sys.executable, "-m", "limen", "--help"], capture_output=True, text=True, check=True
    )
    assert "generate" in shown.stdout
    assert "serve" in shown.stdout


@pytest.mark.parametrize(
    "line",
    [
        "from limen import Experiment, Numbers, Trait",
        "import limen; limen.Experiment",
        "import limen; assert 'Experiment' in dir(limen)",
        "from limen import harness; harness.Experiment",
        "from limen import reports",
        "from limen import *; Experiment, Numbers, SpecError",
        "import limen; assert not hasattr(limen, 'Experimnet')",
    ],
)
def test_the_first_line_of_a_script(line: str) -> None:
    """Each way to import works in a process that has loaded nothing of limen before."""
    subprocess.run([sys.executable, "-c", line], check=True)
