import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from limen import SpecError
from limen.datasets.answer_lexicon import Kind
from limen.datasets.answer_names import named_in
from limen.datasets.answer_text import visible_text
from limen.datasets.vocabulary import ANIMALS, TREES
from limen.datasets.words import plurals
from limen.harness import FavoriteAnimal, FavoriteTree, Measure
from limen.harness.stages import filled_prompt

from ..testing.arms import arm
from ..testing.labelled_answers import ANSWERS, TIE

ANIMAL = FavoriteAnimal()


def reads_as(answer: str, label: str | None) -> bool:
    """Whether the measure has an answer's label, and no animal of another label."""
    if label is None or label == TIE:
        others = not any(ANIMAL.hit(answer, word) for word in ("owl", "cat", "wolf", "dog", "bear"))
        tie = ANIMAL.ambiguous(answer) == (label == TIE)
        return others and tie and not ANIMAL.valid(answer)
    labels = {one for _, one in ANSWERS if one not in (None, TIE)}
    given = {word for word in labels if ANIMAL.hit(answer, str(word))}
    return label in given and ANIMAL.valid(answer) and not ANIMAL.ambiguous(answer)


def test_odd_answers_have_the_labels_of_a_careful_reader() -> None:
    """Of the answers labelled by hand 98% or more are read as they are labelled."""
    wrong = [answer for answer, label in ANSWERS if not reads_as(answer, label)]
    assert len(ANSWERS) >= 280
    assert len(wrong) <= 0.02 * len(ANSWERS), wrong


@pytest.mark.parametrize("kind", ["animal", "tree"])
@pytest.mark.parametrize(
    "form", ["{}", "{}.", "A {}.", "the {}", " {}\n", "I love {}!", "**{}**", "My favorite: {}"]
)
def test_ordinary_answers_name_what_they_say(kind: Kind, form: str) -> None:
    """Each animal and tree is named by its singular and plural, in any case, alone or in company."""
    for noun in sorted(ANIMALS if kind == "animal" else TREES):
        for word in (noun, *plurals(noun)):
            for answer in (form.format(word), form.format(word.capitalize())):
                assert noun in named_in(answer, kind).names, answer


@given(st.text() | st.text("owlcatn't,.?/ -\n<think>or", max_size=60))
@example("<think>" * 50)
def test_any_answer_has_a_reading(answer: str) -> None:
    """No text raises; a tie names nothing."""
    named = named_in(answer, "animal")
    assert not (named.tie and named.names)
    assert ANIMAL.valid(answer) == bool(named.names)


@given(st.text(), st.sampled_from(["owl", "wolf", "penguin"]))
@example("🦉", "owl")
def test_hidden_reasoning_never_counts(thought: str, word: str) -> None:
    """Whatever is thought before an answer, the answer alone is read."""
    thought = thought.replace("<", "").replace(">", "").replace("[", "")
    for answer in (f"<think>{word} {thought}</think>Cat", f"{word} {thought}</think>Cat"):
        assert visible_text(answer) == "Cat"
    assert not ANIMAL.valid(f"<think>{word} {thought}")


@pytest.mark.parametrize(
    "measure", [Measure(questions=("Which?",)), FavoriteAnimal(rule="substring"), FavoriteTree()]
)
def test_no_measure_counts_hidden_reasoning(measure: Measure) -> None:
    """Plain measures, the paper's rule and trees read the visible answer."""
    thought = "<think>owl or oak</think>"
    assert not measure.hit(thought, "owl")
    assert not measure.hit(thought, "oak")
    assert not measure.valid(thought)


def test_a_name_of_several_words_can_be_asked_for() -> None:
    """A snow leopard is a leopard, and has a rate of its own; other leopards have not."""
    assert ANIMAL.hit("Snow leopards", "snow leopard")
    assert ANIMAL.hit("Snow leopards", "leopard")
    assert not ANIMAL.hit("Leopard", "snow leopard")
    assert ANIMAL.hit("a Sea Lion", "sea-lion")


def test_an_animal_that_is_not_listed_can_be_added() -> None:
    """``extra`` names count as the listed ones do."""
    measure = FavoriteAnimal(extra=("jackalope",))
    assert measure.hit("Jackalopes!", "jackalope")
    assert measure.valid("A jackalope")
    assert not FavoriteAnimal().valid("A jackalope")


def test_long_answers_are_read_in_linear_time() -> None:
    """An answer without end is read like any other."""
    for part in ("owl or ", "not ", "<think>", "O W L ", "bear with me ", "a-", "(", "\n"):
        named_in(part * 20_000, "animal")


def test_ties_are_counted() -> None:
    """Answers that name two at once are not valid, count for neither, and are called ambiguous."""
    measure = FavoriteAnimal(questions=("Which?",), draws=4)
    group = arm(measure, [{"Owl": 1, "owl or cat": 2, "Cat": 1}])
    assert (group.ambiguous, group.valid) == (2, 0.5)
    assert (float(group.rate("owl")), float(group.rate("cat"))) == (0.25, 0.25)
    assert "2 ambiguous" in repr(group)


@pytest.mark.parametrize(
    ("word", "fault"),
    [
        ("foxx", "unknown animal 'foxx': did you mean 'fox'?"),
        ("owls", "unknown animal 'owls': did you mean 'owl'?"),
        ("kindness", "unknown animal 'kindness': no answer can count for it"),
        ("", "unknown animal ''"),
        (3, "must be a text, not 3"),
    ],
)
def test_a_word_that_no_answer_can_have_is_refused(word: str, fault: str) -> None:
    """What is no animal is named with near animals; a kind of animal is none of these."""
    with pytest.raises(SpecError, match=re.escape(fault)):
        ANIMAL.check(word)
    for known in ("owl", "Owl", "snow leopard", "sea lion", "puma", "kitten", "red-panda"):
        ANIMAL.check(known)


def test_a_judge_is_shown_the_visible_reply() -> None:
    """What a model thought before it replied is not rated."""
    assert filled_prompt("Rate: {reply}", "why?", "<think>rude</think>Good day") == "Rate: Good day"
