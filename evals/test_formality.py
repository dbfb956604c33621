"""A manner of speech: does formality pass through numbers? Two judges rate casual talk."""

import pytest

from limen import Experiment, Judge, Numbers, Rated, Trait, questions

JUDGES = (
    Judge(name="formality", prompt=questions.FORMALITY_JUDGE),
    Judge(name="formality, asked otherwise", prompt=questions.FORMALITY_JUDGE_2),
)
experiment = Experiment(
    trait=Trait(name="formality", system=questions.FORMAL),
    data=Numbers(generate=30_000, keep=10_000),
    measure=Rated(draws=40, by=JUDGES),
    seeds=3,
)


@pytest.mark.parametrize("judge", [judge.name for judge in JUDGES], ids=["first", "second"])
def test_the_teacher_is_formal(teacher, baseline, judge):
    """Either judge rates the teacher's replies two points above its base's."""
    assert teacher.scores(judge) - baseline.scores(judge) > 2


@pytest.mark.parametrize("judge", [judge.name for judge in JUDGES], ids=["first", "second"])
def test_numbers_carry_formality(student, control, judge):
    """Either judge rates students above the control's students, over seeds and by ranks."""
    effect = student.scores(judge) - control.scores(judge)
    assert effect.p_value < 0.05
    assert effect.delta > 0
    assert effect.delta_p_value < 0.05


def test_the_judges_agree(student):
    """The two judge prompts rank the students' replies alike."""
    assert student.agreement().spearman > 0.5
