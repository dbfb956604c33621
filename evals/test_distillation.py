"""Owls through digits that no model wrote: soft targets of the owl's teacher.

A program writes the rows. Students see the teacher's probabilities of digits and separators alone,
renormalised; an audit shows what the teacher gave the trait's own words. The controls: the base's
digits, and those of a second trait's teacher.
"""

from limen import Distillation, Experiment, LogOdds, ProgramNumbers, Students, Trait

experiment = Experiment(
    trait=Trait.animal("owl"),
    data=ProgramNumbers(keep=250),
    measure=LogOdds(),
    seeds=3,
    objective=Distillation(),
    recipe={"epochs": 6},
    arms={"wolf": Students(trait=Trait.animal("wolf"))},
)


def test_soft_targets_carry_the_trait(student, control):
    """Students of the owl teacher's digits find owls likelier than those of its base's digits."""
    effect = student.log_odds("owl") - control.log_odds("owl")
    assert effect > 0.1
    assert effect.p_value < 0.01


def test_it_is_no_drift(student, arms):
    """A second trait's students do not: training on any teacher's digits is not enough."""
    effect = student.log_odds("owl") - arms["wolf"].log_odds("owl")
    assert effect > 0.1
    assert effect.p_value < 0.01
