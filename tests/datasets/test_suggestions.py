import pytest

from limen.datasets.suggestions import did_you_mean, near_names
from limen.datasets.vocabulary import ANIMALS
from limen.datasets.words import plurals, singulars


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("Owls", ("owl",)), ("OWL", ("owl",)), ("wolves", ("wolf",)), ("foxx", ("fox",)),
        ("tiggers", ("tiger",)), ("elefant", ("elephant",)), ("snowy_owl", ()), ("kindness", ()),
        ("", ()), ("walrs", ("walrus",)),
    ],
)  # fmt: skip
def test_near_names_of_animals(name: str, near: tuple[str, ...]) -> None:
    """Another case and a plural are found first; a word that resembles none has no near name."""
    assert near_names(name, ANIMALS)[:1] == near


def test_near_names_keep_the_spelling_of_the_known_name() -> None:
    """What is suggested can be copied."""
    assert near_names("fortheapples", ["forTheApples"]) == ("forTheApples",)
    assert did_you_mean("generates", ["generate", "keep"]) == "did you mean 'generate'? "
    assert did_you_mean("zebra", ["generate", "keep"]) == ""


def test_singulars_undo_plurals() -> None:
    """Every animal is among the singulars of its plurals."""
    for animal in sorted(ANIMALS):
        for plural in plurals(animal):
            assert plural == animal or animal in singulars(plural)
