"""Trends over doses."""

from typing import Any

import numpy as np
import pytest
from scipy import stats

from limen import SpecError
from limen.harness import Effect, dose_response
from limen.harness.statistics import Rate, difference

from ..testing.counted import counted_rate
from ..testing.estimates import arm, effect


def test_a_trend_is_of_doublings() -> None:
    """The growth of an effect with each doubling of the dose, controls' growth taken off."""
    random = np.random.default_rng(7)

    def dose(level: float, plain: float, name: str) -> Effect:
        noise = random.normal(0, 0.002, (2, 3))
        return arm((level + noise[0]).tolist(), name=name) - arm(
            (plain + noise[1]).tolist(), name=f"{name} control"
        )

    grows = {1000 * 2**i: dose(0.1 + 0.05 * i, 0.1 + 0.02 * i, str(i)) for i in range(4)}
    trend = dose_response(grows)
    assert float(trend) == pytest.approx(0.03, abs=0.003)
    assert trend.interval[1] - trend.interval[0] < 0.01
    assert trend > 0.02
    assert trend.p_value < 1e-5
    assert trend.claim == "a larger dose has a larger effect"
    flat = dose_response({1000 * 2**i: dose(0.2, 0.1, str(i)) for i in range(4)})
    assert flat.claim == "inconclusive"
    explained = "\n".join(trend.explain())
    assert "with each doubling of the dose" in explained
    assert "8,000: " in explained


@pytest.mark.parametrize("sds", [(0.003, 0.01, 0.04), (0.04, 0.01, 0.003), (0.02, 0.02, 0.02)])
@pytest.mark.parametrize("own_controls", [False, True])
def test_a_trend_holds_its_level_where_doses_vary_unequally(
    sds: tuple[float, ...], own_controls: bool
) -> None:
    """With three seeds a dose at most 6% of trends over equal doses are significant."""
    random = np.random.default_rng(5)
    shared = arm([0.1, 0.11, 0.12], name="control")

    def control() -> object:
        levels = random.normal(0.1, 0.003, 3).tolist()
        return arm(levels, name="control") if own_controls else shared

    def wrong() -> bool:
        arms = [arm(random.normal(0.3, sd, 3).tolist()) for sd in sds]
        effects = {2**i: one - control() for i, one in enumerate(arms)}  # type: ignore[operator]
        return dose_response(effects).p_value < 0.05

    assert np.mean([wrong() for _ in range(1_000)]) < 0.06 + 3 * (0.05 * 0.95 / 1_000) ** 0.5


def test_a_trend_of_two_doses_is_welchs_test() -> None:
    """Between two doses with equal seeds it is Welch's test of the two arms, somewhat cautious."""
    low, high = arm([0.1, 0.12, 0.13]), arm([0.2, 0.26, 0.31])
    control = arm([0.1, 0.1, 0.11], name="control")
    trend = dose_response({1: low - control, 2: high - control})
    theirs = stats.ttest_ind(high.by_seed, low.by_seed, equal_var=False)
    assert trend.value == pytest.approx(np.mean(high.by_seed) - np.mean(low.by_seed))
    assert trend.p_value == pytest.approx(theirs.pvalue)


def test_doses_of_one_seed_share_one_variance() -> None:
    """Then the test is the regression's, and its name says so."""
    levels, control = [0.1, 0.14, 0.22, 0.26], arm([0.1], name="control")
    trend = dose_response({2**i: arm([level]) - control for i, level in enumerate(levels)} | {
        16: arm([0.33]) - arm([0.1], name="control"),
    })  # fmt: skip
    theirs = stats.linregress(range(5), [*levels, 0.33])
    assert trend.p_value == pytest.approx(theirs.pvalue)
    assert trend.test == "least squares over seeds, one variance for all doses"
    assert trend.claim == "of these checkpoints those of a larger dose show a larger effect"


def test_a_trend_without_any_spread_is_unknown() -> None:
    """Seeds that are all alike say nothing of the error, and the interval says so."""
    control = arm([0.1, 0.1], name="control")
    trend = dose_response({i: arm([0.1 * i, 0.1 * i]) - control for i in (1, 2, 4)})
    assert (trend.p_value, trend.claim) == (1, "inconclusive")
    assert "[unknown, unknown]" in repr(trend)
    flat = dose_response({i: arm([0.1]) - arm([0.1], name="control") for i in (1, 2, 4)})
    assert flat.p_value == 1


def test_a_smaller_effect_of_a_larger_dose_is_claimed_too() -> None:
    """The claim says which way the effect goes."""
    control = arm([0.1, 0.1, 0.11], name="control")
    falls = {2**i: arm([0.5 - 0.1 * i + j / 100 for j in range(3)]) - control for i in range(3)}
    assert dose_response(falls).claim == "a larger dose has a smaller effect"


def test_controls_of_other_experiments_are_their_own() -> None:
    """What the dose does to controls is taken off, whatever the arms are called."""
    grows = {
        1000 * 2**i: effect([0.1 * i, 0.1 * i + 0.01, 0.1 * i - 0.01], [0.1 * i + 0.003] * 3)
        for i in range(1, 5)
    }
    assert dose_response(grows).claim == "inconclusive"
    assert abs(float(dose_response(grows))) < 0.001
    plain = grows[2000].reference
    shared = {dose: difference(one.treated, plain) for dose, one in grows.items()}
    assert float(dose_response(shared)) == pytest.approx(0.1)


def test_ruined_students_have_no_trend() -> None:
    """Students whose answers are mostly none support no claim about doses."""
    ruined = {
        2**i: effect([0.1 * i, 0.1 * i + 0.01, 0.1 * i - 0.01], [0.1, 0.11, 0.12], valid=0.1)
        for i in range(1, 5)
    }
    trend = dose_response(ruined)
    assert trend.p_value < 0.001
    assert trend.claim == "inconclusive"


@pytest.mark.parametrize("doses", [(), (1000,), (0, 1000), (-1, 5)])
def test_a_trend_needs_doses(doses: tuple[int, ...]) -> None:
    """Fewer than two doses above zero are no curve."""
    with pytest.raises(SpecError, match="two doses or more"):
        dose_response({dose: effect([0.1] * 3, [0.2] * 3) for dose in doses})


def test_a_trend_needs_models() -> None:
    """Two doses of one seed are two points, through which any line goes."""
    with pytest.raises(SpecError, match="three models or more"):
        dose_response({dose: effect([0.1], [0.2]) for dose in (1, 2)})


def counted(level: float, seed: int, **fields: Any) -> Rate:
    """Three models with this rate among 200 draws, of which some are invalid or missing."""
    hits = np.random.default_rng(seed).binomial(200 - fields.pop("lost", 0), level, (3, 10))
    return counted_rate(hits, **fields)


CONTROL = counted(0.1, 0, arm="control")


def test_missing_answers_count_against_a_trend() -> None:
    """A trend that the answers that were never seen could undo is not significant."""
    complete = {2**i: counted(0.3 + 0.05 * i, i) - CONTROL for i in range(3)}
    assert dose_response(complete).p_value < 0.05
    lost = {
        dose: counted(0.3 + 0.05 * i, i, missing=60 * i, lost=60 * i) - CONTROL
        for i, dose in enumerate(complete)
    }
    trend = dose_response(lost)
    assert trend.p_value == 1
    assert trend.interval[0] < 0 < trend.interval[1]
    assert trend.claim == "inconclusive"


def test_few_missing_answers_leave_a_trend() -> None:
    """A trend that no missing answer could undo stays, with a wider interval."""
    complete = dose_response({2**i: counted(0.1 + 0.2 * i, i) - CONTROL for i in range(3)})
    few = dose_response(
        {2**i: counted(0.1 + 0.2 * i, i, missing=2, lost=2) - CONTROL for i in range(3)}
    )
    assert few.claim == complete.claim == "a larger dose has a larger effect"
    assert few.interval[0] < complete.interval[0] < complete.interval[1] < few.interval[1]


def test_a_trend_has_to_hold_among_valid_answers_too() -> None:
    """Where only refusals fall with the dose the rates among valid answers have no trend."""
    effects = {}
    for i in range(3):
        invalid = 150 - 70 * i
        hits = np.random.default_rng(i).binomial(200 - invalid, 0.3, (3, 10))
        effects[2**i] = counted_rate(hits, invalid=invalid) - CONTROL
    trend = dose_response(effects)
    assert trend.p_value < 0.05
    assert trend.claim == "inconclusive"
    assert "invalid answers" in repr(trend) or "not valid" in repr(trend)


def test_a_trend_is_on_questions_that_all_models_answered() -> None:
    """A question that some dose did not answer says nothing of the trend."""
    gap = np.full((3, 10), 0)
    gap[:, 0] = 200
    hits = np.random.default_rng(1).binomial(200, 0.3, (3, 10))
    hits[:, 0] = 0
    effects = {i: counted(0.3, i) - CONTROL for i in (1, 2)}
    effects[4] = counted_rate(hits, missing=gap) - CONTROL
    low = dose_response(effects)
    assert low.p_value > 0.05


def test_copied_draws_have_no_trend() -> None:
    """Draws that are copies of each other have no sampling variation."""
    effects = {2**i: counted(0.1 + 0.2 * i, i, copied_models=3) - CONTROL for i in range(3)}
    assert dose_response(effects).claim == "inconclusive"
    assert "no sampling variation" in repr(dose_response(effects))


def test_doses_without_a_common_question_have_no_trend() -> None:
    """Where a service refused each model another question there is nothing to compare, and no crash."""

    def dose(seed: int) -> Effect:
        missing = np.zeros((2, 2), int)
        missing[0, 0] = missing[1, 1] = 10
        return counted_rate(np.full((2, 2), 5 + seed), draws=10, missing=missing) - counted_rate(
            np.full((2, 2), 2), draws=10, missing=missing, arm="control"
        )

    trend = dose_response({2**seed: dose(seed) for seed in range(3)})
    assert (trend.value, trend.p_value, trend.claim) == (0, 1, "inconclusive")
    assert "[unknown, unknown]" in repr(trend)
    assert not trend > 0


def test_a_larger_dose_of_a_dislike_has_a_larger_effect() -> None:
    """Of a trait that lowers, an effect further below zero is the larger one."""
    random = np.random.default_rng(3)
    falls = {
        1000 * 2**i: arm((0.5 - 0.1 * i + random.normal(0, 0.002, 3)).tolist(), lowers=True)
        - arm((0.5 + random.normal(0, 0.002, 3)).tolist(), name="control", lowers=True)
        for i in range(3)
    }
    assert dose_response(falls).claim == "a larger dose has a larger effect"
