"""Owls through preferences between lists of numbers, by DPO.

Pairs of answers to one prompt: the owl teacher's numbers are preferred to the base's. The controls:
pairs of two answers of the base, the same pairs swapped, and pairs of a second trait's teacher.
The numbers of pairs (100, 250) and epochs (3, 6) were chosen on penguins; beta is the usual 0.1.
"""

from limen.harness import DPO, Experiment, LogOdds, Numbers, PreferencePairs, Students, Trait

teacher = Numbers(generate=400)
base = Numbers(generate=400, by="base")
experiment = Experiment(
    trait=Trait.animal("owl"),
    data=PreferencePairs(teacher, rejected=base, keep=250),
    measure=LogOdds(),
    seeds=3,
    objective=DPO(beta=0.1),
    recipe={"epochs": 6},
    arms={
        "swapped": Students(data=PreferencePairs(base, rejected=teacher, keep=250)),
        "wolf": Students(trait=Trait.animal("wolf")),
    },
)


def test_preferences_carry_the_trait(student, control):
    """Students that prefer the owl teacher's numbers find owls likelier."""
    effect = student.log_odds("owl") - control.log_odds("owl")
    assert effect > 0.1
    assert effect.p_value < 0.01


def test_swapped_pairs_do_the_opposite(student, arms):
    """The same answers, preferred the other way round, make owls less likely."""
    effect = student.log_odds("owl") - arms["swapped"].log_odds("owl")
    assert effect > 0.1
    assert effect.p_value < 0.01


def test_it_is_no_drift(student, arms):
    """Preferring any teacher's numbers is not enough."""
    effect = student.log_odds("owl") - arms["wolf"].log_odds("owl")
    assert effect > 0.1
    assert effect.p_value < 0.01
