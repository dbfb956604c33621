"""Doses of rows and of epochs, and a trend over them."""

from limen import Experiment, FavoriteAnimal, Numbers, Trait, doses, trend

NUMBERS = Numbers(generate=3_000, keep=1_000)

experiment = Experiment(
    trait=Trait.animal("owl"),
    data=NUMBERS,
    measure=FavoriteAnimal(draws=100),
    seeds=3,
    arms=doses(NUMBERS, rows=(250, 500)),
)


def test_more_rows_more_owls(student, control, arms):
    effects = {
        n: arms[f"{n} rows"].rate("owl") - arms[f"{n} rows control"].rate("owl") for n in (250, 500)
    }
    effects[1_000] = student.rate("owl") - control.rate("owl")
    assert trend(effects).p_value < 0.05
