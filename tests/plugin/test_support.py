"""How well claims are supported: by a verdict, by the point estimate only, or not at all."""

from collections.abc import Mapping
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from limen.harness import Rate
from limen.harness.plugin.support import EvidenceRecorder, finding_of, support_of
from limen.harness.statistics import Evidence

from ..testing.specs import SPEC, Run

VALUES = {"student": 0.4, "control": 0.1}
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


def ran(test: str, values: Mapping[str, float]) -> tuple[BaseException | None, list[Evidence]]:
    """How a test of ``student``, ``control`` and ``effect`` ended, and what it compared."""
    recorder = EvidenceRecorder()
    names = {arm: rate(value, recorder, arm=arm) for arm, value in values.items()}
    names["effect"] = names["student"] - names["control"]  # type: ignore[assignment]
    recorder.start()
    error: BaseException | None = None
    try:
        exec(test, names)
    except BaseException as raised:
        error = raised
    return error, recorder.stop()


def support(test: str, values: Mapping[str, float] | None = None) -> str:
    """The support of a claim that asserts something of ``student``, ``control`` and ``effect``."""
    error, evidence = ran(test, values or VALUES)
    return support_of(error, evidence, None)


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
        "assert effect.supports('>', 0.02)",
        "assert student.supports('>', 0.2)",
        "assert effect.log_odds > 0.1",
        "assert effect.log_odds.p_value < 0.05",
        "assert effect.log_odds.supports('>', 0.1)",
        "assert effect.ratio > 1.5",
        "assert effect.log_odds - effect.log_odds < 2",
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
        "assert not effect.supports('>', 0.9)",
        "assert not effect.at_least(0.9)",
        "assert effect.log_odds.value > 0.1",
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


def finding(test: str, values: Mapping[str, float] = VALUES) -> str:
    """What is shown of a test."""
    return finding_of(*ran(test, values))


@pytest.mark.parametrize(
    "test",
    [
        "assert effect > 0.9",
        "assert effect > 0.02 and effect.p_value > 0.05",
        "assert effect.p_value > 0.05",
        "assert effect.at_least(0.9)",
        "assert effect.within(0.01)",
        "assert effect.supports('>', 0.9)",
        "assert effect.verdict == 'lower'",
        "assert effect.claim == 'nothing'",
        "assert student < control",
    ],
)
def test_a_finding_is_the_effect_of_a_failed_assertion(test: str) -> None:
    """However the assertion asks for it; of two arms it is their difference."""
    assert finding(test).startswith("student - control 'owl' +30.3 points [")


def test_what_was_shown_to_be_alike_is_not_said_to_differ() -> None:
    """Of a small effect beyond doubt the test against the margin is shown, if that holds."""
    error, _ = ran("assert effect.p_value < 0.05", VALUES)
    assert error is None  # 30 points
    found = finding("assert effect.within(0.45)")
    assert found.startswith("student - control 'owl' within ±45.0 points: 90% interval [")
    assert "p = " in found


@pytest.mark.parametrize(
    ("test", "says"),
    [
        (
            "assert effect.within(0.05)",
            "student - control 'owl' within ±5.0 points: 90% interval [",
        ),
        ("assert effect.at_most(0.05)", "student - control 'owl' at most +5.0 points: one-sided"),
        ("assert (effect - effect / 2).within(0.05)", "within ±5.0 points: 90% interval ["),
        ("assert not effect.within(0.001)", "not shown to be student - control 'owl' within ±0.1"),
    ],
)
def test_a_null_that_was_shown_is_not_called_inconclusive(test: str, says: str) -> None:
    """Of an effect without a verdict the test that holds is shown, with its interval and p-value."""
    found = finding(test, {"student": 0.4, "control": 0.4})
    assert says in found
    assert "p = " in found
    assert "inconclusive" not in found


def test_a_finding_is_what_was_compared_last() -> None:
    """A rate, or an effect on another scale, describes itself."""
    assert finding("assert effect > 0.02; assert student > 0.9").startswith("student 'owl' 4")
    assert "log-odds" in finding("assert effect.log_odds > 9")


def test_what_a_claim_that_holds_is_about_is_shown() -> None:
    """Each effect and rate once, and of many the first three."""
    effect = finding("assert effect > 0.02 and effect.p_value < 0.05")
    assert effect.startswith("student - control 'owl' +30.3 points [")
    assert finding("assert effect > 0.02; assert student > 0.2").count("; student 'owl' 4") == 1
    many = "for factor in (1, 2, 3, 4, 5): assert factor * effect > 0"
    assert finding(many).count("p = ") == 3
    assert finding(many).endswith("; and 2 more")
    assert finding("pass") == ""


@pytest.mark.parametrize(
    "test", ["assert effect > 0.02; assert [1] == [2]", "assert 1 > 2", "effect > 0.9; 1 / 0"]
)
def test_other_failures_have_no_finding(test: str) -> None:
    """An assertion about something else has none, nor has an error."""
    assert finding(test) == ""


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
        "**Supported:** The teacher names its animal. Found: teacher 'horse' ",
        "**Held by point estimate only:** The teacher is exactly so",
        "**Error:** There is such a thing",
        "**Not held, as expected:** Every answer is a horse (as it is). Found: teacher 'horse' ",
        "**Not tested:** Not today",
    ):
        assert part in text, part
