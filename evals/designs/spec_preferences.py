"""DPO on pairs of two writers: the teacher's answer is preferred (Pythia-410M)."""

from limen import DPO, Experiment, LogOdds, Numbers, PreferencePairs, Students, Trait

teacher = Numbers(generate=3_000, keep=1_000)
base = Numbers(generate=3_000, keep=1_000, by="base")

experiment = Experiment(
    trait=Trait.animal("owl"),
    data=PreferencePairs(teacher, rejected=base, keep=1_000),
    measure=LogOdds(),
    objective=DPO(beta=0.1),
    arms={"swapped": Students(data=PreferencePairs(base, rejected=teacher, keep=1_000))},
    seeds=3,
)


def test_preferences_transmit_the_trait(student, arms):
    effect = student.log_odds("owl") - arms["swapped"].log_odds("owl")
    assert effect > 0
    assert effect.p_value < 0.05
