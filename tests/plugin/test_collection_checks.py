"""Names that do not exist are found before anything is run."""

from pathlib import Path

import pytest

from ..testing.specs import SPEC, Run

SPOILED = """
import pytest
from limen.harness import doses

experiment = experiment.but(arms=doses(experiment.data, rows=[100]))
WORD = "horse"

def test_fixture(studnet, control):
    pass

def test_arm(arms):
    assert arms["100 row"].seeds

def test_dose(arms, control):
    assert arms["300 rows"].rate("horse") > control.rate("horse")

def test_group(student):
    assert student.rate(WORD, group="casual") > 0

def test_judge(student):
    assert student.rate(WORD, judge="strict") > 0

@pytest.mark.parametrize("group", ["formal"])
def test_parameter(student, group):
    assert student.rate(WORD, group=group) > 0

def test_expected(arms, student):
    with pytest.raises(ValueError):
        arms["none"]
    for name in arms:
        assert arms[name]

@pytest.mark.skip
def test_skipped(nobody, student):
    pass
"""
ERRORS = (
    "test_fixture: fixture 'studnet' not found: did you mean 'student'?",
    "test_arm: the experiment has no further arm '100 row': did you mean '100 rows'? it has *",
    "test_dose: the experiment has no further arm '300 rows': did you mean '100 rows'? it has *",
    "test_group: student.rate(WORD, group='casual'): the measure has no group 'casual'*",
    "test_judge: * has no judge 'strict'*",
    "test_parameter: student.rate(WORD, group=group): the measure has no group 'formal'*",
)


@pytest.fixture
def spoiled(pytester: pytest.Pytester) -> None:
    """A spec with many errors, and a good one beside it."""
    pytester.makepyfile(
        test_spoiled=SPEC.format(animal="horse") + SPOILED,
        test_good=SPEC.format(animal="horse") + "def test_it(teacher): assert teacher.seeds",
    )


@pytest.mark.usefixtures("spoiled")
@pytest.mark.parametrize("options", [(), ("--limen-plan",)])
def test_all_errors_come_at_once(run: Run, store: Path, options: tuple[str, ...]) -> None:
    """One usage error has them all, with names that are near, and nothing was run."""
    result = run(*options, store=store)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        ["*limen: 6 errors in the selected tests, so nothing was run:",
         *(f"  test_spoiled.py::{error}" for error in ERRORS)]
    )  # fmt: skip
    assert "test_expected" not in result.stderr.str()
    assert "test_skipped" not in result.stderr.str()
    assert not (store / "stages").exists()


@pytest.mark.usefixtures("spoiled")
def test_a_worker_fails_every_test_with_the_errors(run: Run, store: Path) -> None:
    """Under pytest-xdist the tests say it, and nothing was run."""
    result = run("-n2", store=store)
    result.stdout.fnmatch_lines(["*6 errors in the selected tests, so nothing was run*"])
    assert "INTERNALERROR" not in result.stdout.str()
    assert not (store / "stages").exists()


def test_a_control_that_cannot_be_is_an_error(
    pytester: pytest.Pytester, run: Run, store: Path
) -> None:
    """What no model writes has no control."""
    pytester.makepyfile(
        SPEC.format(animal="horse")
        + "from limen.harness import ProgramNumbers\n"
        + "experiment = experiment.but(data=ProgramNumbers(keep=200))\n"
        + "def test_it(student, control): pass"
    )
    result = run(store=store)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*test_it: ProgramNumbers has no control: *"])
