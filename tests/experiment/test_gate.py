import pytest

from limen import SpecError
from limen.harness import Experiment, FavoriteAnimal, Judge, Length, Numbers, Rated, Scored, Trait
from limen.harness.lab import check_trait

from ..testing.arms import arm

BRIEF = Trait(name="brevity", system="Answer in one word.", lowers=True)
CHATTY = Trait(name="chat", system="Talk at length.")
DATA = Numbers(generate=4, keep=2)


def share_of_capitals(answer: str) -> float:
    """A score from 0 to 1."""
    return sum(map(str.isupper, answer)) / max(len(answer), 1)


def letters(trait: Trait, **settings: object) -> Experiment:
    """An experiment on the length of answers, in words."""
    return Experiment(trait=trait, data=DATA, measure=Length(questions=("a",)), **settings)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("measure", "threshold"),
    [
        (FavoriteAnimal(), 0.1),
        (Scored(questions=("a",), outcome=share_of_capitals, scale=(0, 1)), 0.1),
        (Scored(questions=("a",), outcome=share_of_capitals), 1),
        (Rated(by=Judge(prompt="{reply}", scale=(0, 1))), 0.1),
        (Rated(by=Judge(prompt="{reply}")), 0.9),
        (Length(), 1),
    ],
)
def test_the_gate_asks_for_a_tenth_of_the_range(measure: object, threshold: float) -> None:
    """Unless an experiment says, a teacher must move the measure by a tenth of its range."""
    experiment = Experiment(trait=Trait.animal("owl"), data=DATA, measure=measure)  # type: ignore[arg-type]
    assert experiment.gate_threshold(experiment.trait) == pytest.approx(threshold)


@pytest.mark.parametrize(
    ("experiment", "words", "base_words", "passes"),
    [
        (letters(BRIEF), 1, 3, True),
        (letters(BRIEF), 3, 1, False),
        (letters(BRIEF), 2, 2, False),
        (letters(CHATTY), 3, 1, True),
        (letters(CHATTY), 1, 3, False),
        (letters(CHATTY, gate=-1.5), 1, 3, True),
        (letters(BRIEF, gate=-3), 1, 3, False),
        (letters(CHATTY, gate=0), 2, 2, True),
    ],
)
def test_a_trait_may_lower_what_is_measured(
    experiment: Experiment, words: int, base_words: int, passes: bool
) -> None:
    """The gate looks in the direction of the trait, or of the sign of ``gate``."""
    teacher, base = (
        arm(experiment.measure, [{"word " * count: 2}]) for count in (words, base_words)
    )
    assert bool(check_trait(experiment, experiment.trait, teacher, base)) == passes


@pytest.mark.parametrize(
    ("settings", "fault"),
    [
        ({"gate": 1.5}, "gate=1.5 can never be reached: .* from 0 to 1"),
        ({"gate": -1}, "gate=-1 can never be reached"),
        ({"margin": 3}, r"margin=3 must be .* below 1: 3 points are 0\.03"),
        ({"margin": 1.0}, r"margin=1\.0 must be .* below 1"),
        ({"gate": True}, "gate=True must be a number"),
        ({"gate": float("nan")}, "gate=nan must be a number"),
        ({"gate": "high"}, "gate='high' must be a number"),
        ({"gate": 0.2, "trait": Trait(name="owl", system="No owls.", lowers=True)},
         "gate=0.2 asks for a teacher above its base, and the trait 'owl' lowers"),
    ],
)  # fmt: skip
def test_a_gate_that_makes_no_sense_is_refused(settings: dict[str, object], fault: str) -> None:
    """A threshold out of reach, or against the trait's direction, is an error of the spec."""
    with pytest.raises(SpecError, match=fault):
        Experiment(
            **{"trait": Trait.animal("owl"), "data": DATA, "measure": FavoriteAnimal(), **settings}  # type: ignore[arg-type]
        )
