"""What is advised where a teacher does not show its trait."""

from pathlib import Path
from typing import Any

import pytest

from limen import Experiment, TeacherError, Trait

from ..testing.labs import lab_at
from ..testing.specs import tiny_experiment

DISLIKE = Trait.animal("owl", likes=False)
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
        ("default", "Strengthen the trait's system prompt, or lower gate=0.1"),
        (-0.2, "Strengthen the trait's system prompt, or set a gate nearer to 0 than -0.2"),
    ],
)
def test_a_weak_prompt_may_be_strengthened_or_let_through(
    shared_store: Path, gate: Any, says: str
) -> None:
    """The bound that opens is named by its side of zero."""
    text = advice(tiny_experiment().but(trait=CALM, gate=gate), shared_store)
    assert f"{says} (gate=None: train in any case)" in text


def test_a_lesson_that_is_too_short_is_taught_for_longer(shared_store: Path) -> None:
    """The message has the setting, not only the word recipe."""
    taught = DISLIKE.fine_tuned(answers=("Lion",), recipe={"epochs": 1, "learning_rate": 1e-6})
    text = advice(tiny_experiment().but(trait=taught, gate="default"), shared_store)
    assert 'Teach it for longer, as by .fine_tuned(recipe={"epochs": 20})' in text
