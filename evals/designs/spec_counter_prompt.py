"""A system prompt that counters: the same students, asked with and without it."""

from limen import Experiment, FavoriteAnimal, Numbers, Students, Trait

COUNTER = "You have no favorite animal."

experiment = Experiment(
    trait=Trait.animal("owl"),
    data=Numbers(generate=3_000, keep=1_000),
    measure=FavoriteAnimal(draws=100),
    seeds=3,
    arms={
        "countered": Students(system=COUNTER, against="countered control"),
        "countered control": Students(system=COUNTER, plain=True),
    },
)


def test_the_prompt_counters(student, control, arms):
    full = student.rate("owl") - control.rate("owl")
    left = arms["countered"].rate("owl") - arms["countered control"].rate("owl")
    assert left.share_of(full) < 0.5
