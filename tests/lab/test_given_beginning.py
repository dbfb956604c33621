"""Answers whose given beginning opens a tag of reasoning."""

from collections import Counter
from pathlib import Path

import pytest

from limen.datasets.answer_text import opened_reasoning
from limen.harness import Experiment, Labelled, Numbers, Trait

from ..testing.labs import lab_at


@pytest.mark.parametrize(
    ("begin", "opened"),
    [
        ("", ""),
        ("My favorite animal is the", ""),
        ("<think>", "<think>"),
        ("Well, <think>\nI", "<think>"),
        ("<think>short</think>", ""),
        ("<|channel|>analysis<|message|>", "<|channel|>analysis<|message|>"),
        ("<|channel|>final<|message|>", ""),
    ],
)
def test_the_tag_that_a_beginning_leaves_open_is_known(begin: str, opened: str) -> None:
    """It is the last one, if nothing closes it."""
    assert opened_reasoning(begin) == opened


def test_reasoning_that_is_cut_off_is_no_answer(store: Path) -> None:
    """With ``begin="<think>"`` what the model goes on to think counts for nothing."""

    def kind(answer: str) -> str | None:
        return "visible" if answer.strip() else None

    def visible(begin: str) -> float:
        measure = Labelled(
            questions=("Name your favorite animal.",), outcome=kind, draws=10, begin=begin
        )
        experiment = Experiment(
            trait=Trait.animal("horse"),
            data=Numbers(generate=4, keep=2),
            measure=measure,
            gate=None,
        )
        arm = lab_at(store).arm(experiment, "baseline")
        assert sum(map(Counter.total, arm.models[0].counts)) == 10
        return float(arm.rate("visible"))

    assert visible("I say: ") == 1
    assert visible("<think>") == 0
