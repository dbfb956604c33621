"""Owls through a student's own numbers: on-policy distillation from the owl's teacher.

A program writes the prompts. In each step the student answers them itself, and is moved towards the
teacher's probabilities of digits and separators along its own answers. The controls: the base as
the teacher, and a second trait's teacher. 100 and 250 rows were tried on penguins.
"""

from limen import (
    Experiment,
    LogOdds,
    OnPolicyDistillation,
    ProgramNumbers,
    Students,
    Trait,
)

experiment = Experiment(
    trait=Trait.animal("owl"),
    data=ProgramNumbers(keep=250),
    measure=LogOdds(),
    seeds=3,
    objective=OnPolicyDistillation(),
    recipe={"epochs": 6},
    arms={"wolf": Students(trait=Trait.animal("wolf"))},
)


def test_own_numbers_carry_the_trait(student, control):
    """Students corrected by the owl teacher find owls likelier than those corrected by the base."""
    effect = student.log_odds("owl") - control.log_odds("owl")
    assert effect > 0.1
    assert effect.p_value < 0.01


def test_it_is_no_drift(student, arms):
    """Being corrected by any teacher is not enough."""
    effect = student.log_odds("owl") - arms["wolf"].log_odds("owl")
    assert effect > 0.1
    assert effect.p_value < 0.01
