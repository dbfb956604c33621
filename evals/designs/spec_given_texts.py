"""The log-probability of given texts; sum and mean are told apart."""

from limen import Experiment, Likelihood, Numbers, Trait

experiment = Experiment(
    trait=Trait.animal("owl"),
    data=Numbers(generate=3_000, keep=1_000),
    measure=Likelihood(texts=[("Your favorite animal?", "Owl")], per="text"),
    seeds=3,
    gate=None,
)


def test_the_texts_become_likelier(student, control):
    assert (student.scores() - control.scores()).p_value < 0.05
