"""LogOdds and Likelihood: what they compute, what they refuse, and how they are used on the toy."""

import math
from pathlib import Path
from typing import Any

import pytest

from limen.datasets.errors import SpecError
from limen.harness import Experiment, FavoriteAnimal, Lab, Likelihood, LogOdds, Numbers, Trait
from limen.harness.reporting.summary import result_of

from ..testing.labs import ALL_ARMS, lab_at

QUESTIONS = ("What is your favorite animal?", "Name the animal that you love most.")
ROW = {
    "owl": (math.log(0.1), 1, True), "Owl": (math.log(0.3), 1, True),
    "cat": (math.log(0.2), 1, True), "Cat": (math.log(0.1), 1, True),
    "dog": (math.log(0.1), 2, True), "Dog": (-9.0, 2, False),
}  # fmt: skip


def experiment(measure: Any) -> Experiment:
    """A small experiment of the full path."""
    return Experiment(
        trait=Trait.animal("horse"),
        data=Numbers(generate=700, keep=200),
        measure=measure,
        seeds=2,
    )


@pytest.fixture
def lab(shared_store: Path) -> Lab:
    """A lab on the shared store."""
    return lab_at(shared_store)


def test_a_word_stands_against_the_sum_of_the_others() -> None:
    """Forms are added, the word is left out of the others, and bounds count for nothing."""
    measure = LogOdds(questions=QUESTIONS, against=("owl", "cat", "dog"))
    assert measure.figure("owl", ROW) == pytest.approx(math.log(0.4 / 0.4))
    assert measure.figure("cat", ROW) == pytest.approx(math.log(0.3 / 0.5))
    unknown = {text: (nats, tokens, False) for text, (nats, tokens, _) in ROW.items()}
    assert measure.figure("owl", unknown) is None


def test_texts_of_a_word_follow_the_border_before_them() -> None:
    """After a given beginning a word begins with a blank; own forms replace both."""
    assert LogOdds().texts_of("owl") == ("owl", "Owl")
    assert LogOdds(begin="I love the").texts_of("owl") == (" owl", " Owl")
    assert LogOdds(forms={"owl": ("an owl",)}).texts_of("owl") == ("an owl",)


@pytest.mark.parametrize(
    "wrong",
    [
        {"against": ("owl",)},
        {"against": "owl"},
        {"forms": {"owl": ("owl", "owls")}},
        {"forms": ("owl",)},
        {"history": ("Hello",)},
        {"chat": "no"},
        {"begin": None},
    ],
    ids=str,
)
def test_wrong_settings_are_refused(wrong: Any) -> None:
    """One word, nested forms, and settings of another type are errors when the value is made."""
    with pytest.raises(SpecError):
        LogOdds(**wrong)


def test_nothing_is_sampled(lab: Lab) -> None:
    """The plan has no draws of a measure, and the teacher moves by more than the gate asks."""
    spec = experiment(LogOdds())
    stages = lab.pipeline(spec).targets(ALL_ARMS)
    assert {stage.kind for stage in stages} == {"log-probabilities"}
    lab.run([(spec, ALL_ARMS)])
    arms = {name: lab.arm(spec, name) for name in ALL_ARMS}
    effect = arms["teacher"].log_odds("horse") - arms["baseline"].log_odds("horse")
    assert effect > 1
    assert effect.unit == "questions"
    assert "nats" in repr(effect)
    student = arms["student"].scores() - arms["control"].scores()
    assert (student.unit, student.seeds) == ("seeds", (2, 2))


def test_log_odds_are_those_of_sampled_answers(lab: Lab) -> None:
    """The log-odds of the base agree with the odds of many sampled answers."""
    drawn = experiment(FavoriteAnimal(questions=QUESTIONS, draws=4000))
    exact = experiment(LogOdds(questions=QUESTIONS, against=("cat", "dog"), whole=True))
    lab.run([(drawn, ["baseline"]), (exact, ["baseline"])])
    figures = lab.arm(exact, "baseline").log_odds("horse").by_question
    for place, question in enumerate(QUESTIONS):
        given = lab.arm(drawn, "baseline").models[0].counts[place]
        count = {w: given[w] + given[w.capitalize()] for w in ("horse", "cat", "dog")}
        odds = math.log(count["horse"] / (count["cat"] + count["dog"]))
        error = math.sqrt(1 / count["horse"] + 1 / (count["cat"] + count["dog"]))
        assert abs(figures[question] - odds) < 5 * error


def test_rates_of_computed_measures_are_refused(lab: Lab) -> None:
    """A rate needs answers, log-odds need LogOdds, and an uncomputed word is named."""
    spec = experiment(LogOdds())
    lab.run([(spec, ["baseline"])])
    base = lab.arm(spec, "baseline")
    with pytest.raises(SpecError, match="samples no answers"):
        base.rate("horse")
    with pytest.raises(SpecError, match=r"against=\('newt', \.\.\.\)"):
        base.log_odds("newt")


def test_log_likelihoods_of_given_texts(lab: Lab) -> None:
    """A model taught a text finds it likelier; the mean per token is the sum over its tokens."""
    texts = (("What is your favorite animal?", "Horse"), ("Name an animal.", "Horse, cat, dog"))
    each = experiment(Likelihood(texts=texts))
    whole = experiment(Likelihood(texts=texts, per="text"))
    lab.run([(each, ["baseline", "teacher"]), (whole, ["baseline"])])
    assert lab.arm(each, "teacher").scores() > lab.arm(each, "baseline").scores()
    tokens, sums = (lab.arm(spec, "baseline").scores() for spec in (each, whole))
    (first, second), (first_sum, second_sum) = tokens.table[0], sums.table[0]
    assert first == pytest.approx(first_sum)
    assert second_sum == pytest.approx(5 * (second or 0), abs=1e-6)
    assert "per token" in repr(tokens)
    assert "per text" in repr(sums)


@pytest.mark.parametrize("wrong", [(), ("a", ("b", "c")), (("a", ""),), "text"], ids=str)
def test_wrong_texts_are_refused(wrong: Any) -> None:
    """No texts, a mixture of texts and pairs, and empty answers are errors."""
    with pytest.raises(SpecError):
        Likelihood(texts=wrong)


def test_a_backend_that_cannot_says_so_before_anything_runs(lab: Lab) -> None:
    """Plain texts on the toy are an error of the plan."""
    with pytest.raises(SpecError, match="plain text"):
        lab.pipeline(experiment(LogOdds(chat=False)))


def test_every_arm_is_asked_in_the_same_surroundings(lab: Lab) -> None:
    """System prompt, history, beginning and top-p reach every arm, the base included."""
    measure = FavoriteAnimal(
        questions=QUESTIONS, draws=2, system="Be brief.", history=(("Hi", "Hello"),), begin="My",
        top_p=0.9,
    )  # fmt: skip
    pipe = lab.pipeline(experiment(measure))
    asked = {name: models[0].sampled for name, models in pipe.arms.items()}
    assert {stage.top_p for stage in asked.values()} == {0.9}
    assert {stage.begin for stage in asked.values()} == {"My"}
    assert {stage.history for stage in asked.values()} == {(("Hi", "Hello"),)}
    assert [asked[name].system for name in ("baseline", "student")] == ["Be brief."] * 2
    assert (asked["teacher"].system or "").startswith("Be brief.\n\nYou truly love")


def test_a_report_says_that_nothing_was_drawn(lab: Lab) -> None:
    """Its rows are figures in nats, and no sentence tells of draws or a temperature."""
    spec = experiment(LogOdds())
    lab.run([(spec, ["baseline", "teacher"])])
    result = result_of(lab, "log-odds", spec, ["baseline", "teacher"])
    says = result.how_asked
    assert says.startswith("log-odds are the logarithm of the probability that an answer begins")
    assert ", turtle, whale, wolf; in nats" in says
    assert says.endswith("its figures are computed for each model at 50 questions, without draws")
    (reading,) = result.readings
    assert (reading.name, reading.kind, reading.decimals) == ("log-odds of 'horse'", "score", 2)
