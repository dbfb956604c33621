from pathlib import Path

import pytest

from ..testing.preloaded import run_pytest
from ..testing.specs import QUICK, SPEC, Run

EVALS = Path(__file__).parents[2] / "evals"


@pytest.fixture
def run(pytester: pytest.Pytester, shared_store: Path) -> Run:
    """Runs pytest on the project of the test, with a store that has most results already."""
    return Run(pytester, shared_store)


def spec(pytester: pytest.Pytester, rest: str) -> None:
    """A project with one small experiment, and what else is written."""
    pytester.makepyfile(test_small=SPEC.format(animal="horse") + rest)


@pytest.mark.slow
def test_extra_arms_and_the_audit_are_fixtures(pytester: pytest.Pytester, run: Run) -> None:
    """Arms come by name and are planned before the first test; the audit compares both data sets."""
    spec(
        pytester,
        """
import pytest
from limen.harness import InContext, Students

experiment = experiment.but(
    arms={"long": Students(recipe={"epochs": 2}), "shown": InContext(rows=2)}, gate=None
)

def test_arms(arms, control, baseline):
    '''Further arms answer.'''
    assert list(arms) == ["long", "shown"]
    assert "long" in arms and "short" not in arms
    assert arms["long"].seeds == 2
    assert arms["long"].rate("horse") - control.rate("horse") > -1
    with pytest.raises(ValueError, match="no arm 'short': it has 'long', 'shown'"):
        arms["short"]

def test_audit(audit):
    '''Data are alike in length.'''
    assert audit.arm == "student"
    assert audit.mentions == 0
    assert 0 < audit.auc < 1
    assert len(audit.lengths) == 2 and 0 <= audit.length_p <= 1
""",
    )
    result = run("-v", "--limen-report=r.md", "--limen-workers=1")
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(
        ["*long *2 seeds*", "*shown *2 seeds*", "*long - control*p = *", "*shown - baseline*"]
    )
    text = (pytester.path / "r.md").read_text()
    for part in ("long - control", "shown - baseline", "Further arms answer"):
        assert part in text, part


def test_reasons_stand_beside_the_claims(pytester: pytest.Pytester, run: Run) -> None:
    """Why a test was expected to fail, or was skipped, is in the report and on the terminal."""
    spec(
        pytester,
        """
import pytest

@pytest.mark.xfail(reason="the toy is too small")
def test_all(teacher):
    '''Every answer is a horse.'''
    assert teacher.rate("horse") > 1

@pytest.mark.xfail(reason="it would be a wonder")
def test_most(teacher):
    '''Most answers are a horse.'''
    assert teacher.rate("horse") > 0.5

def test_skipped(teacher):
    '''Horses are there.'''
    pytest.skip("no time today")
""",
    )
    result = run("-v", "--limen-report=r.md", "--limen-workers=1")
    result.assert_outcomes(xfailed=1, xpassed=1, skipped=1)
    expected = [
        "failed as expected: Every answer is a horse (the toy is too small)",
        "passed unexpectedly: Most answers are a horse (it would be a wonder)",
        "skipped: Horses are there (no time today)",
    ]
    result.stdout.fnmatch_lines([line.replace("[", "?") for line in expected])
    text = (pytester.path / "r.md").read_text()
    for part in ("the toy is too small", "it would be a wonder", "no time today"):
        assert part in text, part


def test_failures_of_an_experiment_are_one_line(pytester: pytest.Pytester, run: Run) -> None:
    """A leak, and a judge that never rates, are reported in one line and without a traceback."""
    spec(
        pytester,
        """
from limen.harness import Judge, Rated, Trait

class TestLeak:
    experiment = experiment.but(
        trait=Trait(name="horse", system=experiment.trait.system, also=("Sure",)),
        data=Numbers(generate=400, keep=400, rule=lambda text: None), gate=None, seeds=1,
    )
    def test_it(self, student): pass

class TestJudge:
    experiment = experiment.but(
        measure=Rated(draws=2, by=Judge(prompt="{reply} Name your favorite animal in one word."))
    )
    def test_it(self, student): pass
""",
    )
    result = run("--limen-workers=1")
    result.assert_outcomes(errors=2)
    text = result.stdout.str()
    assert "Traceback" not in text
    failures = [
        line for line in result.outlines if line.startswith("limen: ") and "stages" not in line
    ]
    messages = [line for line in failures if "[" not in line[:9]]
    assert sum("rows mention the trait in the open" in line for line in messages) == 1
    assert sum("the judge 'judge' rated none of" in line for line in messages) == 1


def test_a_missing_second_base_skips_with_the_reason(pytester: pytest.Pytester, run: Run) -> None:
    """On a backend with one base model, tests that need another are skipped; others go on."""
    pytester.makeconftest(
        "from limen.backends.toy import ToyBackend\nToyBackend.other_models = ()\n"
    )
    spec(
        pytester,
        """
from limen.harness import OTHER

def test_one(teacher): assert teacher.rate("horse") > 0.5

class TestOther:
    experiment = experiment.but(teacher_model=OTHER)
    def test_two(self, student, control): pass
""",
    )
    result = run("--limen-workers=1")
    result.assert_outcomes(passed=1, skipped=1)
    result.stdout.fnmatch_lines(["*needs a second base model*--limen-other-model*"])


# limen's own experiments


def collected(pytester: pytest.Pytester, *options: str) -> set[str]:
    """The node ids in limen's evals that pytest selects."""
    result = run_pytest(
        pytester, str(EVALS), f"--rootdir={EVALS.parent}", "--collect-only", "-q",
        "-p", "no:cacheprovider", *QUICK, *options,
    )  # fmt: skip
    return {line for line in result.outlines if "::" in line}


@pytest.mark.skipif(not EVALS.exists(), reason="the experiments are not here")
def test_k_owl_selects_the_owl(pytester: pytest.Pytester) -> None:
    """-k owl is the headline result and nothing else; every spec file has tests."""
    owl, everything = collected(pytester, "-k", "owl"), collected(pytester)
    assert {node.split("::")[0] for node in owl} == {"evals/test_owl.py"}
    assert len(owl) == 2
    files = {node.split("::")[0] for node in everything}
    assert files == {f"evals/{file.name}" for file in EVALS.glob("test_*.py")}


@pytest.mark.parametrize("file", sorted(EVALS.glob("test_*.py")), ids=lambda file: file.stem)
def test_a_spec_is_short(file: Path) -> None:
    """Every experiment of limen's fits on a screen, and every claim has a sentence."""
    lines = file.read_text().splitlines()
    assert len(lines) <= 40
    assert lines[0].startswith('"""')
    claims = [number for number, line in enumerate(lines) if line.startswith("def test_")]
    assert claims
    assert all(lines[number + 1].strip().startswith('"""') for number in claims)


@pytest.mark.slow
@pytest.mark.skipif(not EVALS.exists(), reason="the experiments are not here")
def test_what_experiments_share_is_planned_once(pytester: pytest.Pytester, tmp_path: Path) -> None:
    """The owl's data and all of the control's serve several of limen's experiments."""
    result = run_pytest(
        pytester, str(EVALS), f"--rootdir={EVALS.parent}", "--limen-plan-all", "-q",
        f"--limen-store={tmp_path / 'empty'}", "-p", "no:cacheprovider", *QUICK,
    )  # fmt: skip
    assert result.ret == 0
    for what in (
        "generate * owl student numbers *30,000*shared",
        "filter * owl student filter*shared",
        "generate * control numbers *30,000*shared",
        "mix * control 1 rows*shared",
        "fine-tune * control 1 *shared",
        "measure * control 1 answers *10,000*shared",
        "measure * baseline answers *10,000*shared",
    ):
        result.stdout.fnmatch_lines_random([f"to do *{what}"])
    assert not (tmp_path / "empty").exists()
