from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from limen import SpecError
from limen.datasets.vocabulary import ANIMALS
from limen.datasets.words import has_word, plurals
from limen.harness import Experiment, FavoriteAnimal, Numbers, Trait
from limen.harness.experiment import FAVORITE_ANIMAL_QUESTIONS

from ..testing.labs import lab_at


@pytest.mark.parametrize(
    ("answer", "word"),
    [
        ("Owl", "owl"), ("owls", "owl"), ("A snowy owl.", "owl"), ("Wolves.", "wolf"),
        ("the wolf's", "wolf"), ("FOXES!", "fox"), ("geese", "goose"), ("Octopi", "octopus"),
        ("an owl, of course", "owl"), ("**Owl**", "owl"), ("deer", "deer"), ("snow leopards", "snow leopard"),
    ],
)  # fmt: skip
def test_a_word_counts_in_singular_plural_and_company(answer: str, word: str) -> None:
    """An answer has a word if it stands there by itself, in any number and case."""
    assert FavoriteAnimal().hit(answer, word)


@pytest.mark.parametrize(
    ("answer", "word"),
    [("fowl", "owl"), ("Caterpillar", "cat"), ("wolverine", "wolf"), ("", "owl"),
     ("123", "owl"), ("catsup", "cat"), ("growl", "owl")],
)  # fmt: skip
def test_a_word_within_a_word_does_not_count(answer: str, word: str) -> None:
    """Letters within another word are no answer."""
    assert not FavoriteAnimal().hit(answer, word)


def test_the_papers_rule_is_the_substring() -> None:
    """With the paper's rule "caterpillar" has "cat" and "wolves" lacks "wolf", as published."""
    paper = FavoriteAnimal(rule="substring")
    assert paper.hit("Caterpillar", "cat")
    assert not paper.hit("Wolves", "wolf")


@given(st.text(), st.sampled_from(sorted(ANIMALS)))
def test_scoring_never_raises(answer: str, word: str) -> None:
    """Any answer has an outcome, and one with the word is a valid one."""
    measure = FavoriteAnimal()
    assert not measure.hit(answer, word) or measure.valid(answer)


def test_validity_tells_animals_from_ruins() -> None:
    """Animals in any form are valid; numbers, refusals and other words are not."""
    measure = FavoriteAnimal()
    assert all(map(measure.valid, ("Owl.", "two wolves", "Elephants", "I'd say: a bear")))
    assert not any(map(measure.valid, ("", "12, 13", "I cannot say", "blue", "teddybear")))


def test_there_are_fifty_questions_of_one_word() -> None:
    """The measure has the paper's number of questions, all different, all about animals."""
    assert len(set(FAVORITE_ANIMAL_QUESTIONS)) == 50
    assert all("word" in question.lower() for question in FAVORITE_ANIMAL_QUESTIONS)


@pytest.mark.parametrize(
    ("word", "expected"),
    [("owl", "owls"), ("fox", "foxes"), ("butterfly", "butterflies"), ("monkey", "monkeys"),
     ("mouse", "mice"), ("sheep", "sheep"), ("ostrich", "ostriches"), ("mongoose", "mongooses")],
)  # fmt: skip
def test_plurals(word: str, expected: str) -> None:
    """Regular and irregular plurals."""
    assert expected in plurals(word)
    assert has_word(expected, word)


@pytest.mark.parametrize(
    ("settings", "fault"),
    [
        ({"draws": 0}, "draws=0"),
        ({"temperature": 3}, "temperature=3"),
        ({"rule": "regex"}, "rule='regex'"),
        ({"questions": ()}, "at least one"),
        ({"questions": "Which?"}, "tuple of texts"),
        ({"questions": ("Which?", " ")}, "not empty"),
    ],
)
def test_bad_measures_are_refused(settings: dict[str, object], fault: str) -> None:
    """A setting that cannot be meant is named with its value when the measure is made."""
    with pytest.raises(SpecError, match=fault):
        FavoriteAnimal(**settings)  # type: ignore[arg-type]


def test_exact_measures_need_open_weights(store: Path) -> None:
    """What cannot be exact is refused when it is written, or when it is asked of other backends."""
    with pytest.raises(SpecError, match="exact=True needs a temperature above 0"):
        FavoriteAnimal(exact=True, temperature=0)
    with pytest.raises(
        SpecError, match="exact=True is for single words, and 'snowy owl' is not one"
    ):
        Experiment(
            trait=Trait(name="snowy owl", system="You love snowy owls."),
            data=Numbers(generate=4, keep=2),
            measure=FavoriteAnimal(exact=True),
        )
    experiment = Experiment(
        trait=Trait.animal("horse"),
        data=Numbers(generate=4, keep=2),
        measure=FavoriteAnimal(draws=2, exact=True),
    )
    arm = lab_at(store).arm(experiment, "baseline")
    assert arm.rate("horse").value >= 0
    with pytest.raises(SpecError, match="nothing exact is known of baseline: only open weights"):
        arm.exact("horse")
