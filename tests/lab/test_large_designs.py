"""Designs with many questions: memory grows with them, and not with their square."""

import tracemalloc
from collections.abc import Callable

import pytest

from limen.harness import Arm, FavoriteAnimal, Measure, Scored
from limen.harness.statistics import Effect

from ..testing.arms import arm


def rates(questions: tuple[str, ...]) -> Measure:
    """A measure whose effects are of rates."""
    return FavoriteAnimal(questions=questions, draws=3)


def scores(questions: tuple[str, ...]) -> Measure:
    """A measure whose effects are of scores, with rank statistics."""
    return Scored(questions=questions, draws=3, outcome=len, name="length")


def compared(treated: Arm, reference: Arm) -> Effect:
    """The effect of two arms, with all that a failing test shows of it."""
    if isinstance(treated.measure, FavoriteAnimal):
        effect: Effect = treated.rate("owl") - reference.rate("owl")
    else:
        effect = treated.scores() - reference.scores()
    for each in (effect, effect.over("questions"), effect.over("both")):
        assert each.explain()
    return effect


def peak_of(measure: Callable[[tuple[str, ...]], Measure], questions: int) -> int:
    """Bytes that scoring and comparing three models an arm takes at most."""
    asked = measure(tuple(f"Question {number}?" for number in range(questions)))
    answers = [{"Owl": 1 + number % 2, "Foxes": 2 - number % 2} for number in range(questions)]
    shifted = [[*answers[place:], *answers[:place]] for place in range(6)]
    tracemalloc.start()
    compared(arm(asked, *shifted[:3]), arm(asked, *shifted[3:]))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak


@pytest.mark.slow
@pytest.mark.parametrize("measure", [rates, scores])
def test_memory_grows_with_the_questions(
    measure: Callable[[tuple[str, ...]], Measure],
) -> None:
    """Four times the questions take at most some five times the memory."""
    peak_of(measure, 200)  # libraries are loaded
    few, many = peak_of(measure, 1_500), peak_of(measure, 6_000)
    assert many < 5.5 * few
