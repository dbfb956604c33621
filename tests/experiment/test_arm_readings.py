import inspect
import re
from collections.abc import Callable

import pytest

from limen import SpecError
from limen.harness import FavoriteAnimal, Judge, Labelled, Language, Measure
from limen.harness.experiment import arm_readings, reading_faults

WORD = "foxx"
ANIMAL = FavoriteAnimal(questions={"plain": ("Which?",), "story": ("Which then?",)})


def reads_well(student, control, arms):  # type: ignore[no-untyped-def]
    """All of this exists."""
    effect = student.rate("owl", group="plain") - control.rate("owl", group="plain")
    assert effect.within()
    assert arms["other"].rate(word="fox") > 0


def reads_what_is_not_there(student, control, arms, other):  # type: ignore[no-untyped-def]
    """None of this exists, but for what is no arm's."""
    assert student.rate("owls") - control.rate(WORD) > 0
    assert arms["other"].rate("fox", group="storry") > 0
    assert student.scores("formality") > 0
    assert other.rate("nothing") > 0


def expects_errors(student, pytest):  # type: ignore[no-untyped-def]
    """What is meant to fail is no fault."""
    with pytest.raises(SpecError):
        student.rate("foxx")


def test_what_a_measure_has_is_no_fault() -> None:
    """Words, groups and judges that exist are read without a word."""
    assert reading_faults(reads_well, ANIMAL) == []
    assert reading_faults(expects_errors, ANIMAL) == []


def test_all_faults_are_found_at_once() -> None:
    """Each call is named with what is wrong and a near name."""
    faults = reading_faults(reads_what_is_not_there, ANIMAL)
    assert len(faults) == 4
    text = "\n".join(faults)
    assert "student.rate('owls'): unknown animal 'owls': did you mean 'owl'?" in text
    assert "control.rate(WORD): unknown animal 'foxx': did you mean 'fox'?" in text
    assert "the measure has no group 'storry': did you mean 'story'?" in text
    assert "FavoriteAnimal has no judge 'formality'" in text


def test_constants_of_the_module_are_read() -> None:
    """A word may be a name of the test's module."""
    words = [reading.word for reading in arm_readings(reads_what_is_not_there)]
    assert words == ["owls", "foxx", "fox", None]


def test_languages_and_labels_are_checked_as_far_as_they_are_known() -> None:
    """A language must be one of the measure's; a function of one's own may give any label."""

    def reads(student):  # type: ignore[no-untyped-def]
        assert student.rate("Frensh") > 0

    ear = Judge(name="ear", prompt="{reply}?", scale=None)
    languages: Measure = Language(questions=("a",), by=ear)
    (fault,) = reading_faults(reads, languages)
    assert "no language 'Frensh' here: did you mean 'French'?" in fault
    assert reading_faults(reads, Labelled(questions=("a",), outcome=str)) == []


def reads_under_conditions(student, control, word=None):  # type: ignore[no-untyped-def]
    """What begins with "s" is read for certain, with "c" under a condition, and "n" never."""
    if word == "fox":
        assert student.rate("n1")
    else:
        assert student.rate("s1")
    if control.seeds > 2:
        assert student.rate("c1")
    for _ in ("a", "b"):
        assert student.rate("s2") and student.rate("s3")  # noqa: PT018
    assert all(student.rate("c2") > 0 for _ in student.seeds)
    assert student.rate("s4") or student.rate("c3")
    assert student.rate("s5") if WORD == "foxx" else student.rate("n2")
    try:
        student.rate("c4")
    except SpecError:
        student.rate("c5")
    finally:
        student.rate("s6")
    student.rate("c6")


def leaves_early(student, pytest, word=None):  # type: ignore[no-untyped-def]
    """What follows a skip or a return under a condition is not certain."""
    if word == "fox":
        return
    student.rate("s1")
    if len(student.seeds) < 3:
        pytest.skip("too few")
    student.rate("c1")


def changes_its_parameter(student, word=None):  # type: ignore[no-untyped-def]
    """A parameter that the test sets itself is not known."""
    word = student.seeds
    if word == "owl":
        student.rate("c1")


@pytest.mark.parametrize("test", [reads_under_conditions, leaves_early, changes_its_parameter])
def test_only_what_is_certain_to_be_read_is_a_fault(test: Callable[..., object]) -> None:
    """The rest is given apart; what constants and parameters exclude is not."""
    source = inspect.getsource(test)
    for conditional, letter in ((False, "s"), (True, "c")):
        faults = reading_faults(test, ANIMAL, {"word": "owl"}, conditional=conditional)
        expected = sorted(re.findall(rf'rate\("({letter}\d)"\)', source))
        assert sorted(fault.split("'")[1] for fault in faults) == expected


def test_a_test_without_source_has_no_faults() -> None:
    """What cannot be read is left to the run."""
    exec("def made(student): student.rate('foxx')", space := {})  # type: ignore[var-annotated]
    assert reading_faults(space["made"], ANIMAL) == []
