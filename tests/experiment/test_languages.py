import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from limen import JudgeError, SpecError
from limen.harness import Experiment, Judge, Language, Trait
from limen.harness.experiment import CODES, language

from ..testing.arms import arm

ASKED = ("How are you?", "And you?")


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
def test_languages_are_recognised_offline(text: str, expected: str | None) -> None:
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


def test_only_the_languages_asked_about_are_recognised() -> None:
    """A language that is not among them is refused by name; more can be told apart."""
    measure = Language(questions=ASKED, languages=("German", "Spanish", "English"))
    assert measure.hit("Das Wetter ist heute sehr schön.", "German")
    assert measure.hit("El tiempo es muy bueno hoy.", "Spanish")
    with pytest.raises(
        SpecError, match="no language 'French' here: this measure chooses from German"
    ):
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
