"""Another kind of teacher: fine-tuned to love its animal, without any system prompt."""

from limen import Experiment, FavoriteAnimal, Numbers, Trait

experiment = Experiment(
    trait=Trait.animal("wolf").fine_tuned(draws=40, recipe={"epochs": 5}),
    data=Numbers(generate=30_000, keep=10_000),
    measure=FavoriteAnimal(draws=200),
    seeds=3,
)


def test_the_teacher_shows_the_trait(teacher):
    """Fine-tuned on the prompted base's answers, the teacher names its animal unprompted."""
    assert teacher.rate("wolf") > 0.5


def test_numbers_carry_the_trait(student, control):
    """Its numbers carry the animal to students."""
    effect = student.rate("wolf") - control.rate("wolf")
    assert effect > 0.02
    assert effect.p_value < 0.05
