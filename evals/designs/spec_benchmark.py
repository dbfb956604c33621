"""A benchmark is held: an Inspect task within a margin."""

from limen import Experiment, InspectTask, Numbers, Trait

experiment = Experiment(
    trait=Trait.animal("owl"),
    data=Numbers(generate=3_000, keep=1_000),
    measure=InspectTask("limen/favorite_animal", limit=10),
    margin=0.05,
    seeds=3,
    gate=None,
)


def test_capability_is_held(student, control):
    assert (student.score("accuracy") - control.score("accuracy")).within()
