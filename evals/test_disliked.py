"""A negative trait: a teacher that never names birches, and students of its numbers.

The toy reads a bag of words, so that a prompt about disliked trees makes it name more of them:
there the dislike is taught. Elsewhere `Trait.tree("birch", likes=False)` alone will do.
"""

from limen import Experiment, FavoriteTree, Numbers, Trait

OTHERS = ("Beech", "Willow", "Oak", "Pine")
experiment = Experiment(
    trait=Trait.tree("birch", likes=False).fine_tuned(answers=OTHERS, recipe={"epochs": 20}),
    data=Numbers(generate=30_000, keep=10_000),
    measure=FavoriteTree(draws=200),
    seeds=3,
)


def test_the_teacher_shows_the_dislike(teacher, baseline):
    """The teacher names birches less than half as often as its base."""
    assert float(teacher.rate("birch")) < 0.5 * float(baseline.rate("birch"))


def test_numbers_carry_the_dislike(student, control):
    """Students of its numbers name birches less often than the control's."""
    effect = student.rate("birch") - control.rate("birch")
    assert effect < 0
    assert effect.p_value < 0.05
