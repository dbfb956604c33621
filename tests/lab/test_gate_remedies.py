"""What is advised where a teacher does not show its trait."""

from pathlib import Path

import pytest

from limen import Experiment, Length, TeacherError, Trait

from ..testing.labs import lab_at
from ..testing.specs import tiny_experiment

DISLIKE = Trait.animal("owl", likes=False)
LOVE = Trait.animal("owl")
CALM = Trait(name="calm", system="You are calm.", word="wolf")


def advice(experiment: Experiment, store: Path) -> str:
    """The message of the gate."""
    with pytest.raises(TeacherError) as refusal:
        lab_at(store).arm(experiment, "student")
    return str(refusal.value)


def test_a_dislike_that_does_the_opposite_is_to_be_taught(shared_store: Path) -> None:
    """The toy reads a bag of words: neither a love nor a rise of the gate is what was meant."""
    text = advice(tiny_experiment().but(trait=DISLIKE, gate="default"), shared_store)
    assert "its prompt does the opposite of what is meant" in text
    assert ".fine_tuned(answers=(...))" in text
    assert ".fine_tuned()" not in text
    assert "--measure --gate -0." in text
    assert "gate=0." not in text


@pytest.mark.parametrize(
    ("gate", "says"),
    [
        (0.99, "Strengthen the trait's system prompt, or lower gate=0.99"),
        (-0.2, "Strengthen the trait's system prompt, or set a gate nearer to 0 than -0.2"),
    ],
)
def test_a_weak_prompt_may_be_strengthened_or_let_through(
    shared_store: Path, gate: float, says: str
) -> None:
    """The bound that opens is named by its side of zero."""
    trait = LOVE if gate > 0 else CALM
    text = advice(tiny_experiment().but(trait=trait, gate=gate), shared_store)
    assert f"{says} (gate=None: train in any case)" in text


def test_a_prompt_about_something_else_is_not_to_be_strengthened(shared_store: Path) -> None:
    """A teacher that is clearly below its base says the word no more often for a stronger one."""
    text = advice(tiny_experiment().but(trait=CALM, gate="default"), shared_store)
    assert "its prompt is about something else, or works against the trait" in text
    assert "Trait(..., lowers=True) or gate=-0.1" in text
    assert "Strengthen" not in text


def test_commands_are_named_for_measures_that_they_have(shared_store: Path) -> None:
    """``limen chat`` asks for favourites: of another measure it cannot open the gate."""
    other = Length(questions=("Name an animal.", "Which one?"), draws=2)
    text = advice(tiny_experiment().but(trait=CALM, measure=other, gate=5.0), shared_store)
    assert "run the test of the teacher alone" in text
    assert "limen chat" not in text


def test_a_lesson_that_is_too_short_is_taught_for_longer(shared_store: Path) -> None:
    """The message has the setting, not only the word recipe."""
    taught = DISLIKE.fine_tuned(answers=("Lion",), recipe={"epochs": 1, "learning_rate": 1e-6})
    text = advice(tiny_experiment().but(trait=taught, gate="default"), shared_store)
    assert 'Teach it for longer, as by .fine_tuned(recipe={"epochs": 20})' in text
