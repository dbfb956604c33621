"""The beginning of every answer is given."""

from limen import Experiment, LogOdds, Numbers, Trait

experiment = Experiment(
    trait=Trait.animal("owl"),
    data=Numbers(generate=3_000, keep=1_000),
    measure=LogOdds(begin="My favorite animal is the"),
    seeds=3,
)


def test_the_log_odds_rise(student, control):
    assert (student.log_odds("owl") - control.log_odds("owl")).p_value < 0.05
