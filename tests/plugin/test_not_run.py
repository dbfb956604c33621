"""What pytest will not run costs nothing, and what it will run is planned."""

from pathlib import Path

import pytest

from ..testing.specs import SPEC, TINY_SPEC, Run

OWN = """
import pytest

@pytest.fixture
def student():
    return "mine"

def test_it(student, teacher):
    assert student == "mine" and teacher.seeds
"""


@pytest.mark.parametrize("option", ["--setup-plan", "--setup-only"])
def test_showing_fixtures_runs_nothing(
    pytester: pytest.Pytester, run: Run, store: Path, option: str
) -> None:
    """No stage is run, and no record of a run is kept."""
    pytester.makepyfile(SPEC.format(animal="horse") + "def test_it(student, arms, audit): pass")
    result = run(option, store=store)
    result.stdout.fnmatch_lines(["*SETUP*student*"])
    assert result.ret == 0
    assert not (store / "stages").exists()
    assert not (store / "runs").exists()


def test_conditions_by_keyword_are_read(pytester: pytest.Pytester, run: Run, store: Path) -> None:
    """A true one costs nothing; a false one keeps no test from being planned."""
    pytester.makepyfile(
        SPEC.format(animal="horse")
        + """
import pytest

@pytest.mark.skipif(condition=True, reason="not now")
def test_a(student): pass

@pytest.mark.xfail(condition=True, reason="not now", run=False)
def test_b(student): pass

@pytest.mark.xfail(False, reason="elsewhere", run=False)
def test_c(baseline): assert baseline.seeds
"""
    )
    assert "fine-tune" not in run("--limen-plan", store=store).stdout.str()
    run(store=store).assert_outcomes(skipped=1, xfailed=1, passed=1)
    assert (store / "stages" / "measure").exists()
    assert not (store / "stages" / "fine-tune").exists()


def test_fixtures_of_ones_own_train_nothing(
    pytester: pytest.Pytester, run: Run, store: Path
) -> None:
    """A fixture that is called student is no reason to train limen's."""
    pytester.makepyfile(TINY_SPEC + OWN)
    run(store=store).assert_outcomes(passed=1)
    assert not (store / "stages" / "fine-tune").exists()


def test_a_fixture_around_limens_own_is_planned(
    pytester: pytest.Pytester, run: Run, store: Path
) -> None:
    """One that asks for the fixture of its own name needs what that one gives."""
    around = OWN.replace("student():", "student(student):")
    pytester.makepyfile(TINY_SPEC + around)
    assert "fine-tune" in run("--limen-plan", store=store).stdout.str()


@pytest.mark.parametrize("options", [(), ("--limen-plan",)])
def test_an_experiment_that_is_a_fixture_is_refused(
    pytester: pytest.Pytester, run: Run, store: Path, options: tuple[str, ...]
) -> None:
    """It could not be planned, so nothing is done; as a parameter it is known, and is run."""
    text = (
        TINY_SPEC.replace("experiment =", "HORSE =")
        + """
import pytest

@pytest.fixture
def experiment(request):
    return request.param if request.node.name.startswith("test_known") else HORSE

@pytest.mark.parametrize("experiment", [HORSE], indirect=True)
def test_known(baseline):
    assert baseline.seeds
"""
    )
    pytester.makepyfile(text)
    assert run(*options, store=store).ret == 0
    pytester.makepyfile(text + "def test_it(student): pass\n")
    result = run(*options, store=store)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*::test_it: the experiment of 'student' is that of your own*"])
    assert not (store / "stages" / "fine-tune").exists()
