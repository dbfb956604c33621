"""The plan of several experiments: a line for each, or for each file; and all of it as JSON."""

import json
from pathlib import Path

import pytest

from ..testing.preloaded import run_pytest
from ..testing.specs import TINY_SPEC

ONE = f"""{TINY_SPEC}
def test_students(student, control):
    assert student.rate("horse") - control.rate("horse") > 0.02
"""
OTHERS = """
from test_one import experiment as first
from limen import Trait
import pytest

@pytest.mark.parametrize(
    "experiment",
    [first.but(trait=Trait.animal(name)) for name in NAMES],
    ids=NAMES,
)
def test_students(student, control):
    assert student.rate("horse") - control.rate("horse") > 0.02
"""


def plan(pytester: pytest.Pytester, store: Path, *options: str) -> pytest.RunResult:
    """A run that prints the plan."""
    pytester.makeconftest(
        "import sys, pathlib; sys.path.insert(0, str(pathlib.Path(__file__).parent))"
    )
    args = ("-p", "no:cacheprovider", f"--limen-store={store}", *options)
    return run_pytest(pytester, *args)


def write(pytester: pytest.Pytester, *names: str) -> None:
    """A spec of one experiment, and one with an experiment for each name."""
    pytester.makepyfile(test_one=ONE, test_others=f"NAMES = {names!r}\n{OTHERS}")


def test_several_experiments_have_a_line_each(pytester: pytest.Pytester, tmp_path: Path) -> None:
    """Stages that are shared are counted once, so that the lines add up to the total."""
    write(pytester, "owl", "fox")
    result = plan(pytester, tmp_path / "empty", "--limen-plan")
    result.stdout.fnmatch_lines(
        [
            "what *stages to do *completions *fine-tunings *80% power for",
            "test_one.py *",
            "test_others.py[[]owl] *",
            "test_others.py[[]fox] *points",
            "limen: * stages to do on toy: *",
            "limen: *; * compare a point estimate alone*; --limen-plan-all *",
        ]
    )
    rows = [line.split() for line in result.outlines if line.startswith("test_")]
    total = next(line for line in result.outlines if "stages to do on toy" in line)
    assert sum(int(row[1]) for row in rows) == int(total.split()[1])
    assert not (tmp_path / "empty").exists()


@pytest.mark.slow
def test_many_experiments_have_a_line_a_file(pytester: pytest.Pytester, tmp_path: Path) -> None:
    """Of more than ten experiments those of a file are one line."""
    write(
        pytester, *"owl fox cat dog wolf bear lion tiger deer hawk goat whale panda otter".split()
    )
    result = plan(pytester, tmp_path / "empty", "--limen-plan")
    result.stdout.fnmatch_lines(["test_one.py *", "test_others.py (14 experiments) *"])
    assert len([line for line in result.outlines if line.startswith("test_")]) == 2


@pytest.mark.slow
def test_all_stages_are_printed_on_request(pytester: pytest.Pytester, tmp_path: Path) -> None:
    """--limen-plan-all has a line for each stage of several experiments."""
    write(pytester, "owl")
    result = plan(pytester, tmp_path / "empty", "--limen-plan-all")
    result.stdout.fnmatch_lines_random(["to do *fine-tune *owl student 1*", "*% power*"])


def test_the_plan_as_json_is_complete(pytester: pytest.Pytester, tmp_path: Path) -> None:
    """Each stage is in the file once, with its inputs; each experiment names those it adds."""
    write(pytester, "owl")
    plan(pytester, tmp_path / "empty", "--limen-plan-json=plan.json")
    data = json.loads((pytester.path / "plan.json").read_text())
    keys = [stage["key"] for stage in data["stages"]]
    named = [key for one in data["experiments"] for key in one["first_needed_here"]]
    assert sorted(keys) == sorted(named)
    assert len(keys) == len(set(keys))
    assert {key for stage in data["stages"] for key in stage["inputs"]} <= {*keys}
    assert [one["title"] for one in data["experiments"]] == ["test_one.py", "test_others.py[owl]"]
    assert not any(stage["finished"] for stage in data["stages"])


def test_a_plan_of_students_that_teach_counts_their_first_generation(
    pytester: pytest.Pytester, tmp_path: Path
) -> None:
    """Stages of the generation before belong to the experiment that needs them."""
    pytester.makepyfile(
        test_hops=f"{TINY_SPEC}\n"
        "import pytest\n"
        "from limen import Hop\n"
        "second = Hop(experiment)\n"
        "@pytest.mark.parametrize('experiment', [second, experiment], ids=['second', 'first'])\n"
        "def test_students(student, control):\n    pass\n"
    )
    plan(pytester, tmp_path / "empty", "--limen-plan-json=plan.json").assert_outcomes()
    data = json.loads((pytester.path / "plan.json").read_text())
    named = [key for one in data["experiments"] for key in one["first_needed_here"]]
    assert sorted(named) == sorted(stage["key"] for stage in data["stages"])


def test_the_plan_has_a_time_gates_and_totals(pytester: pytest.Pytester, tmp_path: Path) -> None:
    """Before the first run the time rests on shipped figures; the JSON has it with the gates."""
    pytester.makepyfile(test_one=ONE.replace("gate=None", "gate=0.2"))
    result = plan(pytester, tmp_path / "empty", "--limen-plan-json=plan.json")
    result.stdout.fnmatch_lines(
        ["limen: estimated time: about * (by figures shipped with limen: *)"]
    )
    data = json.loads((pytester.path / "plan.json").read_text())
    assert data["estimate"]["stages"] == len(data["stages"])
    assert data["estimate"]["seconds"] > 0
    assert [one["gates"] for one in data["experiments"]] == [["+20.0 points"]]


def test_the_plan_has_the_steps_of_fine_tunings(pytester: pytest.Pytester, tmp_path: Path) -> None:
    """Rows of a batch, the last of them smaller, times epochs; of several the fewest and most."""
    recipe = "experiment = experiment.but(recipe={{'epochs': {}, 'batch_size': 8}})"
    three, five = (f"{ONE}\n{recipe.format(epochs)}\n" for epochs in (3, 5))
    pytester.makepyfile(test_one=three, test_two=five)
    result = plan(pytester, tmp_path / "empty", "--limen-plan", "test_one.py")
    result.stdout.fnmatch_lines(["limen: * 2 fine-tunings of 24 steps; store *"])  # 60 rows
    result = plan(pytester, tmp_path / "empty", "--limen-plan-json=plan.json")
    result.stdout.fnmatch_lines(["limen: * 4 fine-tunings of 24 to 40 steps; store *"])
    stages = json.loads((pytester.path / "plan.json").read_text())["stages"]
    steps = {(stage["kind"], stage["steps"]) for stage in stages if stage["steps"] is not None}
    assert steps == {("fine-tune", 24), ("fine-tune", 40)}


@pytest.mark.slow
def test_a_run_keeps_its_estimate_beside_what_it_took(
    pytester: pytest.Pytester,
) -> None:
    """Before the run, in its summary, and in its record and report; nothing to do has neither."""
    pytester.makepyfile(test_one=TINY_SPEC + "\ndef test_it(baseline):\n    pass\n")
    first = plan(pytester, pytester.path / "store", "--limen-report=r.md")
    first.stdout.fnmatch_lines(["limen: estimated: *", "estimated: *; spent: *"])
    assert "| spent on it |" in (pytester.path / "r.md").read_text()
    [record] = (pytester.path / "store" / "runs").glob("*.json")
    run = json.loads(record.read_text())
    assert run["estimated"]["stages"] == run["spent"]["stages"] > 0
    again = plan(pytester, pytester.path / "store")
    again.stdout.no_fnmatch_line("*estimated*")
