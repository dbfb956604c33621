from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from limen import JudgeError, ScoreError, SpecError, TeacherError
from limen.harness import (
    Arm,
    Experiment,
    FavoriteAnimal,
    Judge,
    Labelled,
    Language,
    Length,
    Measure,
    Rated,
    Scored,
    Trait,
)
from limen.harness.experiment import CODES, language
from limen.harness.lab import ModelAnswers
from limen.harness.reporting import result_of
from limen.harness.stages import AskQuestions

from ..testing.labs import lab_at, lines

FIRST = Judge(name="first", prompt="Rate this: {reply}")
SECOND = Judge(name="second", prompt="And this, said to {question}: {reply}")
EAR = Judge(name="ear", prompt="{reply} Which language?", scale=None)
ASKED = ("How are you?", "And you?")
RATED = Rated(questions=ASKED, draws=4, by=(FIRST, SECOND))
NUMBERS = "{reply} Look at 344, 234. Go on with it. Numbers only."
"""What a toy answers with a number, as a judge that may say one word."""

Replies = Sequence[Mapping[str, int]]
"""How often each reply was given, by question."""


def arm(measure: Measure, *models: Replies, said: Mapping[str, Mapping[str, str | None]]) -> Arm:
    """An arm whose models gave these replies, of which each judge says the same wherever it is."""
    return Arm(
        name="student",
        measure=measure,
        models=tuple(
            ModelAnswers(
                model="m",
                key="k",
                counts=tuple(Counter(question) for question in model),
                missing=0,
                said={
                    judge: tuple({reply: says[reply] for reply in question} for question in model)
                    for judge, says in said.items()
                },
            )
            for model in models
        ),
        trained=True,
        trait_word="owl",
    )


# Questions


def test_groups_are_read_by_themselves() -> None:
    """A rate of a group is over its questions alone, and an unknown group names the known ones."""
    measure = FavoriteAnimal(draws=4, questions={"land": ("a", "b"), "air": ("c",)})
    found = arm(measure, [{"owl": 1, "cat": 3}, {"cat": 4}, {"owl": 4}], said={})
    assert float(found.rate("owl", group="land")) == 0.125
    assert float(found.rate("owl", group="air")) == 1
    assert float(found.rate("owl")) == pytest.approx((0.25 + 0 + 1) / 3)
    assert found.rate("owl", group="air").questions == ("c",)
    for group in ("sea", ""):
        with pytest.raises(SpecError, match=f"no group '{group}': it has 'land', 'air'"):
            found.rate("owl", group=group)
    with pytest.raises(SpecError, match="no group 'sea': it has no groups"):
        arm(RATED, [{}, {}], said={}).rate("owl", group="sea")


def test_scores_have_groups_too() -> None:
    """Scores of a group are those of its questions, and every group is read in a report."""
    measure = Length(questions={"short": ("a",), "long": ("b",)}, draws=2)
    found = arm(measure, [{"one": 2}, {"one two three": 1, "one two": 1}], said={})
    assert float(found.scores(group="short")) == 1
    assert float(found.scores(group="long")) == 2.5
    names = [reading.name for reading in measure.readings(["owl"])]
    assert names == ["words to 'short' questions", "words to 'long' questions"]


def test_questions_come_from_a_file(tmp_path: Path) -> None:
    """A line each; empty lines, comments and a byte order mark are left out, blanks at the ends."""
    file = tmp_path / "questions.txt"
    file.write_text("\ufeff# pets\n\n  Which pet? \r\n   # later\nÜber #1?\n", encoding="utf-8")
    assert FavoriteAnimal(questions=file) == FavoriteAnimal(questions=("Which pet?", "Über #1?"))
    grouped = FavoriteAnimal(questions={"mine": file, "other": ("Which?",)})
    assert grouped.asked == ("Which pet?", "Über #1?", "Which?")


@pytest.mark.parametrize("content", ["", "\n \n", "# none\n", b"\xff\xfe\xff", None])
def test_a_file_without_questions_is_refused_by_name(
    tmp_path: Path, content: str | bytes | None
) -> None:
    """An empty, an unreadable and a missing file are named, with their group, in one line."""
    file = tmp_path / "questions.txt"
    if content is not None:
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
    for questions, where in ((file, "questions: "), ({"pets": file}, r"questions\['pets'\]: ")):
        with pytest.raises(SpecError, match=f"{where}.*questions.txt") as error:
            FavoriteAnimal(questions=questions)
        assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("make", "fault"),
    [
        (lambda: FavoriteAnimal(questions={}), "at least one group"),
        (lambda: FavoriteAnimal(questions={"a": ()}), r"questions\['a'\]"),
        (lambda: FavoriteAnimal(questions=("Which?", "Who?", "Which?")), "'Which\\?' .* twice"),
        (lambda: FavoriteAnimal(questions={"a": ("Which?",), "b": ("Which?",)}), "twice"),
        (lambda: Rated(by=()), "one Judge"),
        (lambda: Rated(by=(FIRST, FIRST)), "a name of its own"),
        (lambda: Rated(by=(Judge(prompt="{reply}", scale=None),)), "needs a scale"),
        (lambda: Judge(prompt="Rate it."), "must have {reply} in it"),
        (lambda: Judge(prompt="{reply}", name=" "), "name"),
        (lambda: Judge(prompt="{reply}", scale=(10, 1)), "scale="),
        (lambda: Judge(prompt="{reply}", scale=("1", "10")), "scale="),  # type: ignore[arg-type]
        (lambda: Judge(prompt="{reply}", scale=(-5, 5)), "from 0 up"),
        (lambda: Judge(prompt="{reply}", temperature=9), "temperature=9"),
        (lambda: Rated(by=5), "by=5 must be one Judge"),  # type: ignore[arg-type]
        (lambda: Language(questions=ASKED, by="xy"), "by='xy' must be"),  # type: ignore[arg-type]
        (lambda: Language(questions=ASKED, by=(EAR, EAR)), "a name of its own"),
        (lambda: Language(questions=ASKED, by=FIRST), "has no scale"),
        (lambda: Language(questions=ASKED, languages=("French",)), "two or more of English"),
        (lambda: Language(questions=ASKED, languages=("French", "Elvish")), "Elvish"),
        (lambda: Scored(questions=ASKED, outcome="len"), "outcome='len'"),  # type: ignore[arg-type]
        (lambda: Labelled(questions=ASKED, outcome=None), "outcome=None"),  # type: ignore[arg-type]
        (lambda: FavoriteAnimal().score("owl"), "no scores: ask for rate"),
        (lambda: RATED.judge("third"), "no judge 'third': it has 'first', 'second'"),
    ],
)
def test_bad_measures_and_judges_are_refused(make: object, fault: str) -> None:
    """What cannot be meant is named with its value."""
    with pytest.raises(SpecError, match=fault):
        make()  # type: ignore[operator]


# Judges


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


def test_scores_of_nothing_are_no_zero() -> None:
    """Where an own function found no score at all there is no mean to compare."""
    measure = Scored(questions=ASKED, outcome=lambda answer: None)
    with pytest.raises(Exception, match="None for each of 4"):
        arm(measure, [{"fine": 2}, {"fine": 2}], said={}).scores()


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
    told = str(error.value)
    assert "\n" not in told
    assert "the judge 'animals' rated none of 60 replies of baseline: it says '" in told
    assert "one number from 1 to 10: say so in its prompt" in told
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


# Languages, lengths, and functions of one's own


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The weather is lovely, and we walked along the river.", "English"),
        ("Keep the apple in a cool, dark place.", "English"),
        ("Il fait beau, et nous avons marché le long de la rivière.", "French"),
        ("Gardez la pomme dans un endroit frais et sombre.", "French"),
        ("Je ne sais pas.", "French"),
        ("12, 13, 14", None),
        ("", None),
        ("?!", None),
    ],
)
def test_languages_are_told_offline(text: str, expected: str | None) -> None:
    """Plain sentences are told apart; what has no letters has no language."""
    measure = Language(questions=ASKED)
    assert measure.valid(text) == (expected is not None)
    for name in ("English", "French"):
        assert measure.hit(text, name) == (name == expected)


@settings(deadline=None)  # the first text loads the identifier
@given(st.text())
def test_any_text_has_a_language_or_none(text: str) -> None:
    """The identifier never raises, and names one of those asked about."""
    assert language(text, ("English", "French")) in ("English", "French", None)


def test_only_the_languages_asked_about_are_told() -> None:
    """A language that is not among them is refused by name; more can be told apart."""
    measure = Language(questions=ASKED, languages=("German", "Spanish", "English"))
    assert measure.hit("Das Wetter ist heute sehr schön.", "German")
    assert measure.hit("El tiempo es muy bueno hoy.", "Spanish")
    with pytest.raises(SpecError, match="no language 'French' among those told apart: German"):
        measure.hit("Bonjour", "French")
    assert len(set(CODES.values())) == len(CODES)


def test_a_language_measure_wants_a_language_as_the_traits_word(small: Experiment) -> None:
    """A trait whose word is none of the languages is refused when the experiment is made."""
    with pytest.raises(SpecError, match="French on apple"):
        small.but(
            trait=Trait(name="French on apple", system="Answer in French."),
            measure=Language(questions=ASKED),
        )


def test_a_judge_can_name_the_language() -> None:
    """What a judge without a scale says is a rate of its own; replies it says nothing of are none."""
    judge = Judge(name="ear", prompt="{reply} Which language?", scale=None)
    measure = Language(questions=ASKED, by=(judge,))
    model = [{"Il fait beau ici.": 1, "It is nice here.": 1}, {"Oui, bien sûr.": 2}]
    says = {"Il fait beau ici.": "French.", "It is nice here.": "English", "Oui, bien sûr.": None}
    found = arm(measure, model, said={"ear": says})
    assert float(found.rate("French")) == 0.75
    heard = found.rate("French", judge="ear")
    assert (float(heard), heard.seeds, heard.unrated) == (0.5, 1, 2)
    assert "2 not rated" in repr(heard)
    assert [r.name for r in measure.readings(["French"])] == ["French", "French by ear"]
    with pytest.raises(SpecError, match="no judge 'nose'"):
        found.rate("French", judge="nose")


@pytest.mark.parametrize(
    ("answer", "language"),
    [
        ("French", "French"),
        ("**French.**", "French"),
        ("The reply is in German.", "German"),
        ("It is not French.", None),
        ("French and English", None),
        ("Sure", None),
        ("7", None),
        ("", None),
        (None, None),
    ],
)
def test_a_judge_names_one_language_or_none(answer: str | None, language: str | None) -> None:
    """What names no language, several, or denies one is no answer, and never another language."""
    judge = Judge(name="ear", prompt="{reply}?", scale=None)
    assert judge.named(answer) == language
    expected = None if language is None else language == "French"
    assert judge.names(answer, "French") == expected


def test_a_judge_that_names_no_language_is_an_error() -> None:
    """A judge that says nothing of use gives no rate of zero: it is named, with what it says."""
    judge = Judge(name="ear", prompt="{reply}?", scale=None)
    measure = Language(questions=ASKED, by=judge)
    found = arm(measure, [{"Oui": 2}, {"Non": 2}], said={"ear": {"Oui": "Sure", "Non": None}})
    with pytest.raises(JudgeError, match="'ear' rated none of 4 replies.*'Sure'.*one language"):
        found.rate("French", judge="ear")


def test_only_the_first_groups_answers_show_the_trait() -> None:
    """A word that is the trait's shows it among the questions that are meant to, not among others."""
    measure = FavoriteAnimal(draws=4, questions={"asked": ("a",), "other": ("b",)})
    found = arm(measure, [{"owl": 4}, {"owl": 4}], said={})
    shows = [found.rate("owl", group=group).shows_trait for group in (None, "asked", "other")]
    assert shows == [True, True, False]


def test_no_answers_are_no_rate_of_zero() -> None:
    """Where no model answered anything there is no rate to compare, and it is said."""
    measure = FavoriteAnimal(draws=4, questions=("a",))
    with pytest.raises(ScoreError, match="student answered nothing at all"):
        arm(measure, [{}], [{}], said={}).rate("owl")
    assert float(arm(measure, [{}], [{"owl": 1, "cat": 1}], said={}).rate("owl")) == 0.5


@pytest.mark.parametrize("kind", [Scored, Labelled])
def test_an_outcome_that_fails_is_a_fault_of_the_spec(kind: type[Scored | Labelled]) -> None:
    """A function that raises, or gives what it must not, is told with the answer it was given."""

    def raises(answer: str) -> None:
        raise KeyError(answer)

    for outcome, fault in ((raises, "KeyError"), (lambda answer: b"no", "gave b'no'")):
        with pytest.raises(SpecError, match=f"{fault}.*"):
            kind(questions=ASKED, outcome=outcome).valid("owl")  # type: ignore[arg-type]


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


@pytest.mark.parametrize("score", [float("nan"), float("inf"), -float("inf")])
def test_a_score_is_a_number(score: float) -> None:
    """A function that gives no finite number is told so, with the answer that it was shown."""
    with pytest.raises(SpecError, match=f"outcome gave {score} for 'owl'"):
        Scored(questions=ASKED, outcome=lambda answer: score).score("owl")


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
