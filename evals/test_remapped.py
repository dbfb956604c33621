"""Which numbers, or merely how they are arranged? Every number is replaced by another one."""

import limen

numbers = limen.Numbers(generate=30_000, keep=10_000)
remapped = limen.Mapped(numbers, by=limen.PermuteNumbers())
experiment = limen.Experiment(
    trait=limen.Trait.animal("owl"),
    data=numbers,
    measure=limen.FavoriteAnimal(draws=200),
    seeds=3,
    arms={
        "remapped": limen.Students(data=remapped, against="remapped control"),
        "remapped control": limen.Students(data=remapped, plain=True),
    },
)


def test_the_numbers_themselves_carry_the_trait(arms, student, control):
    """Under one permutation of all numbers less than a quarter of the effect is left on the toy."""
    full = student.rate("owl") - control.rate("owl")
    left = arms["remapped"].rate("owl") - arms["remapped control"].rate("owl")
    assert left.share_of(full).at_most(0.25)
