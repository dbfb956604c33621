"""Control characters of names, answers and errors are shown, and not obeyed."""

import pytest

from ..testing.specs import SPEC, Run

HOSTILE = r"""
import pytest
from limen.harness import Experiment, Scored, Trait

EVIL = "\x1b[2J\x1b]0;title\x07\u202e"

def bad(answer): raise ValueError(EVIL)

class TestNames:
    experiment = experiment.but(name="named " + EVIL, trait=Trait(name="horse", system="Like horses. " + EVIL), gate=None)
    def test_it(self, teacher): assert teacher.rate("horse") > 2

@pytest.mark.parametrize("experiment", [experiment.but(gate=None)], ids=["id " + EVIL])
def test_claim(teacher): assert teacher.rate("horse") < 0
test_claim.__doc__ = "A claim " + EVIL

class TestScorer:
    experiment = experiment.but(measure=Scored(questions=("a" + EVIL,), draws=1, outcome=bad))
    def test_it(self, teacher): teacher.scores()
"""
OBEYED = ("\x1b", "\x07", "\u202e")


def test_the_terminal_and_junit_obey_nothing(
    pytester: pytest.Pytester, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever a spec has in its names and texts, none of it reaches a terminal as it is."""
    monkeypatch.setenv("NO_COLOR", "1")
    pytester.makepyfile(test_evil=SPEC.format(animal="horse") + HOSTILE)
    result = run("--junitxml=out.xml", "-rA", "-v")
    result.assert_outcomes(failed=3)
    text = result.stdout.str() + result.stderr.str()
    junit = (pytester.path / "out.xml").read_text(encoding="utf-8")
    assert [sign for sign in OBEYED for out in (text, junit) if sign in out] == []
    assert r"named \x1b[2J\x1b]0;title\x07\u202e" in text
    assert r"A claim \x1b[2J" in junit


def test_a_bad_spec_obeys_nothing(pytester: pytest.Pytester, run: Run) -> None:
    """The same with an error at collection."""
    spec = SPEC.format(animal="horse") + 'experiment.but(gate="\\x1b[31m\\u202e")'
    pytester.makepyfile(test_evil=spec)
    text = run().stdout.str()
    assert "test_evil.py:" in text
    assert [sign for sign in OBEYED if sign in text] == []
