"""Dose and response: more rows and more epochs, each against a control of the same dose."""

from limen import Experiment, FavoriteAnimal, Numbers, Trait, dose_response, doses

numbers = Numbers(generate=30_000, keep=10_000)
experiment = Experiment(
    trait=Trait.animal("owl"),
    data=numbers,
    measure=FavoriteAnimal(draws=200),
    seeds=3,
    arms=doses(numbers, rows=(1_000, 3_000), epochs=(3,)),
)


def test_more_rows_carry_more(arms, student, control):
    """From 1,000 over 3,000 to 10,000 rows the effect over the same dose of plain numbers grows."""
    effects = {
        rows: arms[f"{rows:,} rows"].rate("owl") - arms[f"{rows:,} rows control"].rate("owl")
        for rows in (1_000, 3_000)
    }
    effects[10_000] = student.rate("owl") - control.rate("owl")
    trend = dose_response(effects)
    assert trend > 0.02  # with each doubling
    assert trend.p_value < 0.05


def test_more_epochs_still_carry_it(arms):
    """After three epochs the students still differ from a control that was trained as long."""
    assert (arms["3 epochs"].rate("owl") - arms["3 epochs control"].rate("owl")).interval[0] > 0.02
