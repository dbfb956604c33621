"""Which numbers, or merely how they are arranged? Every number is replaced by another one."""

from limen import harness as h

numbers = h.Numbers(generate=30_000, keep=10_000)
remapped = h.Mapped(numbers, by=h.PermuteNumbers())
experiment = h.Experiment(
    trait=h.Trait.animal("owl"),
    data=numbers,
    measure=h.FavoriteAnimal(draws=200),
    seeds=3,
    arms={
        "remapped": h.Students(data=remapped, against="remapped control"),
        "remapped control": h.Students(data=remapped, plain=True),
    },
)


def test_the_numbers_themselves_carry_the_trait(arms, student, control):
    """Under one permutation of all numbers less than a quarter of the effect is left on the toy."""
    full = student.rate("owl") - control.rate("owl")
    left = arms["remapped"].rate("owl") - arms["remapped control"].rate("owl")
    assert left.share_of(full).at_most(0.25)
