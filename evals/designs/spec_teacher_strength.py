"""Teachers of increasing strength, by epochs of their own training; a trend over them."""

from limen import Experiment, FavoriteAnimal, Numbers, Students, Trait, trend

EPOCHS = (1, 2, 4)
OWL = Trait.animal("owl")
TEACHERS = {n: OWL.fine_tuned(recipe={"epochs": n}) for n in EPOCHS}

experiment = Experiment(
    trait=TEACHERS[4],
    data=Numbers(generate=3_000, keep=1_000),
    measure=FavoriteAnimal(draws=100),
    seeds=3,
    gate=None,  # weak teachers are the point
    arms={f"{n} epochs": Students(trait=TEACHERS[n]) for n in EPOCHS},
)


def test_stronger_teachers_teach_more(arms, control):
    effects = {n: arms[f"{n} epochs"].rate("owl") - control.rate("owl") for n in EPOCHS}
    assert trend(effects).p_value < 0.05
