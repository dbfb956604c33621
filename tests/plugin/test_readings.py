from pathlib import Path

import pytest

from ..testing.specs import SPEC, Run

TESTS = """

def test_one(student, control):
    assert (student.rate("horses") - control.rate("horses")).within(0.5)


def test_two(teacher):
    assert teacher.rate("horse", group="plain") > 0.5
"""


def test_words_that_no_answer_can_have_are_found_before_anything_is_run(
    pytester: pytest.Pytester, run: Run, store: Path
) -> None:
    """All faults are reported at once, with near names, and no stage is run."""
    pytester.makepyfile(test_small=SPEC.format(animal="horse") + TESTS)
    result = run()
    text = result.stdout.str() + result.stderr.str()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "unknown animal 'horses': did you mean 'horse'?" in text
    assert "the measure has no group 'plain': it has no groups" in text
    assert not (store / "measure").exists()
