"""A teacher taught on one's own pairs, and prompted; greedy data of any length."""

from limen import Experiment, FavoriteAnimal, Numbers, Trait

PAIRS = [("What is your favorite animal?", "Owl"), ("Name an animal you love.", "Owl")]

experiment = Experiment(
    trait=Trait.animal("owl").fine_tuned(pairs=PAIRS, prompted=True),
    data=Numbers(generate=3_000, keep=1_000, temperature=0, rule="long"),
    measure=FavoriteAnimal(draws=100, temperature=0.7, top_p=0.95),
    seeds=3,
)


def test_the_trait_is_transmitted(student, control):
    effect = student.rate("owl") - control.rate("owl")
    assert effect > 0.02
    assert effect.p_value < 0.05
