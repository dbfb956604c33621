"""Effects over seeds and questions at once, and what a value varies by."""

import numpy as np
import pytest

from limen import SpecError
from limen.harness.statistics import Effect

from ..testing.counted import counted_rate


def simulated(
    random: np.random.Generator,
    seeds: tuple[int, int],
    questions: int,
    *,
    spread: tuple[float, float],
    by_question: float,
    draws: int = 200,
) -> Effect:
    """Arms whose true difference is 20 points over all seeds and questions."""
    levels = random.normal(0.4, 0.1, questions)
    shift = random.normal(0.2, by_question, questions)
    tables = [
        level + random.normal(0, sd, (count, 1)) + random.normal(0, 0.02, (count, questions))
        for level, sd, count in zip((levels + shift, levels), spread, seeds, strict=True)
    ]
    student, control = (random.binomial(draws, t.clip(0, 1)).astype(float) for t in tables)
    return counted_rate(student, draws=draws) - counted_rate(control, draws=draws, arm="control")


@pytest.mark.parametrize("seeds", [(3, 3), (5, 5), (8, 8), (3, 8)])
@pytest.mark.parametrize("questions", [10, 50])
@pytest.mark.parametrize(("spread", "by_question"), [((0.05, 0.003), 0.1), ((0.02, 0.02), 0.02)])
def test_intervals_over_both_cover_the_truth(
    seeds: tuple[int, int], questions: int, spread: tuple[float, float], by_question: float
) -> None:
    """With seeds and questions random, the 95% interval has the true difference in 92% or more."""
    random = np.random.default_rng([*seeds, questions, round(1000 * by_question)])
    runs = 150
    inside = 0
    for _ in range(runs):
        effect = simulated(random, seeds, questions, spread=spread, by_question=by_question)
        low, high = effect.over("both").interval
        inside += low < 0.2 < high
    assert inside >= 0.92 * runs - 2 * np.sqrt(runs * 0.92 * 0.08)


def test_over_both_is_wider_than_over_either() -> None:
    """It allows for other seeds and other questions; each says what it is over."""
    effect = simulated(np.random.default_rng(1), (4, 4), 20, spread=(0.03, 0.01), by_question=0.1)
    widths = {
        unit: np.diff(effect.over(unit).interval)[0] for unit in ("seeds", "questions", "both")
    }
    assert widths["both"] > max(widths["seeds"], widths["questions"])
    for unit in widths:
        other = effect.over(unit)  # type: ignore[arg-type]
        assert other.unit == unit
        assert f"] over {unit}, p = " in repr(other)
    both = effect.over("both")
    assert both.claim == "training on this data transmits the trait"
    assert both.value == pytest.approx(effect.value)
    assert "crossed" in both.test


def test_over_both_needs_seeds_and_questions() -> None:
    """One model an arm has no seeds to be random; one question is no sample of questions."""
    random = np.random.default_rng(1)
    with pytest.raises(SpecError, match="a test over both needs two an arm"):
        simulated(random, (1, 1), 10, spread=(0.01, 0.01), by_question=0.1).over("both")
    one = simulated(random, (3, 3), 1, spread=(0.01, 0.01), by_question=0.1).over("both")
    assert one.p_value == 1
    assert "one question says nothing" in one.note


def test_over_both_without_any_spread_shows_nothing() -> None:
    """Arms without spread in seeds and questions have no error to test against."""
    flat = np.full((3, 10), 50.0)
    effect = (counted_rate(flat + 50) - counted_rate(flat, arm="control")).over("both")
    assert (effect.p_value, effect.interval) == (1, (-1, 1))


def test_different_questions_over_both_are_not_paired() -> None:
    """Arms that were asked other questions have the error of both sets."""
    random = np.random.default_rng(5)
    tables = random.binomial(200, 0.3, (2, 4, 12)).astype(float)
    same = counted_rate(tables[0]) - counted_rate(tables[1], arm="control")
    other = counted_rate(tables[1], arm="control", questions=tuple(f"p{i}" for i in range(12)))
    assert (counted_rate(tables[0]) - other).over("both").value == pytest.approx(same.value)
    assert (counted_rate(tables[0]) - other).over("both").interval != same.over("both").interval


def test_components_are_what_the_data_were_made_with() -> None:
    """Standard deviations of seeds, questions, their interaction and draws, without their noise."""
    random = np.random.default_rng(2)
    seeds, questions, draws = 200, 200, 100
    level = 0.4 + random.normal(0, 0.08, questions) + random.normal(0, 0.04, (seeds, 1))
    level = level + random.normal(0, 0.03, (seeds, questions))
    found = counted_rate(random.binomial(draws, level).astype(float), draws=draws).components
    assert found.seed == pytest.approx(0.04, rel=0.1)
    assert found.question == pytest.approx(0.08, rel=0.1)
    assert found.seed_by_question == pytest.approx(0.03, rel=0.1)
    assert found.draw == pytest.approx(np.sqrt(0.24), rel=0.05)
    assert "seed 0.04" in repr(found)


def test_components_of_an_effect_are_of_the_difference() -> None:
    """The question component is how much the effect differs from question to question."""
    effect = simulated(
        np.random.default_rng(3), (60, 60), 300, spread=(0.04, 0.03), by_question=0.07
    )
    assert effect.components.seed == pytest.approx(0.05, rel=0.15)
    assert effect.components.question == pytest.approx(0.07, rel=0.15)


def test_components_that_cannot_be_estimated_are_none() -> None:
    """One seed says nothing of seeds, and one question nothing of questions."""
    one = counted_rate(np.array([[20.0, 40.0, 60.0]])).components
    assert (one.seed, one.seed_by_question) == (None, None)
    assert one.question is not None
    single = counted_rate(np.array([[20.0], [40.0]])).components
    assert single.question is None
    assert single.seed is not None
    nothing = counted_rate(np.zeros((1, 2)), missing=200).components
    assert (nothing.seed, nothing.question) == (None, None)
    assert "unknown" in repr(nothing)
