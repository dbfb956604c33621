"""What the plan says of gates."""

import pytest

from limen.harness import Experiment, FavoriteAnimal, Length, LogOdds, Measure, Numbers, Trait
from limen.harness.reporting import gate_lines

OWL = Trait.animal("owl")
SAYS = "limen: training waits until the teacher differs from its base by "


def experiment(measure: Measure, trait: Trait = OWL, **settings: object) -> Experiment:
    """An experiment on numbers."""
    data = Numbers(generate=4, keep=2)
    return Experiment(trait=trait, data=data, measure=measure, **settings)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("planned", "says"),
    [
        ([experiment(FavoriteAnimal())], [f"{SAYS}+10.0 points"]),
        ([experiment(FavoriteAnimal(), gate=0.3)], [f"{SAYS}+30.0 points"]),
        ([experiment(Length(), Trait(name="brief", system="Brief.", lowers=True))],
         [f"{SAYS}-1.00"]),
        ([experiment(FavoriteAnimal())] * 2 + [experiment(Length())],
         [f"{SAYS}+10.0 points (2), +1.00 (1)"]),
        ([experiment(FavoriteAnimal(questions={"plain": ["Which?"], "2027": ["Which now?"]}))],
         [f"{SAYS}+10.0 points on 'plain' questions"]),
        ([experiment(LogOdds(), gate=0.5)], [f"{SAYS}+0.50 nats"]),
        ([experiment(FavoriteAnimal(), gate=None)], []),
    ],
)  # fmt: skip
def test_gates_are_in_the_measures_unit_and_the_traits_direction(
    planned: list[Experiment], says: list[str]
) -> None:
    """One line has all gates of a plan; without a gate there is none."""
    assert list(gate_lines(planned)) == says
