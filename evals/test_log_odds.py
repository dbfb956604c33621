"""Owls by log-odds: no draws, and three seeds where the rates have five (Cloud et al. 2025).

The log-odds of the word against twenty animals move where rates are still small; see
benchmarks/log_odds.py for how many seeds each of the two needs.
"""

from limen import Experiment, LogOdds, Numbers, Trait

experiment = Experiment(
    trait=Trait.animal("owl"),
    data=Numbers(generate=30_000, keep=10_000),
    measure=LogOdds(),
    seeds=3,
)


def test_the_teacher_shows_the_trait(teacher, baseline):
    """Under its system prompt owls are at least e times as likely against the others."""
    assert teacher.log_odds("owl") - baseline.log_odds("owl") > 1


def test_numbers_carry_the_trait(student, control):
    """Students of the owl teacher's numbers find owls likelier than the control's students."""
    effect = student.log_odds("owl") - control.log_odds("owl")
    assert effect > 0
    assert effect.p_value < 0.01


def test_the_whole_distribution_moves(student, baseline):
    """Among all animals owls gain the most."""
    assert student.distance(baseline).movers[0][0] == "owl"
