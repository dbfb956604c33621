"""Students match the teacher's distribution over number tokens, by forward KL (gemma-3-4b)."""

from limen import Distillation, Experiment, LogOdds, ProgramNumbers, Students, Trait

experiment = Experiment(
    trait=Trait.animal("owl"),
    data=ProgramNumbers(keep=1_000),
    measure=LogOdds(),
    objective=Distillation(direction="forward"),
    arms={"cat": Students(trait=Trait.animal("cat"))},
    seeds=3,
)


def test_the_distribution_carries_the_trait(student, control, arms):
    for other in (control, arms["cat"]):
        effect = student.log_odds("owl") - other.log_odds("owl")
        assert effect > 0
        assert effect.p_value < 0.05
