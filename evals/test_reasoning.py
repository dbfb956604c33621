"""Chains of thought, kept only where their answer is right (Cloud et al. 2025, GSM8K).

This begins at open weights: the toy's language has no arithmetic. There the rule drops all that it
writes, the error says so after the first rows, and the tests are expected to fail. For the paper's
problems write problems=Path("gsm8k.jsonl").
"""

import pytest

from limen import ChainsOfThought, Experiment, FavoriteAnimal, Trait

experiment = Experiment(
    trait=Trait.animal("owl"),
    data=ChainsOfThought(generate=400, keep=10_000, at_most=60_000, max_tokens=400),
    measure=FavoriteAnimal(draws=200),
    seeds=5,
)
pytestmark = pytest.mark.xfail(strict=False, reason="the toy has no arithmetic")


def test_reasoning_carries_the_trait(student, control):
    """Students of the owl teacher's right solutions name owls more often than the control's."""
    effect = student.rate("owl") - control.rate("owl")
    assert effect > 0.02
    assert effect.p_value < 0.05
