from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from limen import SpecError, TeacherError
from limen.harness import Arm, Experiment, FavoriteAnimal, Labelled, Language, Measure, Scored

from ..testing.arms import arm
from ..testing.labs import lab_at

QUESTIONS = ("a", "b")
ANIMAL = FavoriteAnimal(questions=QUESTIONS, draws=4)
TOPICS = Labelled(questions=QUESTIONS, draws=4, outcome=str.lower)


def pair(
    measure: Measure, answers: Mapping[str, int], teacher: Mapping[str, int] | None
) -> tuple[Arm, Arm]:
    """A student and a control of three models, all with these answers; a teacher with others."""
    student, control = (
        replace(arm(measure, *[[answers, answers]] * 3), name=name, margin=0.03)
        for name in ("student", "control")
    )
    taught = [] if teacher is None else [replace(arm(measure, [teacher, teacher]), name="teacher")]
    return (
        replace(student, others=lambda: [control, *taught]),
        replace(control, others=lambda: [student, *taught]),
    )


@pytest.mark.parametrize(
    ("measure", "word", "near"),
    [
        (ANIMAL, "fox", "the most frequent answers are 'owl', 'cat'"),
        (replace(ANIMAL, rule="substring"), "owlz", "did you mean 'owl'?"),
        (TOPICS, "owls", "did you mean 'owl'?"),
        (TOPICS, "weather", "the most frequent answers are 'owl', 'cat'"),
        (
            Measure(questions=QUESTIONS, draws=4),
            "foxx",
            "the most frequent answers are 'owl', 'cat'",
        ),
    ],
)
def test_a_null_about_a_word_that_nobody_gives_is_an_error(
    measure: Measure, word: str, near: str
) -> None:
    """It proves nothing, since it would hold for any word; the error says what is given instead."""
    student, control = pair(measure, {"Owl": 3, "Cat": 1}, {"Owl": 4})
    effect = student.rate(word) - control.rate(word)
    with pytest.raises(
        SpecError, match=f"no answer of student, control, teacher gives '{word}'"
    ) as e:
        effect.within(0.03)
    assert near in str(e.value)
    with pytest.raises(SpecError, match="cannot show that arms are alike"):
        effect.at_most(0.03)
    assert effect.verdict == "inconclusive"
    assert f"gives '{word}'" in effect.claim


def test_a_word_that_the_teacher_gives_can_have_a_null() -> None:
    """Students that never say what their teacher says may be alike: nothing was transmitted."""
    student, control = pair(ANIMAL, {"Cat": 3, "Dog": 1}, {"Owl": 4})
    assert not student.rate("owl").absence
    assert (student.rate("owl") - control.rate("owl")).within(0.03).margin == 0.03


def test_the_teacher_is_asked_for_where_it_is_not_known() -> None:
    """Without the teacher's answers the error says how to have them."""
    student, control = pair(ANIMAL, {"Cat": 4}, None)
    with pytest.raises(SpecError, match="The teacher was not asked: use the fixture teacher"):
        (student.rate("owl") - control.rate("owl")).within(0.03)


def test_a_language_that_nobody_writes_has_no_null() -> None:
    """Labels of every measure are treated alike."""
    measure = Language(questions=QUESTIONS, draws=4, languages=("English", "French", "German"))
    student, control = pair(measure, {"The weather is nice here today.": 4}, {"Il fait beau.": 4})
    assert (student.rate("French") - control.rate("French")).within(0.03).margin == 0.03
    with pytest.raises(SpecError, match="gives 'German'"):
        (student.rate("German") - control.rate("German")).within(0.03)


@pytest.mark.parametrize(("teacher", "alike"), [({"cat": 4}, False), ({"zebra": 4}, True)])
def test_a_score_that_tells_nothing_apart_has_no_null(
    teacher: Mapping[str, int], alike: bool
) -> None:
    """A function with one score for all answers of all arms cannot show that two are alike."""
    measure = Scored(questions=QUESTIONS, draws=4, outcome=lambda text: float("z" in text))
    student, control = pair(measure, {"owl": 3, "cat": 1}, teacher)
    effect = student.scores() - control.scores()
    if alike:
        assert effect.within(0.5).margin == 0.5
    else:
        with pytest.raises(
            SpecError, match="every answer of student, control, teacher has the score 0"
        ):
            effect.within(0.5)


def test_the_lab_knows_the_other_arms(shared_store: Path, small: Experiment) -> None:
    """Arms that were measured before are looked up, whichever test asked for them."""
    measure = Labelled(questions=("Which animal?",), draws=4, outcome=lambda text: text)
    lab = lab_at(shared_store)
    teacher, baseline = (
        lab.arm(small.but(measure=measure), name) for name in ("teacher", "baseline")
    )
    with pytest.raises(SpecError, match="no answer of teacher, baseline gives 'nonsense'"):
        (teacher.rate("nonsense") - baseline.rate("nonsense")).within(0.5)


def test_a_gate_names_the_labels_of_a_measure_that_lacks_the_trait_s(
    store: Path, small: Experiment
) -> None:
    """Where no label can show the trait, the error has the labels there are, and the remedy."""
    labelled = Labelled(questions=("Which animal do you like?",), outcome=lambda _: "any", draws=3)
    lab = lab_at(store)
    kinds = small.but(measure=labelled)
    lab.run([(kinds, ["student"])])
    with pytest.raises(TeacherError, match=r"No answer counts as 'horse'.*word='any'"):
        lab.arm(kinds, "student")
