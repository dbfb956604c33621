"""One bad function harms the tests that need it, and nothing else."""

from pathlib import Path

import pytest

from ..testing.specs import SPEC, Run

BAD = """
import sys
import pytest
from limen.harness import Scored

def raises(answer): return 1 / 0
def nan(answer): return float("nan")
def infinite(answer): return float("inf")
def text(answer): return "much"
def shape(answer): return [1.0, 2.0]
def leaves(answer): sys.exit(3)
def custom(answer): raise Custom("a", "b")

class Custom(Exception):
    def __init__(self, one, other): super().__init__(one)

@pytest.mark.parametrize(
    "experiment",
    [
        experiment.but(measure=Scored(questions=("Which animal?", "And why?"), draws=2, outcome=f))
        for f in (raises, nan, infinite, text, shape, leaves, custom)
    ],
    ids=["raises", "nan", "infinite", "text", "shape", "leaves", "custom"],
)
class TestBad:
    def test_teacher(self, teacher, baseline):
        '''The score differs.'''
        assert teacher.scores() > baseline.scores()

    def test_students(self, student, control):
        '''The score is learned.'''
        assert student.scores() > control.scores()
"""
GOOD = """
def test_good(teacher):
    '''The teacher names its animal.'''
    assert teacher.rate("horse") > 0.3

def test_students(student, control):
    '''Students answer.'''
    assert student.rate("horse") - control.rate("horse") > -1
"""


@pytest.mark.parametrize("options", [(), ("-n2",)])
def test_a_bad_scorer_fails_its_own_tests_alone(
    pytester: pytest.Pytester, run: Run, options: tuple[str, ...]
) -> None:
    """Whatever a scoring function does, the good tests pass, and report and junit are written."""
    pytester.makepyfile(
        test_bad=SPEC.format(animal="horse") + BAD, test_good=SPEC.format(animal="horse") + GOOD
    )
    result = run("--limen-report=r.md", "--junitxml=out.xml", *options)
    result.assert_outcomes(passed=2, failed=7, errors=7)
    result.stdout.fnmatch_lines(["*could not be measured: the outcome function failed on the*"])
    assert "INTERNALERROR" not in result.stdout.str()
    text = (pytester.path / "r.md").read_text()
    assert "**Supported:** The teacher names its animal" in text
    assert text.count("**Error:** The score differs") == 2 * 7  # at the top, and with each
    assert 'errors="7" failures="7"' in (pytester.path / "out.xml").read_text()


@pytest.mark.parametrize("how", ["raise Custom('a', 'b')", "sys.exit(3)", "return 1 / 0"])
def test_a_bad_filter_rule_fails_its_own_tests_alone(
    pytester: pytest.Pytester, run: Run, store: Path, how: str
) -> None:
    """A rule that fails in a worker process is told with its error, and other stages go on."""
    pytester.makepyfile(
        test_bad=SPEC.format(animal="horse")
        + f"""
import sys

class Custom(Exception):
    def __init__(self, one, other): super().__init__(one)

def rule(text):
    {how}

class TestBad:
    experiment = experiment.but(data=Numbers(generate=40, keep=10, rule=rule))
    def test_bad(self, student): pass

def test_good(teacher):
    assert teacher.rate("horse") > 0.3
"""
    )
    result = run(store=store)
    result.assert_outcomes(passed=1, errors=1)
    assert "a worker process died" not in result.stdout.str()


def test_strict_warnings_are_passed(pytester: pytest.Pytester, run: Run) -> None:
    """With -W error nothing that limen uses warns."""
    pytester.makepyfile(
        test_good=SPEC.format(animal="horse")
        + GOOD
        + """
def test_equal(baseline):
    '''No spread at all.'''
    assert baseline.rate("horse") - baseline.rate("horse") < 1
    assert (baseline.rate("horse") - baseline.rate("horse")).p_value <= 1
"""
    )
    run("-W", "error", "--limen-report=r.md", "-v").assert_outcomes(passed=3)
