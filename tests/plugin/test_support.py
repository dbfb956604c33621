"""How well claims are supported: by a verdict, by the point estimate only, or not at all."""

from collections.abc import Mapping
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from limen.harness import Rate
from limen.harness.plugin.support import EvidenceRecorder, finding_of, support_of

from ..testing.specs import SPEC, Run

QUESTIONS = tuple(f"question {number}" for number in range(10))


def rate(value: float, recorder: EvidenceRecorder, *, arm: str = "student", seeds: int = 5) -> Rate:
    """A rate whose seeds differ a little."""
    table = tuple(
        tuple(
            value + 0.01 * (seed % 3) + value * 0.01 * (place % 3)
            for place in range(len(QUESTIONS))
        )
        for seed in range(seeds)
    )
    return Rate(
        arm=arm, questions=QUESTIONS, table=table, draws=100, valid=1.0, missing=0,
        trained=True, word="owl", listener=recorder,
    )  # fmt: skip


def support(test: str, values: Mapping[str, float] | None = None) -> str:
    """The support of a claim that asserts something of ``student``, ``control`` and ``effect``."""
    recorder = EvidenceRecorder()
    values = values or {"student": 0.4, "control": 0.1}
    names = {arm: rate(value, recorder, arm=arm) for arm, value in values.items()}
    names["effect"] = names["student"] - names["control"]  # type: ignore[assignment]
    recorder.start()
    error: BaseException | None = None
    try:
        exec(test, names)
    except BaseException as raised:
        error = raised
    return support_of(error, recorder.stop(), None)


@pytest.mark.parametrize(
    "test",
    [
        "assert effect > 0.02",
        "assert effect > 0.02 and effect.p_value < 0.05",
        "assert 0.02 < effect",
        "assert 0.1 < effect < 0.5",
        "assert not effect > 0.5",
        "assert effect.p_value < 0.05",
        "assert effect.verdict == 'higher'",
        "assert effect.within(0.5)",
        "assert student > control",
        "assert student > 0.2",
        "assert effect.over('questions') > 0.2",
    ],
)
def test_a_verdict_supports_a_claim(test: str) -> None:
    """An interval beyond the number, a small p-value or an equivalence test supports a claim."""
    assert support(test) == "supported"


@pytest.mark.parametrize(
    "test",
    [
        "assert effect > 0.299",
        "assert effect > 0.299 and effect.p_value < 0.05",
        "assert float(effect) > 0.02",
        "assert effect.value > 0.02",
        "assert student.valid > 0.5",
        "assert student >= student",
        "pass",
    ],
)
def test_a_point_estimate_alone_does_not(test: str) -> None:
    """An assertion that passes without a verdict is held by the point estimate only."""
    assert support(test) == "held by point estimate only"


def test_a_large_p_value_supports_nothing() -> None:
    """That an effect is not significant does not support a claim of no effect."""
    same = {"student": 0.1, "control": 0.1}
    assert support("assert effect.p_value > 0.05", same) == "held by point estimate only"


@pytest.mark.parametrize(
    ("test", "expected"),
    [
        ("assert effect > 0.9", "not held"),
        ("import pytest; pytest.fail('no')", "not held"),
        ("effect.no_such_name", "error"),
        ("student - 3", "error"),
        ("effect.over('weeks')", "error"),
        ("1 / 0", "error"),
    ],
)
def test_only_a_failed_assertion_is_a_claim_that_did_not_hold(test: str, expected: str) -> None:
    """Every other exception is an error."""
    assert support(test) == expected


def test_nothing_is_recorded_outside_of_tests() -> None:
    """Comparisons between two tests count for neither."""
    recorder = EvidenceRecorder()
    assert rate(0.4, recorder) > 0.1
    recorder.start()
    assert recorder.stop() == []


TESTS = """
import pytest

def test_supported(teacher):
    '''The teacher names its animal.'''
    assert teacher.rate("horse") > 0.3

def test_point(teacher):
    '''The teacher is exactly so.'''
    assert teacher.rate("horse") > teacher.rate("horse").value - 0.001

def test_interval(teacher):
    '''The interval is above 30%.'''
    assert teacher.rate("horse").interval[0] > 0.3

@pytest.mark.parametrize("least", [0.2, 1.0])
def test_each(teacher, least):
    '''The teacher exceeds a number.'''
    assert teacher.rate("horse") > least

def test_error(teacher):
    '''There is such a thing.'''
    assert teacher.seeds.no_such_name

@pytest.mark.xfail(reason="as it is")
def test_expected(teacher):
    '''Every answer is a horse.'''
    assert teacher.rate("horse") > 1

def test_skipped(teacher):
    '''Not today.'''
    pytest.skip("no time")

def test_stopped(arms, baseline):
    '''There is no such arm.'''
    arms["".join(["no", "ne"])]
"""


def supports(file: Path) -> dict[str, str]:
    """The support of each test in a junit file."""
    return {
        str(case.get("name")): str(p.get("value"))
        for case in ET.parse(file).iter("testcase")
        for p in case.iter("property")
        if p.get("name") == "limen_support"
    }


@pytest.mark.parametrize(
    ("message", "found"),
    [
        ("assert -0.1 > 0\n  a - b 'owl' -1.2 points [-6.8, +4.4] over seeds, p = 0.47 (t): inconclusive\n    a 'owl' 2.8% [0.0%, 8.8%] over seeds (3 seeds)",
         "a - b 'owl' -1.2 points [-6.8, +4.4] over seeds, p = 0.47 (t): inconclusive"),
        ("assert 0.62 < 0.05\n +  where 0.62 = a - b 'owl' +0.1 points [-0.3, +0.5] over seeds, p = 0.62 (t): inconclusive.p_value",
         "a - b 'owl' +0.1 points [-0.3, +0.5] over seeds, p = 0.62 (t): inconclusive"),
        ("assert teacher 'owl' 80.0% [75.0%, 84.0%] > 1\n  teacher 'owl' 80.0% [75.0%, 84.0%] over questions (1 model)",
         "teacher 'owl' 80.0% [75.0%, 84.0%] over questions (1 model)"),
        ("assert [1] == [2]\n  At index 0 diff: 1 != 2", ""),
        ("", ""),
    ],
)  # fmt: skip
def test_a_finding_is_the_effect_of_a_failed_assertion(message: str, found: str) -> None:
    """As the message has it, or the p-value's; other messages have none, and other errors."""
    assert finding_of(AssertionError(message)) == found
    assert not finding_of(ValueError(message))
    assert not finding_of(None)


@pytest.mark.parametrize("options", [(), pytest.param(("-n2",), marks=pytest.mark.slow)])
def test_support_reaches_report_junit_and_terminal(
    pytester: pytest.Pytester, run: Run, options: tuple[str, ...]
) -> None:
    """With and without pytest-xdist, each test has its own support, and errors are no claims."""
    pytester.makepyfile(test_small=SPEC.format(animal="horse") + TESTS)
    result = run("--limen-report=r.md", "--junitxml=out.xml", *options)
    assert supports(pytester.path / "out.xml") == {
        "test_supported": "supported",
        "test_point": "held by point estimate only",
        "test_interval": "supported",
        "test_each[0.2]": "supported",
        "test_each[1.0]": "not held",
        "test_error": "error",
        "test_expected": "not held",
        "test_stopped": "error",
    }
    result.stdout.fnmatch_lines(
        ["claims: 3 supported, 1 held by point estimate only, 2 not held, 2 errors"]
    )
    text = (pytester.path / "r.md").read_text()
    for part in (
        "**Supported:** The teacher names its animal",
        "**Held by point estimate only:** The teacher is exactly so",
        "**Error:** There is such a thing",
        "**Not held, as expected:** Every answer is a horse (as it is). Found: teacher 'horse' ",
        "**Not tested:** Not today",
    ):
        assert part in text, part
