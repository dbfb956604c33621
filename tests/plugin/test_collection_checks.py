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
    "test_arm: the experiment has no arm '100 row': did you mean '100 rows'? it has *",
    "test_dose: the experiment has no arm '300 rows': did you mean '100 rows'? it has *",
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


def test_what_a_parameter_excludes_is_not_refused(
    pytester: pytest.Pytester, run: Run, store: Path
) -> None:
    """A word in a branch is an error if a parameter leads to it; else a line says so at most."""
    pytester.makepyfile(
        SPEC.format(animal="horse")
        + """
import pytest

@pytest.mark.parametrize("animal", ["horse"])
def test_it(student, animal):
    if animal == "oak":
        assert student.rate("oak") > 0
    if student.seeds == (7,):
        assert student.rate("hoarse") > 0
"""
    )
    result = run("--limen-plan", store=store)
    assert result.ret == 0
    assert "'oak'" not in result.stdout.str()
    result.stdout.fnmatch_lines(
        ["limen: if the test comes to it, an error: *test_it: *'hoarse'*did you mean 'horse'?*"]
    )


RESULTS = """
from limen.harness import Choice, Grid, Hop, Trajectory

class TestChoice:
    experiment = experiment.but(measure=Choice(questions=("Which?",), options=("horse", "cat")))
    def test_option(self, student):
        assert student.rate("horsee")

class TestHop:
    experiment = Hop(experiment)
    def test_word(self, student):
        assert student.rate("hoarse")
    def test_method(self, student):
        assert student.raet("horse")
    def test_argument(self, student):
        assert student.rate("horse", gruop="plain")

class TestGrid:
    experiment = Grid(
        traits=[Trait.animal("owl"), Trait.animal("fox")], data=experiment.data,
        measure=experiment.measure, bases=["toy-1", "toy-2"],
    )
    def test_base(self, grid):
        assert grid.on("toy-11").diagonal
    def test_word(self, grid):
        assert grid.on("toy-1").cell("owl on toy-1", "foxx")
    def test_student(self, grid):
        assert grid.on("toy-1").drift("owls on toy-1")
    def test_method(self, grid):
        assert grid.on("toy-1").diagnal

class TestTrajectory:
    experiment = experiment.but(trajectory=Trajectory(), recipe={"epochs": 3})
    def test_epoch(self, trajectory):
        assert trajectory.at(7).rate("horse")
    def test_arm(self, trajectory):
        assert trajectory.along("studnet")
    def test_against(self, trajectory):
        assert trajectory.effect(against="contrl")
    def test_word(self, trajectory):
        assert trajectory.effect("hoarse")

class TestRecipe:
    experiment = experiment.but(recipe={"lerning_rate": 0.1})
    def test_it(self, student):
        pass

def test_no_grid(grid):
    pass

def test_no_trajectory(trajectory):
    pass
"""
RESULT_ERRORS = (
    "TestChoice::test_option: *no option 'horsee': did you mean 'horse'?*",
    "TestHop::test_word: *unknown animal 'hoarse': did you mean 'horse'?*",
    "TestHop::test_method: student.raet: there is no 'raet': did you mean 'rate'?",
    "TestHop::test_argument: *'gruop'*",
    "TestGrid::test_base: *no base 'toy-11': did you mean 'toy-1'? there are toy-1, toy-2",
    "TestGrid::test_word: *no word 'foxx': did you mean 'fox'? there are owl, fox",
    "TestGrid::test_student: *no student 'owls on toy-1': did you mean 'owl on toy-1'?*",
    "TestGrid::test_method: *there is no 'diagnal': did you mean 'diagonal'?",
    "TestTrajectory::test_epoch: trajectory.at(7): no epoch 7: there are 1, 2, 3",
    "TestTrajectory::test_arm: *no arm 'studnet': did you mean 'student'?*",
    "TestTrajectory::test_against: *no against 'contrl': did you mean 'control'?*",
    "TestTrajectory::test_word: *unknown animal 'hoarse': did you mean 'horse'?*",
    "TestRecipe::test_it: *recipe setting 'lerning_rate' *: did you mean 'learning_rate'?*",
    "test_no_grid: the fixture 'grid' needs experiment = Grid(*",
    "test_no_trajectory: the fixture 'trajectory' needs *trajectory=Trajectory())",
)


def test_names_of_grids_trajectories_and_choices(
    pytester: pytest.Pytester, run: Run, store: Path
) -> None:
    """Students, bases, words, epochs, arms, options and methods are found at once as well."""
    pytester.makepyfile(test_it=SPEC.format(animal="horse") + RESULTS)
    result = run("--limen-plan", store=store)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines_random([f"  test_it.py::{error}" for error in RESULT_ERRORS])
    result.stderr.fnmatch_lines([f"*limen: {len(RESULT_ERRORS)} errors in the selected tests*"])


def test_fixtures_of_ones_own_are_not_read(
    pytester: pytest.Pytester, run: Run, store: Path
) -> None:
    """Neither one that has the place of limen's, nor a parameter of such a name."""
    pytester.makepyfile(
        SPEC.format(animal="horse")
        + """
import pytest

@pytest.fixture
def student():
    return "abc"

def test_fixture(student, baseline):
    assert student.upper() == "ABC"

@pytest.mark.parametrize("control", ["abc"])
def test_parameter(control, baseline):
    assert control.upper() == "ABC"
"""
    )
    assert run("--limen-plan", store=store).ret == 0


BOUND = {
    "rebound arguments": """
def test_it(teacher, baseline):
    teacher, baseline = teacher.rate("horse"), baseline.rate("horse")
    assert teacher.value > baseline.value
""",
    "a dictionary": """
def test_it(teacher, baseline):
    arms = {"t": teacher, "b": baseline}
    assert arms["t"].rate("horse").value > arms["b"].rate("horse").value
""",
    "a loop": """
def test_it(baseline):
    for control in ("a b", "c"):
        assert control.split()
    assert [student.upper() for student in "ab"]
""",
    "variables": """
def test_it(baseline):
    trajectory, grid = [1.0], {"a": 1}
    trajectory.append(2.0)
    assert grid.get("a") and trajectory.pop()
""",
    "functions and imports": """
def test_it(baseline):
    import math as student
    def control(teacher): return teacher.upper()
    assert student.floor(1.5) and control("a") and (lambda arms: arms["x"])({"x": 1})
""",
    "errors and cases": """
def test_it(baseline):
    match ["a", "b"]:
        case [teacher, *control]:
            assert teacher.upper() and control.copy()
    try:
        raise ValueError("a")
    except ValueError as student:
        assert student.args
""",
}


@pytest.mark.parametrize("form", BOUND)
def test_names_that_a_test_binds_are_not_the_fixtures(
    pytester: pytest.Pytester, run: Run, form: str
) -> None:
    """What a test makes of a fixture's name has methods and keys of its own."""
    pytester.makepyfile(SPEC.format(animal="horse") + BOUND[form])
    result = run()
    result.assert_outcomes(passed=1)
    assert "if the test comes to it, an error" not in result.stdout.str()


@pytest.mark.parametrize(
    ("wrong", "near"),
    [
        ("Trajectory(att=(1,))", "'att': did you mean 'at'? it has at, steps, test"),
        ("Trajectory(test='finall')", "'final' or 'area': did you mean 'final'?"),
        ("DPO(betta=1)", "'betta': did you mean 'beta'?*"),
        ("Choice(questions=('a?',), option=('b', 'c'))", "'option': did you mean 'options'?*"),
        ("Hop(experiment, datta=1)", "'datta': did you mean 'data'?*"),
        (
            "experiment.but(arms={'x': Students(against='contrl')})",
            "'x' is compared with 'contrl': did you mean 'control'?*",
        ),
        (
            "Grid(traits=[Trait.animal('owl'), Trait.animal('fox')], data=experiment.data, "
            "measure=experiment.measure, students=[Trait.animal('owl'), Trait(name='foxx', system='x')])",
            "students of foxx: did you mean 'fox'?*owl, fox",
        ),
        ("experiment.but(leaks='reprot')", "'fail' or 'report': did you mean 'report'?"),
    ],
)
def test_names_of_spec_values_have_near_ones(
    pytester: pytest.Pytester, run: Run, store: Path, wrong: str, near: str
) -> None:
    """An argument or a choice that does not exist is one line at collection."""
    imports = "from limen.harness import DPO, Choice, Grid, Hop, Students, Trajectory\n"
    pytester.makepyfile(test_it=f"{SPEC.format(animal='horse')}{imports}{wrong}\n")
    run("--limen-plan", store=store).stdout.fnmatch_lines([f"test_it.py:*{near}"])
