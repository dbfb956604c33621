"""The titles of experiments."""

import re
from pathlib import Path

import pytest

from limen.reports import latest_runs, report_of

from ..testing.specs import SPEC, TINY_SPEC, Run

TEST = "\ndef test_it(teacher):\n    '''It is so.'''\n    assert teacher.rate('horse') > 0.3\n"


def titles(result: pytest.RunResult) -> list[str]:
    """The titles in the lines at the end of a run."""
    shown = re.compile(r"(.+?): (?:teacher - baseline, )?answers with")
    return [match[1] for line in result.outlines if (match := shown.match(line))]


@pytest.mark.slow
def test_a_title_does_not_depend_on_the_root(pytester: pytest.Pytester, run: Run) -> None:
    """One file has one title, whatever folder pytest takes for its root."""
    folder = pytester.mkdir("evals")
    (folder / "test_one.py").write_text(SPEC.format(animal="horse") + TEST)
    run("evals").assert_outcomes(passed=1)
    assert titles(run("evals")) == titles(run("evals", f"--rootdir={folder}")) == ["test_one.py"]


@pytest.mark.slow
def test_files_of_one_name_are_told_apart(pytester: pytest.Pytester, run: Run) -> None:
    """Their folders stand before them; an experiment with a name is called by it."""
    for folder, animal in (("a", "horse"), ("b", "bear")):
        pytester.mkpydir(folder)
        text = SPEC.format(animal=animal) + TEST.replace("horse", animal)
        (pytester.path / folder / "test_one.py").write_text(text)
    named = SPEC.format(animal="horse").replace("seeds=2", "seeds=3, name='A horse'")
    (pytester.path / "test_two.py").write_text(named + TEST)
    assert sorted(titles(run())) == ["A horse", "a/test_one.py", "b/test_one.py"]


COLLIDING = """
import pytest

@pytest.mark.parametrize("experiment", [experiment.but(seeds=3), experiment.but(seeds=4)])
def test_one(experiment, teacher):
    pass

@pytest.mark.parametrize("experiment", [experiment.but(seeds=5), experiment.but(seeds=6)])
def test_two(experiment, teacher):
    pass

class TestNamed:
    experiment = experiment.but(seeds=7, name="A horse")
    def test_it(self, teacher):
        pass

class TestOther:
    experiment = experiment.but(seeds=8, name="A horse")
    def test_it(self, teacher):
        pass
"""


def test_experiments_of_one_name_in_one_file_have_their_tests(
    pytester: pytest.Pytester, run: Run
) -> None:
    """Ids that pytest makes, and names that are given twice, are told apart on any root."""
    folder = pytester.mkdir("evals")
    (folder / "test_one.py").write_text(SPEC.format(animal="horse") + COLLIDING)
    for root in ((), (f"--rootdir={folder}",)):
        shown = run("evals", "--limen-plan-all", "--limen-plan", *root).stdout.str()
        for title in (
            "test_one.py::test_one[experiment0]", "test_one.py::test_two[experiment0]",
            "test_one.py::test_two[experiment1]", "A horse: test_one.py::TestNamed::test_it",
            "A horse: test_one.py::TestOther::test_it",
        ):  # fmt: skip
            assert re.search(rf"^{re.escape(title)}  ", shown, re.MULTILINE), title


def test_files_of_one_name_that_are_run_one_by_one_stay_two(
    pytester: pytest.Pytester, run: Run, store: Path
) -> None:
    """A later run of another folder's file does not take the place of the earlier one's results."""
    for folder, animal in (("a", "horse"), ("b", "bear")):
        (pytester.mkdir(folder) / "test_one.py").write_text(
            TINY_SPEC.replace("horse", animal) + "def test_it(baseline): assert baseline.seeds\n"
        )
        run(folder, store=store)
    report = report_of(latest_runs(store))
    assert [result.title for result in report.results] == ["a/test_one.py", "b/test_one.py"]
    assert [len(report.claims_of(result)) for result in report.results] == [1, 1]


NESTED = """
import pytest

class TestOuter:
    experiment = experiment.but(name="outer")
    class TestInner:
        def test_it(self, experiment, baseline):
            assert experiment.name == "outer"
    class TestOwn:
        experiment = experiment.but(name="own")
        def test_it(self, experiment, baseline):
            assert experiment.name == "own"

class TestOther:
    class TestInner:
        def test_it(self, experiment, baseline):
            assert experiment.name is None
"""


def test_a_class_in_a_class_takes_the_nearest_experiment(
    pytester: pytest.Pytester, run: Run, store: Path
) -> None:
    """Its own, else the outer class's, else the module's."""
    pytester.makepyfile(TINY_SPEC + NESTED)
    run(store=store).assert_outcomes(passed=3)


def test_ids_may_come_from_an_iterator(pytester: pytest.Pytester, run: Run, store: Path) -> None:
    """The titles have them, in whatever kind of iterable they are given."""
    pytester.makepyfile(
        test_it=TINY_SPEC
        + """
import pytest

EXPERIMENTS = [experiment, experiment.but(seeds=2)]

@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize("experiment", EXPERIMENTS, ids=(name for name in ("one", "two")))
def test_it(experiment, baseline, number): pass
"""
    )
    run(store=store).assert_outcomes(passed=4)
    report = report_of(latest_runs(store))
    assert [result.title for result in report.results] == ["test_it.py[one]", "test_it.py[two]"]
