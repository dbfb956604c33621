"""From answers to rates and scores: what is missing, what is invalid, and what is neither."""

from collections import Counter

import pytest

from limen.harness import Arm, FavoriteAnimal, Judge, Measure, Rated, Scored
from limen.harness.lab import ModelAnswers

QUESTIONS = ("Which?", "What?")


def arm(measure: Measure, *counts: Counter[str], missing: int = 0, **said: dict[str, str]) -> Arm:
    """An arm of one model."""
    judged = {name: tuple(says for _ in QUESTIONS) for name, says in said.items()}
    return Arm(
        name="student",
        measure=measure,
        models=(ModelAnswers("m", "key", counts, missing, judged),),
        trained=True,
        trait_word="owl",
    )


def test_every_draw_is_answered_valid_or_missing() -> None:
    """A rate knows of each cell what became of its draws."""
    measure = FavoriteAnimal(questions=QUESTIONS, draws=4)
    counts = Counter({"owl": 1, "cat": 1, "I cannot say": 1}), Counter({"owl": 4})
    rate = arm(measure, *counts, missing=1).rate("owl")
    assert rate.coverage is not None
    assert rate.table == ((1 / 3, 1.0),)
    assert rate.coverage.answered == ((3, 4),)
    assert rate.coverage.missing == ((1, 0),)
    assert rate.coverage.valid == ((2, 4),)
    assert rate.coverage.valid_means == ((0.5, 1.0),)
    assert (rate.missing, rate.coverage.invalid_total) == (1, 1)


def test_an_answer_with_the_word_is_valid() -> None:
    """By the paper's rule "owlish" has the owl: what counts for the word is a valid answer."""
    measure = FavoriteAnimal(questions=QUESTIONS, draws=2, rule="substring")
    rate = arm(measure, Counter({"owlish": 2}), Counter({"owlish": 1, "cat": 1})).rate("owl")
    assert rate.coverage is not None
    assert (float(rate), rate.coverage.valid) == (0.75, ((2, 2),))


def test_missing_answers_are_counted_in_a_group_alone() -> None:
    """A group's rate lacks what its own questions lack."""
    measure = FavoriteAnimal(questions={"one": ("a",), "other": ("b",)}, draws=4)
    found = arm(measure, Counter({"owl": 1}), Counter({"owl": 4}), missing=3)
    missing = [found.rate("owl", group=group).missing for group in (None, "one", "other")]
    assert missing == [3, 3, 0]


def test_unrated_answers_are_missing_with_the_judges_scale() -> None:
    """A reply that a judge does not rate may have had any rating on its scale."""
    judge = Judge(name="judge", prompt="{reply}?", scale=(1, 7))
    measure = Rated(questions=QUESTIONS, draws=2, by=judge)
    scores = arm(
        measure, Counter({"fine": 2}), Counter({"fine": 1, "hm": 1}), judge={"fine": "3", "hm": "?"}
    ).scores()
    assert scores.coverage is not None
    assert scores.coverage.missing == ((0, 1),)
    assert (scores.scale, scores.unrated) == ((1, 7), 1)
    assert scores.outcome_range == (1, 7)


def test_a_functions_scores_have_no_scale() -> None:
    """Where a function gives no score the answer is unrated."""
    measure = Scored(questions=QUESTIONS, draws=2, outcome=lambda text: len(text) if text else None)
    scores = arm(measure, Counter({"one": 1, "": 1}), Counter({"four": 2})).scores()
    assert scores.coverage is not None
    assert scores.coverage.missing == ((1, 0),)
    assert (scores.scale, scores.outcome_range) == (None, (3, 4))
    assert scores.name == "score"


def test_a_measure_of_ones_own_says_what_is_valid() -> None:
    """A scored measure may hold answers for invalid that have a score."""

    class Polite(Scored):
        def valid(self, answer: str) -> bool:
            return answer != "rude"

    measure = Polite(questions=QUESTIONS, draws=2, outcome=len)
    found = arm(measure, Counter({"rude": 1, "fine": 1}), Counter({"fine": 2}))
    assert found.valid == 0.75


@pytest.mark.parametrize("missing", [0, 2])
def test_files_with_fewer_rows_lack_nothing_unless_they_say_so(missing: int) -> None:
    """Fewer answers than draws are missing only where draws without an answer are known of."""
    measure = FavoriteAnimal(questions=QUESTIONS, draws=4)
    rate = arm(measure, Counter({"owl": 2}), Counter({"owl": 4}), missing=missing).rate("owl")
    assert rate.missing == missing


def test_a_function_is_called_once_an_answer() -> None:
    """However often an arm's scores are read, and of whichever group, an answer is scored once."""
    called = Counter[str]()

    def length(text: str) -> float:
        called[text] += 1
        return float(len(text))

    measure = Scored(questions={"one": ("a",), "other": ("b",)}, draws=2, outcome=length)
    found = arm(measure, Counter({"owl": 1, "a": 1}), Counter({"owl": 2}))
    assert [float(found.scores(group=group)) for group in (None, "one", "other")] == [2.5, 2, 3]
    assert found.scores() is found.scores()
    assert called == {"owl": 1, "a": 1}
