from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from limen import JudgeError, SpecError, TeacherError
from limen.harness import Experiment, Judge, Rated
from limen.harness.reporting import result_of

from ..testing.arms import arm
from ..testing.labs import lab_at, lines

FIRST = Judge(name="first", prompt="Rate this: {reply}")
SECOND = Judge(name="second", prompt="And this, said to {question}: {reply}")
ASKED = ("How are you?", "And you?")
RATED = Rated(questions=ASKED, draws=4, by=(FIRST, SECOND))
NUMBERS = "{reply} Look at 344, 234. Go on with it. Numbers only."
"""What a toy answers with a number, as a judge that may say one word."""


@pytest.mark.parametrize(
    ("answer", "rating"),
    [
        ("7", 7), ("7.", 7), (" 7\n", 7), ("Rating: 7", 7), ("rating 7", 7), ("7/10", 7),
        ("7 / 10", 7), ("7 out of 10", 7), ("7.5", 7.5), ("**7**", 7), ("(7)", 7), ('"7"', 7),
        ("The rating is 7.", 7), ("My score: 7 out of 10", 7), ("score=7", 7), ("10", 10),
        ("1", 1), ("a 7", 7), ("10/10", 10), ("07", 7), ("The answer is: 7", 7),
        ("", None), (None, None), ("seven", None), ("0", None), ("11", None), ("7/100", None),
        ("between 6 and 7", None), ("6-7", None), ("7 8", None), ("7, I think", None), ("-7", None),
        (".7", None), ("0.7", None), ("7,5", None), ("<7", None), ("70%", None), ("1e1", None),
        ("I cannot rate this.", None), ("nan", None), ("9" * 5000, None), ("7/" + "1" * 5000, None),
    ],
)  # fmt: skip
def test_a_rating_is_one_number_on_the_scale(answer: str | None, rating: float | None) -> None:
    """What is plainly one rating is one; what could be another, or none, is not made into one."""
    assert Judge(prompt="{reply}").rating(answer) == rating


@given(st.text() | st.text("0123456789./ -\n*:ratingscoe", max_size=60), st.integers(0, 9))
def test_a_judges_answer_never_raises(answer: str, low: int) -> None:
    """Any answer is a rating on the scale, or none."""
    found = Judge(prompt="{reply}", scale=(low, 10)).rating(answer)
    assert found is None or low <= found <= 10
    assert Judge(prompt="{reply}", scale=None).rating(answer) is None


@pytest.mark.parametrize("filler", [" ", "\n", "the ", "rating ", "*", "7", "7 ", "/ ", "is "])
def test_a_long_answer_takes_no_time(filler: str) -> None:
    """A judge that repeats itself without end is read in no more time than it takes to see it."""
    assert Judge(prompt="{reply}").rating(filler * 20_000 + "x") is None


def test_ratings_count_as_often_as_the_reply_was_given() -> None:
    """A reply is rated once, and weighs as much as it was said; what is not rated is counted."""
    says = {"fine": "8", "ok": "2", "hm": "no idea"}
    model = [{"fine": 3, "ok": 1}, {"ok": 2, "hm": 2}]
    scores = arm(RATED, model, said={"first": says, "second": says}).scores()
    assert scores.by_question == {ASKED[0]: 6.5, ASKED[1]: 2}
    assert float(scores) == 4.25
    assert scores.pooled == (2, 8, 8, 8, 2, 2)
    assert scores.unrated == 2
    assert "2 not rated" in repr(scores)
    assert scores.what == "first"


def test_a_second_judge_has_scores_of_its_own() -> None:
    """Scores are the first judge's unless another is named; two judges' have no difference."""
    said = {"first": {"fine": "8"}, "second": {"fine": "3"}}
    found = arm(RATED, [{"fine": 1}, {"fine": 1}], said=said)
    assert (float(found.scores()), float(found.scores("second"))) == (8, 3)
    with pytest.raises(SpecError, match="second and first have no difference"):
        _ = found.scores("second") - found.scores()


def test_agreement_weighs_replies_by_how_often_they_were_given() -> None:
    """Agreement is over replies that both rated; without spread there is no correlation."""
    first = {"a": "2", "b": "5", "c": "9", "d": "well"}
    second = {"a": "3", "b": "9", "c": "10", "d": "4"}
    found = arm(
        RATED, [{"a": 2, "b": 1}, {"c": 1, "d": 9}], said={"first": first, "second": second}
    )
    agreement = found.agreement()
    assert (agreement.replies, agreement.within_one) == (4, 0.75)
    assert agreement.spearman == pytest.approx(1)
    assert "first and second on 4 replies" in repr(agreement)
    same = dict.fromkeys(first, "4")
    flat = arm(RATED, [{"a": 2}, {"c": 1}], said={"first": first, "second": same}).agreement()
    assert flat.spearman is None
    assert "no spread" in repr(flat)
    with pytest.raises(SpecError, match="two judges"):
        arm(Rated(questions=ASKED, by=(FIRST,)), [{}, {}], said={}).agreement()


def test_a_model_that_was_not_rated_is_no_zero() -> None:
    """A seed whose replies a judge rated none of is left out, and not a score of nothing."""
    says = {"fine": "8", "ruined": "?"}
    scores = arm(
        Rated(questions=ASKED, by=(FIRST,)),
        *[[{"fine": 2}, {"fine": 2}]] * 2,
        [{"ruined": 2}, {"ruined": 2}],
        said={"first": says},
    ).scores()
    assert float(scores) == 8
    assert (scores.seeds, scores.unrated) == (2, 4)


@pytest.fixture
def judged(small: Experiment) -> Experiment:
    """An experiment with two judges: one mostly says numbers, and one never does."""
    judges = (
        Judge(name="numbers", prompt=NUMBERS, scale=(0, 999), max_tokens=1),
        Judge(name="animals", prompt="{reply} Name your favorite animal in one word."),
    )
    return small.but(measure=Rated(questions=ASKED, draws=30, by=judges), gate=None)


def test_what_judges_say_is_kept_with_the_prompt(shared_store: Path, judged: Experiment) -> None:
    """Every distinct reply is asked about once, and the scores are what stands in the store."""
    lab = lab_at(shared_store)
    scores = lab.arm(judged, "baseline").scores("numbers")
    (asked,) = lab.pipeline(judged).arms["baseline"]
    stage = asked.judged[0]
    rows = lines(lab.store.artifact(stage.kind, stage.key) / "ratings.jsonl")
    manifest = lab.store.manifest(stage.kind, stage.key) or {}
    assert manifest["prompt"] == NUMBERS
    answers = lines(lab.store.artifact("measure", asked.answers.key) / "answers.jsonl")
    distinct = {(answer["row"], answer["text"]) for answer in answers}
    assert len(rows) == len(distinct) < len(answers) == 60
    assert [row["prompt"] for row in rows] == [
        NUMBERS.replace("{reply}", reply) for _, reply in sorted(distinct)
    ]
    said = dict(zip(sorted(distinct), (row["text"] for row in rows), strict=True))
    given = [said[answer["row"], answer["text"]] for answer in answers]
    assert sorted(scores.pooled) == sorted(float(text) for text in given if text.isdecimal())
    assert scores.unrated == sum(not text.isdecimal() for text in given)


def test_a_judge_that_never_rates_is_one_message(shared_store: Path, judged: Experiment) -> None:
    """It is named with what it says and what to do; other judges' scores are in the report."""
    lab = lab_at(shared_store)
    baseline = lab.arm(judged, "baseline")
    with pytest.raises(JudgeError) as error:
        baseline.scores("animals")
    message = str(error.value)
    assert "\n" not in message
    assert "the judge 'animals' rated none of 60 replies of baseline: it says '" in message
    assert "one number from 1 to 10: say so in its prompt" in message
    result = result_of(lab, "test", judged, ["baseline"])
    assert [reading.name for reading in result.readings] == ["numbers"]
    (row,) = result.readings[0].arms
    assert row.unrated == baseline.scores("numbers").unrated
    assert "rated none of 60" in result.failure
    assert (result.judges[0].name, result.judges[0].prompt) == ("numbers", NUMBERS)


def test_a_gate_without_ratings_stays_shut(shared_store: Path, judged: Experiment) -> None:
    """Where the judge rates nothing the teacher is not known to have the trait."""
    mute = judged.but(measure=Rated(questions=ASKED, draws=5, by=judged.measure.judges[1:]), gate=1)
    with pytest.raises(TeacherError, match="could not be measured: the judge 'animals' rated none"):
        lab_at(shared_store).arm(mute, "student")


def test_braces_in_a_reply_are_left_as_they_are() -> None:
    """A reply that looks like a template is shown as it was said."""
    from limen.harness.stages import filled_prompt

    assert filled_prompt("Q {question} R {reply}", "a {reply}?", "{question}") == (
        "Q a {reply}? R {question}"
    )
    assert filled_prompt("{reply} to {question}", "why", "{}") == "{} to why"
