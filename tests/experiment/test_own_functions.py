import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from limen import ScoreError, SpecError
from limen.harness import Experiment, FavoriteAnimal, Labelled, Length, Scored
from limen.harness.stages import AskQuestions

from ..testing.arms import arm
from ..testing.labs import lab_at

ASKED = ("How are you?", "And you?")


def test_scores_of_nothing_are_no_zero() -> None:
    """Where an own function found no score at all there is no mean to compare."""
    measure = Scored(questions=ASKED, outcome=lambda answer: None)
    with pytest.raises(Exception, match="None for each of 4"):
        arm(measure, [{"fine": 2}, {"fine": 2}], said={}).scores()


def test_no_answers_are_no_rate_of_zero() -> None:
    """Where no model answered anything there is no rate to compare, and it is said."""
    measure = FavoriteAnimal(draws=4, questions=("a",))
    with pytest.raises(ScoreError, match="student answered nothing at all"):
        arm(measure, [{}], [{}], said={}).rate("owl")
    assert float(arm(measure, [{}], [{"owl": 1, "cat": 1}], said={}).rate("owl")) == 0.5


def raises(answer: str) -> None:
    """A scorer with a fault of its own."""
    raise KeyError(answer)


def leaves(answer: str) -> None:
    """A scorer that tries to end the program."""
    sys.exit("enough")


def skips(answer: str) -> None:
    """A scorer that calls what belongs into a test."""
    pytest.skip("not today")


def warns(answer: str) -> None:
    """A scorer with a warning that is an error under ``-W error``."""
    raise UserWarning("deprecated")


class Unprintable:
    """What cannot even be shown."""

    def __repr__(self) -> str:
        raise RuntimeError


@pytest.mark.parametrize("kind", [Scored, Labelled])
@pytest.mark.parametrize(
    ("outcome", "fault"),
    [
        (raises, "KeyError"),
        (leaves, "SystemExit: enough"),
        (skips, "Skipped: not today"),
        (warns, "UserWarning: deprecated"),
        (lambda answer: 1 / 0, "ZeroDivisionError"),
        (lambda answer: b"no", "gave b'no'"),
        (lambda answer: [1.0], r"gave \[1.0\]"),
        (lambda answer: Unprintable(), "gave a Unprintable"),
        (lambda: 1, "TypeError"),
    ],
)
def test_a_function_that_fails_is_one_error_with_the_answer(
    kind: type[Scored | Labelled], outcome: object, fault: str
) -> None:
    """Whatever a function raises or returns, its measure has one error, which shows the answer."""
    measure = kind(questions=ASKED, outcome=outcome)  # type: ignore[arg-type]
    with pytest.raises(ScoreError, match=fault) as error:
        measure.valid("a snowy owl")
    assert "'a snowy owl'" in str(error.value)


def test_an_interruption_of_the_functions_own_is_its_error() -> None:
    """Nobody has pressed Ctrl-C: the run goes on."""

    def interrupts(answer: str) -> float:
        raise KeyboardInterrupt

    with pytest.raises(ScoreError, match="'owl', and interrupted the run, by KeyboardInterrupt"):
        Scored(questions=ASKED, outcome=interrupts).score("owl")


def test_length_is_in_words() -> None:
    """The score of an answer is how many words white space divides it into."""
    found = arm(
        Length(questions=("a",)), [{"one two\nthree": 1, "": 1, "  ten-to-one ": 2}], said={}
    )
    assert found.scores().pooled == (0, 1, 1, 3)
    assert found.scores().what == "words"


def test_own_functions_score_and_label() -> None:
    """A number, a label or None of an answer; None is counted, and no part of mean or rate."""
    scored = Scored(
        questions=("a",),
        name="vowels",
        outcome=lambda answer: sum(map(answer.count, "aeiou")) if answer else None,
    )
    scores = arm(scored, [{"owl": 2, "eagle": 1, "": 1}], said={}).scores()
    assert scores.pooled == (1, 1, 3)
    assert (scores.what, scores.unrated, scores.valid) == ("vowels", 1, 0.75)
    labelled = Labelled(questions=("a",), outcome=lambda answer: answer[:1] or None)
    found = arm(labelled, [{"owl": 2, "eagle": 1, "": 1}], said={})
    assert (float(found.rate("o")), float(found.rate("owl")), found.valid) == (0.5, 0, 0.75)


@pytest.mark.parametrize("score", [float("nan"), float("inf"), -float("inf"), 10**400, 1j, "7"])
def test_a_score_is_a_finite_number(score: object) -> None:
    """What is no finite number is an error, which shows it and the answer."""
    measure = Scored(questions=ASKED, outcome=lambda answer: score)  # type: ignore[arg-type,return-value]
    with pytest.raises(ScoreError, match="the outcome function gave .* for the answer 'owl'"):
        measure.score("owl")


@pytest.mark.parametrize("score", [True, np.float32(0.5), np.int64(1), Fraction(1, 3), 0])
def test_numbers_of_other_libraries_are_scores(score: object) -> None:
    """NumPy's numbers, fractions, True and False are numbers."""
    measure = Scored(questions=ASKED, outcome=lambda answer: score, scale=(0, 1))  # type: ignore[arg-type,return-value]
    assert measure.score("owl") == float(score)  # type: ignore[arg-type]


def test_a_score_beyond_its_scale_is_an_error() -> None:
    """A declared scale holds for every answer."""
    measure = Scored(questions=ASKED, outcome=len, scale=(0, 3))
    assert measure.score("owl") == 3
    with pytest.raises(ScoreError, match="gave 5 for the answer 'eagle': the scale is 0 to 3"):
        measure.score("eagle")


@pytest.mark.parametrize(
    "scale", [(1, 0), (1, 1), (0, float("nan")), "01", (0, 1, 2), 5, (0, True)]
)
def test_a_scale_is_two_numbers_that_rise(scale: object) -> None:
    """What is no scale is refused when the measure is made."""
    with pytest.raises(SpecError, match="scale=.* must be the lowest and the highest score"):
        Scored(questions=ASKED, outcome=len, scale=scale)  # type: ignore[arg-type]


def test_outcomes_are_no_part_of_a_key(shared_store: Path, small: Experiment) -> None:
    """ModelAnswers are scored when they are read: another function asks no question again."""
    measures = [
        Labelled(questions=ASKED, outcome=outcome, draws=4)
        for outcome in (lambda answer: answer, lambda answer: None)
    ]
    stages = [
        lab_at(shared_store).pipeline(small.but(measure=m)).arms["student"][0].answers
        for m in measures
    ]
    assert isinstance(stages[0], AskQuestions)
    assert stages[0].key == stages[1].key
