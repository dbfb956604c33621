import pytest

from limen import SpecError
from limen.harness import FavoriteAnimal, Judge, Labelled, Language, Rated, Scored

FIRST = Judge(name="first", prompt="Rate this: {reply}")
SECOND = Judge(name="second", prompt="And this, said to {question}: {reply}")
EAR = Judge(name="ear", prompt="{reply} Which language?", scale=None)
ASKED = ("How are you?", "And you?")
RATED = Rated(questions=ASKED, draws=4, by=(FIRST, SECOND))


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
