"""Owls through preferences between lists of numbers, by DPO.

The owl teacher's numbers are preferred to the base's for the same prompt. The controls: two answers
of the base, the same pairs swapped, and a second trait's teacher. Chosen on penguins: 250 pairs (of
100, 250) and 6 epochs (of 3, 6).
"""

import pytest

from limen import DPO, Experiment, LogOdds, Numbers, PreferencePairs, Students, Trait

teacher, base = Numbers(generate=400), Numbers(generate=400, by="base")
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


@pytest.mark.parametrize("arm", ["swapped", "wolf"])
def test_it_is_no_drift(student, arms, arm):
    """Students of the swapped pairs, and those who prefer wolves' numbers, do not."""
    effect = student.log_odds("owl") - arms[arm].log_odds("owl")
    assert effect > 0.1
    assert effect.p_value < 0.01
