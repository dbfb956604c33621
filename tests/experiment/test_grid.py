"""Grids: traits by students as one experiment, from the spec to the report."""

from pathlib import Path
from typing import Any

import pytest

from limen import SpecError
from limen.harness import (
    OTHER,
    Experiment,
    FavoriteAnimal,
    Grid,
    Lab,
    Length,
    Numbers,
    ProgramNumbers,
    Settings,
    Trait,
)
from limen.harness.stages import AskQuestions, FineTune

from ..testing.labs import lab_at
from ..testing.preloaded import run_pytest
from ..testing.specs import QUICK

HORSE, BEAR, HAWK = (Trait.animal(animal) for animal in ("horse", "bear", "hawk"))
NUMBERS, MEASURE = Numbers(generate=240, keep=60), FavoriteAnimal(draws=2)


def small_grid(**changes: Any) -> Grid:
    """A grid that takes seconds; too small to show anything."""
    fields = {
        "traits": (HORSE, BEAR),
        "data": NUMBERS,
        "measure": MEASURE,
        "seeds": 2,
        "gate": None,
    }
    return Grid(**{**fields, **changes})


def keys(lab: Lab, experiment: Experiment, arms: list[str], kind: type) -> set[str]:
    """The keys of the stages of a kind that some arms need."""
    return {stage.key for stage in lab.plan([(experiment, arms)]).stages if isinstance(stage, kind)}


def test_a_grid_shares_students_with_experiments_on_each_trait(shared_store: Path) -> None:
    """A grid's students and their answers are those of an experiment on their trait alone."""
    lab = lab_at(shared_store)
    grid = small_grid().experiment
    for trait in (HORSE, BEAR):
        alone = Experiment(trait=trait, data=NUMBERS, measure=MEASURE, seeds=2, gate=None)
        for kind in (FineTune, AskQuestions):
            assert keys(lab, grid, [trait.name], kind) == keys(lab, alone, ["student"], kind)


def test_one_measure_serves_all_cells_of_a_student(shared_store: Path) -> None:
    """Each student model is asked once, whatever the number of traits."""
    lab, grid = lab_at(shared_store), small_grid(traits=(HORSE, BEAR, HAWK)).experiment
    assert len(keys(lab, grid, list(grid.arms), FineTune)) == 6
    assert len(keys(lab, grid, list(grid.arms), AskQuestions)) == 6


def test_a_grid_of_two_bases(shared_store: Path) -> None:
    """Every base has students of its own, of the same teachers' data."""
    lab, grid = lab_at(shared_store), small_grid(bases=("toy-1", OTHER)).experiment
    assert list(grid.arms) == [
        "horse on toy-1", "bear on toy-1", "horse on another base", "bear on another base",
    ]  # fmt: skip
    files = [lab.pipeline(grid).data[arm] for arm in grid.arms]
    assert [mix.key for mix in files[0]] == [mix.key for mix in files[2]]
    assert len(keys(lab, grid, list(grid.arms), FineTune)) == 8


def test_the_number_of_seeds_is_an_option(shared_store: Path) -> None:
    """``--limen-seeds`` holds for grids as well."""
    lab, grid = Lab(Settings(store=shared_store, seeds=1)), small_grid().experiment
    assert len(keys(lab, grid, list(grid.arms), FineTune)) == 2


def test_a_lab_gives_a_grid(shared_store: Path) -> None:
    """Without pytest, a lab runs a grid and gives its diagonal, cells and drift."""
    found = lab_at(shared_store).grid(small_grid())
    assert found.effects.students == ("horse", "bear")
    assert found.cell("horse", "bear").estimate.seeds == 2
    assert -1 < float(found.diagonal) < 1
    assert found.drift("bear").unit
    with pytest.raises(SpecError, match="no base 'toy-2'"):
        found.on("toy-2")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"traits": (HORSE,)}, "two traits or more"),
        ({"traits": "owl"}, "two traits or more"),
        ({"traits": (HORSE, HORSE)}, "names of their own"),
        ({"traits": (HORSE, Trait(name="mare", system="x", word="horse"))}, "need a word each"),
        ({"students": (HORSE, HAWK)}, "students of hawk: their traits must be among"),
        ({"data": ProgramNumbers(keep=10)}, "not written by each student's own teacher"),
        ({"data": NUMBERS.but(by=HORSE)}, "not written by each student's own teacher"),
        ({"data": "numbers"}, "is not a Source"),
        ({"measure": Length(questions=("Why?",))}, "the same number for every trait"),
        ({"bases": ("toy-1", "toy-1")}, "different names"),
        ({"seeds": 0}, "seeds=0"),
    ],
)
def test_a_bad_grid_is_refused(changes: dict[str, Any], message: str) -> None:
    """What makes no sense is an error when the grid is made."""
    with pytest.raises(SpecError, match=message):
        small_grid(**changes)


def test_a_grid_is_derived() -> None:
    """``but`` makes a variant, and refuses what a grid does not have."""
    assert small_grid().but(seeds=5).experiment.seeds == 5
    with pytest.raises(SpecError, match="a grid has no 'seed': did you mean 'seeds'"):
        small_grid().but(seed=5)


SPEC = """
import pytest
from limen.harness import Experiment, FavoriteAnimal, Grid, Numbers, Trait

experiment = Grid(
    traits=[Trait.animal("horse"), Trait.animal("bear")],
    data=Numbers(generate=240, keep=60),
    measure=FavoriteAnimal(draws=2),
    seeds=2,
    gate=None,
)


def test_the_diagonal(grid):
    '''Students take on their own teacher's animal.'''
    assert grid.diagonal > -1
    assert grid.cell("horse", "bear").p_value > 0


@pytest.mark.parametrize("experiment", [experiment.but(seeds=1)], ids=["one seed"])
def test_one_seed(grid):
    assert grid.diagonal.verdict == "inconclusive"
"""
WITHOUT = """

@pytest.mark.parametrize("experiment", [Experiment(
    trait=Trait.animal("horse"), data=Numbers(generate=240, keep=60),
    measure=FavoriteAnimal(draws=2), seeds=1, gate=None,
)])
def test_no_grid(grid):
    pass
"""


@pytest.mark.slow
def test_a_grid_is_a_fixture_and_a_part_of_the_report(
    pytester: pytest.Pytester, shared_store: Path
) -> None:
    """A spec with a grid runs, says its diagonal, and reports table, heat map and cells."""
    pytester.makepyfile(test_grid=SPEC)
    store = f"--limen-store={shared_store}"
    plan = run_pytest(pytester, store, "--limen-plan", *QUICK)
    plan.stdout.fnmatch_lines(["*fine-tunings*; store*"])
    run = run_pytest(pytester, store, "--limen-report=r.md", *QUICK)
    run.assert_outcomes(passed=2)
    run.stdout.fnmatch_lines(["test_grid.py: own teacher's trait - other traits, *points*"])
    text = (pytester.path / "r.md").read_text()
    assert text.count("### Grid") == 2
    assert "own teacher's trait - other traits" in text
    assert "| students of |" in text.replace("  ", " ")
    assert "(base)" in text
    figures = sorted(path.name for path in (pytester.path / "r.files").iterdir())
    assert {"test-grid-py-grid.png", "test-grid-py-grid.svg", "grids.csv"} <= set(figures)


def test_an_experiment_that_is_no_grid_is_found_before_anything_runs(
    pytester: pytest.Pytester,
) -> None:
    """The fixture in a test of one experiment is an error at collection, with the remedy."""
    pytester.makepyfile(test_grid=SPEC + WITHOUT)
    run = run_pytest(pytester, "--limen-store=store", *QUICK)
    run.assert_outcomes()
    run.stderr.fnmatch_lines(["*the fixture 'grid' needs*"])
    assert not list(pytester.path.glob("store/stages/*"))
