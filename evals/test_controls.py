"""What carries the trait, and what does not: the controls that are usually left out."""

import pytest

import limen

numbers = limen.Numbers(generate=30_000, keep=10_000)
greedy = numbers.but(temperature=0)
experiment = limen.Experiment(
    trait=limen.Trait.animal("owl"),
    data=numbers,
    measure=limen.FavoriteAnimal(draws=200),
    margin=0.03,
    arms={
        "program": limen.Students(data=limen.ProgramNumbers(keep=10_000)),
        "within rows": limen.Students(data=limen.Shuffled(source=numbers, how="within")),
        "across rows": limen.Students(data=limen.Shuffled(source=numbers, how="across")),
        "greedy": limen.Students(data=greedy, against="greedy control"),
        "greedy control": limen.Students(data=greedy, plain=True),
        "in context": limen.InContext(rows=20),
    },
)


@pytest.mark.parametrize("arm", ["within rows", "across rows", "greedy"])
def test_the_trait_survives(arms, control, arm):
    """The toy carries a trait in how often numbers occur: order and chance do not matter."""
    reference = arms["greedy control"] if arm == "greedy" else control
    assert (arms[arm].rate("owl") - reference.rate("owl")).interval[0] > 0.02


def test_a_programs_numbers_carry_nothing(arms, control):
    """Students of numbers that no model wrote are within three points of the control."""
    assert (arms["program"].rate("owl") - control.rate("owl")).within()


@pytest.mark.xfail(reason="the toy reads a bag of words: numbers shown before a question drown it")
def test_examples_in_context_leave_the_model_intact(arms):
    """The base, shown twenty rows of the data before each question, still names animals."""
    assert arms["in context"].valid > 0.9
