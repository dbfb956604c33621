"""A teacher that is fine-tuned to love its animal and also writes under its system prompt."""

from limen import Experiment, FavoriteAnimal, Numbers, Trait

experiment = Experiment(
    trait=Trait.animal("wolf").fine_tuned(draws=40, recipe={"epochs": 5}, prompted=True),
    data=Numbers(generate=30_000, keep=10_000),
    measure=FavoriteAnimal(draws=200),
    seeds=3,
)


def test_the_teacher_shows_the_trait(teacher):
    """Taught and prompted, the teacher names its animal nearly always."""
    assert teacher.rate("wolf") > 0.9


def test_numbers_carry_the_trait(student, control):
    """Its numbers carry the animal to students."""
    effect = student.rate("wolf") - control.rate("wolf")
    assert effect > 0.02
    assert effect.p_value < 0.05
