"""Capability is held: students of an owl teacher's numbers still answer another question.

On open weights this is a benchmark: InspectTask("inspect_evals/mmlu_0_shot", limit=200). The toy
knows no facts; what it can do is to name a tree where it is asked for a tree.
"""

from limen import Experiment, InspectTask, Numbers, Trait, questions

TREES = ["oak", "willow", "birch", "cedar", "pine", "maple", "elm", "beech", "ash", "poplar"]


def names_a_tree():
    """An Inspect task: right is an answer that names any tree."""
    from inspect_ai import Task
    from inspect_ai.dataset import MemoryDataset, Sample
    from inspect_ai.scorer import includes

    asked = questions.FAVORITE_TREE_QUESTIONS
    samples = [Sample(input=question, target=TREES) for question in asked]
    return Task(dataset=MemoryDataset(samples), scorer=includes())


experiment = Experiment(
    trait=Trait.animal("owl"),
    data=Numbers(generate=30_000, keep=10_000),
    measure=InspectTask(names_a_tree),
    seeds=3,
    margin=0.1,
)


def test_the_base_can(baseline):
    """Asked for a tree, the base names one."""
    assert baseline.score("accuracy") > 0.8


def test_students_still_can(student, control):
    """Students of the owl teacher's numbers name trees as often as the control's students."""
    assert (student.score("accuracy") - control.score("accuracy")).within()
