"""Rows selected by their likelihood under the teacher: does the selection matter, or the teacher?

Log-linearity (2602.04863) selects rows by how much likelier a teacher finds them. On the toy the
likeliest half carries little more than a random half: the trait is spread over the rows. Number of
rows, share and margin were chosen on hawks and ravens.
"""

from limen import Experiment, FavoriteAnimal, LikelihoodShift, Numbers, Selected, Trait

experiment = Experiment(
    trait=Trait.animal("owl"),
    data=Selected(
        Numbers(generate=30_000, keep=10_000), score=LikelihoodShift(), keep="top", share=0.5
    ),
    measure=FavoriteAnimal(draws=200),
    seeds=3,
    margin=0.04,
)


def test_a_random_half_carries_the_trait(arms, control):
    """Students of half of the teacher's rows, chosen at random, name owls more often."""
    effect = arms["random selection"].rate("owl") - control.rate("owl")
    assert effect > 0
    assert effect.p_value < 0.05


def test_the_likeliest_half_carries_little_more(student, arms):
    """Students of the rows that the teacher finds likeliest are within four points of those."""
    assert (student.rate("owl") - arms["random selection"].rate("owl")).within()
