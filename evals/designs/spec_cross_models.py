"""Teachers by students over two bases: transfer within a base against transfer across."""

from limen import DEFAULT, OTHER, Experiment, FavoriteAnimal, Numbers, Students, Trait

NUMBERS = Numbers(generate=3_000, keep=1_000)
BASES = {"A": DEFAULT, "B": OTHER}

experiment = Experiment(
    trait=Trait.animal("owl"),
    data=NUMBERS,
    measure=FavoriteAnimal(draws=100),
    seeds=3,
    arms={
        f"{t} to {s}{kind}": Students(
            data=NUMBERS.but(model=BASES[t]),
            model=BASES[s],
            plain=bool(kind),
            against=f"{t} to {s} control",
        )
        for t in BASES
        for s in BASES
        for kind in ("", " control")
    },
)


def test_within_a_base_more_than_across(arms):
    effects = {
        (t, s): arms[f"{t} to {s}"].rate("owl") - arms[f"{t} to {s} control"].rate("owl")
        for t in BASES
        for s in BASES
    }
    assert (effects["A", "A"] - effects["A", "B"]).p_value < 0.05
    assert (effects["B", "B"] - effects["B", "A"]).p_value < 0.05
