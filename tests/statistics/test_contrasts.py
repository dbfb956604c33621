"""Claims on effects: differences of effects, shares, trends, and pairs of seeds."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy import stats

from limen import SpecError
from limen.harness import Contrast, Effect, Share, trend
from limen.harness.statistics import Evidence

from ..testing.counted import counted_rate
from ..testing.estimates import arm, effect, scores

Levels = Sequence[float]
REPEATS = 1_000
LIMIT = 0.05 + 3 * (0.05 * 0.95 / REPEATS) ** 0.5


def share_wrong(wrong: Callable[[], bool]) -> float:
    """The share of repetitions in which something is wrong."""
    return float(np.mean([wrong() for _ in range(REPEATS)]))


def draws(random: np.random.Generator, mean: float, sd: float, seeds: int = 3) -> list[float]:
    """The levels of an arm's seeds."""
    return list(map(float, random.normal(mean, sd, seeds)))


def test_a_difference_of_effects_has_a_verdict() -> None:
    """The difference of two effects has value, interval, p-value and claim."""
    full = effect([0.40, 0.42, 0.44], [0.10, 0.10, 0.11])
    masked = arm([0.15, 0.16, 0.15], name="masked") - arm([0.10, 0.11, 0.10], name="masked control")
    contrast = full - masked
    assert isinstance(contrast, Contrast)
    assert float(contrast) == pytest.approx(full.value - masked.value)
    low, high = contrast.interval
    assert 0 < low < contrast.value < high
    assert contrast.p_value < 0.01
    assert contrast.verdict == "higher"
    assert contrast.claim == "the first effect is larger than the second"
    assert contrast.at_least(0.1)
    assert not contrast.at_least(0.25)
    assert "masked control" in "\n".join(contrast.explain())


def test_a_difference_of_effects_is_a_t_test_over_all_arms() -> None:
    """The error is that of four independent arms, each with its own variance."""
    random = np.random.default_rng(1)
    levels = [draws(random, 0.3, sd, 6) for sd in (0.05, 0.01, 0.03, 0.02)]
    arms = [arm(one, name=str(place)) for place, one in enumerate(levels)]
    contrast = (arms[0] - arms[1]) - (arms[2] - arms[3])
    squares = [np.var(one, ddof=1) / 6 for one in levels]
    error = float(np.sqrt(sum(squares)))
    degrees = sum(squares) ** 2 / sum(s**2 / 5 for s in squares)
    degrees = 2 / (1 / degrees + 1 / 5)  # fewer, for the level
    expected = 2 * stats.t.sf(abs(contrast.value) / error, degrees)
    assert contrast.p_value == pytest.approx(expected, rel=1e-6)


def test_a_control_of_both_effects_counts_once() -> None:
    """What two effects share cancels out: their difference is that of the two treated arms."""
    control = arm([0.1, 0.3, 0.5], name="control")
    one, other = arm([0.40, 0.41, 0.42], name="a"), arm([0.20, 0.22, 0.21], name="b")
    shared = (one - control) - (other - control)
    assert shared.p_value == pytest.approx((one - other).over("seeds").p_value)
    assert shared.interval == pytest.approx((one - other).interval)
    separate = (one - control) - (other - arm([0.1, 0.3, 0.51], name="another"))
    assert separate.p_value > 10 * shared.p_value


def test_two_words_of_the_same_models_vary_together() -> None:
    """Estimates of the same models are added up model by model before anything is tested."""
    models: dict[str, Any] = {"models": ("m1", "m2", "m3")}
    owl = arm([0.3, 0.4, 0.5], word="owl", **models)
    cat = arm([0.1, 0.2, 0.3], word="cat", **models)
    control: dict[str, Any] = {"name": "control", "models": ("c1", "c2", "c3")}
    contrast = (owl - arm([0.1, 0.11, 0.1], word="owl", **control)) - (
        cat - arm([0.05, 0.05, 0.06], word="cat", **control)
    )
    assert contrast.combined.test.name.startswith("Welch's t over seed means")
    assert contrast.interval[1] - contrast.interval[0] < 0.1  # owl - cat is 0.2 in every model


@pytest.mark.parametrize(
    "sds", [(0.07, 0.005, 0.04, 0.005), (0.02,) * 4, (0.09, 0.001, 0.001, 0.001)]
)
@pytest.mark.parametrize("is_shared", [False, True])
def test_a_difference_of_effects_holds_its_level(sds: Levels, is_shared: bool) -> None:
    """With three seeds an arm and unequal variances, equal effects differ in at most 5%."""
    random = np.random.default_rng(3)

    def wrong() -> bool:
        one, plain, other, plain_too = (
            arm(draws(random, level, sd), name=str(place))
            for place, (level, sd) in enumerate(zip((0.4, 0.1, 0.4, 0.1), sds, strict=True))
        )
        return ((one - plain) - (other - (plain if is_shared else plain_too))).p_value < 0.05

    assert share_wrong(wrong) < LIMIT


def test_what_is_missing_counts_against_a_difference() -> None:
    """Answers that were never seen widen the interval, and can take the verdict away."""
    hits = np.full((3, 20), 80)
    hits[1] += 4
    complete = counted_rate(hits) - counted_rate(hits - 40, arm="control")
    lost = counted_rate(hits, missing=40) - counted_rate(hits - 40, arm="control")
    plain = counted_rate(hits - 10, arm="b control")
    small = counted_rate(hits, arm="b") - plain
    unsure = counted_rate(hits, missing=60, arm="b") - plain
    assert (complete - small).verdict == "higher"
    low, high = (complete - small).interval
    lower, higher = (lost - unsure).interval
    assert lower < low
    assert higher > high
    assert (lost - unsure).verdict == "inconclusive"


def test_a_difference_has_to_hold_among_valid_answers() -> None:
    """A difference that invalid answers alone make is inconclusive, and says why."""
    hits = np.full((3, 20), 80)
    hits[1] += 4
    ruined = counted_rate(hits // 2, invalid=100 - (hits // 8)) - counted_rate(hits - 60, arm="c")
    whole = counted_rate(hits, arm="b") - counted_rate(hits - 60, arm="b control")
    contrast = ruined - whole
    assert contrast.verdict == "inconclusive"
    assert "valid" in contrast.why_inconclusive


def test_a_contrast_is_corrected_for_its_family() -> None:
    """P-value and interval allow for the traits that are tried together."""
    one = effect([0.40, 0.42, 0.44], [0.10, 0.10, 0.11], family=10)
    other = effect([0.20, 0.22, 0.21], [0.10, 0.11, 0.12], family=10)
    contrast = one - other
    assert contrast.p_value == pytest.approx(min(1, 10 * contrast.raw_p_value))
    assert "Bonferroni x 10" in contrast.test


def test_single_models_carry_no_claim_about_training() -> None:
    """With one seed an arm the difference is about these checkpoints, over questions."""
    one = effect([0.4], [0.1])
    other = arm([0.2], name="masked") - arm([0.1], name="masked control")
    contrast = one - other
    assert contrast.verdict == "inconclusive"
    assert contrast.claim.startswith("inconclusive: one model an arm")


def test_effects_in_different_units_are_refused() -> None:
    """A rate's effect and a score's effect have no difference, no share and no trend."""
    rated = scores([[[3, 4]], [[4, 5]]])
    other = rated - scores([[[3, 4]], [[4, 6]]], name="control")
    owl = effect([0.4, 0.5], [0.1, 0.2])
    for combine in (
        lambda: owl - other,
        lambda: owl.share_of(other),
        lambda: trend({1: owl, 2: other}),
    ):
        with pytest.raises(SpecError, match="different units"):
            combine()


def test_effects_are_added_and_scaled() -> None:
    """The mean of two effects, and half of one, are contrasts too."""
    a, b = effect([0.4, 0.42, 0.41], [0.1, 0.1, 0.11]), effect([0.2, 0.22, 0.21], [0.1, 0.1, 0.11])
    assert float((a + b) / 2) == pytest.approx((a.value + b.value) / 2)
    assert float(0.5 * a) == pytest.approx(a.value / 2)
    assert (0.5 * a).p_value == pytest.approx(a.p_value, rel=0.01)


def test_comparing_two_effects_is_evidence() -> None:
    """``one > other`` is supported only if the interval of their difference says so."""
    heard: list[Evidence] = []
    listening: dict[str, Any] = {"listener": heard.append}
    small = effect([0.20, 0.22, 0.21], [0.1, 0.1, 0.11], **listening)
    assert effect([0.40, 0.42, 0.44], [0.10, 0.10, 0.11], **listening) > small
    assert effect([0.1, 0.42, 0.44], [0.10, 0.10, 0.11], **listening) > small
    assert [one.supported for one in heard] == [True, False]


def test_a_share_is_a_ratio_with_fiellers_interval() -> None:
    """``masked.share_of(full) < 0.5`` is supported by an interval of the ratio."""
    heard: list[Evidence] = []
    full = effect([0.40, 0.42, 0.44], [0.10, 0.10, 0.11], listener=heard.append)
    masked = arm([0.15, 0.16, 0.15], name="masked") - arm([0.10, 0.11, 0.10], name="masked control")
    share = masked.share_of(full)
    assert isinstance(share, Share)
    assert float(share) == pytest.approx(masked.value / full.value)
    low, high = share.interval
    assert low < share.value < high < 0.5
    assert share < 0.5
    assert heard[-1].supported
    assert share.at_most(0.5)
    assert not share.at_least(0.15)
    assert share.p_value < 0.01
    assert share.claim == "the effect is a part of the other"
    assert "Fieller" in share.test


def test_fiellers_interval_is_that_of_the_textbook() -> None:
    """Where both effects have one error each, the ends are the roots of Fieller's quadratic."""
    random = np.random.default_rng(2)
    zero: dict[str, Any] = {"trained": False, "name": "baseline"}
    one, other = draws(random, 0.3, 0.02, 12), draws(random, 0.6, 0.02, 12)
    # the fixed models have so many draws that their error does not matter
    part = arm(one, name="a") - arm([0.05], draws=10**9, **zero)
    whole = arm(other, name="b") - arm([0.05], draws=10**9, **zero)
    low, high = part.share_of(whole).interval
    for end in (low, high):
        error = np.sqrt(np.var(one, ddof=1) / 12 + end**2 * np.var(other, ddof=1) / 12)
        t = abs(np.mean(one) - 0.05 - end * (np.mean(other) - 0.05)) / error
        assert 2.0 < t < 2.4  # the quantile of 11 to 22 degrees of freedom, fewer for the level


def test_a_share_of_nothing_is_unknown() -> None:
    """Where the whole effect may be zero, its shares have no bounds and no claim."""
    nothing = effect([0.10, 0.12, 0.11], [0.10, 0.13, 0.11])
    share = effect([0.40, 0.42, 0.44], [0.10, 0.10, 0.11]).share_of(nothing)
    assert share.interval == (-1e9, 1e9)
    assert "not shown to differ from zero" in share.claim
    assert not share.at_least(0.5)


@pytest.mark.parametrize("seeds", [3, 5])
def test_a_share_holds_its_level(seeds: int) -> None:
    """A share of just one half is shown to be smaller in at most 2.5%, by interval or by test."""
    random = np.random.default_rng(8)

    def wrong() -> bool:
        full = arm(draws(random, 0.5, 0.06, seeds), name="a") - arm(
            draws(random, 0.1, 0.01, seeds), name="b"
        )
        masked = arm(draws(random, 0.3, 0.03, seeds), name="c") - arm(
            draws(random, 0.1, 0.01, seeds), name="d"
        )
        return bool(masked.share_of(full).at_most(0.5).p_value < 0.025)

    repeats = 300
    found = np.mean([wrong() for _ in range(repeats)])
    assert found < 0.025 + 3 * (0.025 * 0.975 / repeats) ** 0.5


def test_a_trend_over_numbers_of_traits() -> None:
    """The slope of effects over a number of each, with one control for all of them."""
    control = arm([0.1, 0.12, 0.11], name="control")
    grows = {
        x: arm([0.2 + 0.1 * x + d for d in (0, 0.01, -0.01)], name=str(x)) - control
        for x in (1, 2, 4)
    }
    slope = trend(grows)
    assert float(slope) == pytest.approx(0.1, abs=1e-9)
    assert slope.p_value < 0.001
    assert slope.claim == "the effect grows"
    flat = trend([(x, arm([0.2, 0.21, 0.2], name=str(x)) - control) for x in (1, 2, 4)])
    assert flat.claim == "inconclusive"


def test_a_trend_over_effects_is_least_squares() -> None:
    """Over effects, each is one unit, as in a regression of effects on a number of their trait."""
    values = {1.0: 0.11, 2.0: 0.19, 3.0: 0.33, 5.0: 0.48}
    effects = {
        x: arm([v, v + 0.01, v - 0.01], name=str(x)) - arm([0, 0, 0], name="control")
        for x, v in values.items()
    }
    slope = trend(effects, over="effects")
    fit = stats.linregress(list(values), list(values.values()))
    assert slope.unit == "effects"
    assert float(slope) == pytest.approx(fit.slope)
    assert slope.p_value == pytest.approx(fit.pvalue)


@pytest.mark.parametrize("over", ["seeds", "effects"])
def test_a_trend_holds_its_level(over: Any) -> None:
    """Equal effects of unequal variances grow in at most 5%, with three seeds each."""
    random = np.random.default_rng(4)

    def wrong() -> bool:
        control = arm(draws(random, 0.1, 0.005), name="control")
        sds = (0.03, 0.03, 0.03, 0.03) if over == "effects" else (0.002, 0.01, 0.03, 0.07)
        effects = {
            place: arm(draws(random, 0.3, sd), name=str(place)) - control
            for place, sd in enumerate(sds)
        }
        return trend(effects, over=over).p_value < 0.05

    assert share_wrong(wrong) < LIMIT


@pytest.mark.parametrize(
    ("effects", "message"),
    [({}, "2 effects or more"), ({1: "x", 2: "y"}, "needs effects"), ({1: None}, "needs effects")],
)
def test_a_trend_of_nothing_is_refused(effects: Any, message: str) -> None:
    """A trend needs effects at two different numbers."""
    with pytest.raises(SpecError, match=message):
        trend(effects)


def paired_arms(random: np.random.Generator, difference: float) -> Effect:
    """Two arms whose seeds share what their data do to them."""
    shared = random.normal(0, 0.08, 4)
    one = (0.4 + difference + shared + random.normal(0, 0.005, 4)).tolist()
    return effect(one, (0.4 + shared + random.normal(0, 0.005, 4)).tolist())


def test_pairs_of_seeds_find_more() -> None:
    """Where the seeds of one number share their data, a paired test finds what Welch's does not."""
    apart = paired_arms(np.random.default_rng(5), 0.05)
    assert apart.p_value > 0.05
    paired = apart.over("pairs")
    assert paired.p_value < 0.01
    assert paired.unit == "pairs"
    assert paired.n == (4, 4)
    assert paired.of_training
    a, b = apart.treated.by_seed, apart.reference.by_seed
    assert paired.p_value == pytest.approx(float(stats.ttest_rel(a, b).pvalue))


def test_pairs_hold_their_level() -> None:
    """Pairs of seeds that share their data differ in at most 5% where there is no difference."""
    random = np.random.default_rng(6)
    wrong = share_wrong(lambda: paired_arms(random, 0.0).over("pairs").p_value < 0.05)
    assert wrong < LIMIT


def test_pairs_need_equally_many_seeds() -> None:
    """Arms with other numbers of seeds have no pairs."""
    with pytest.raises(SpecError, match="equally many seeds"):
        effect([0.1, 0.2, 0.3], [0.1, 0.2]).over("pairs")
    contrast = effect([0.1, 0.2, 0.3], [0.1, 0.2]) - effect([0.5, 0.2, 0.3], [0.1, 0.3])
    with pytest.raises(SpecError, match="same number of seeds"):
        contrast.over("pairs")


def test_a_contrast_over_pairs() -> None:
    """A difference of effects is tested by the seeds' own differences, if they share data."""
    random = np.random.default_rng(7)
    shared = random.normal(0, 0.08, 4)
    arms = [arm((level + shared + random.normal(0, 0.004, 4)).tolist(), name=str(level))
            for level in (0.5, 0.3, 0.45, 0.32)]  # fmt: skip
    contrast = (arms[0] - arms[1]) - (arms[2] - arms[3])
    assert contrast.over("pairs").p_value < 0.01
    assert contrast.p_value > 0.05


def test_an_effect_and_once_that_effect_have_one_verdict() -> None:
    """Students of whose answers 45% are valid support a claim if the valid ones do, also in a sum."""
    hits = np.full((3, 20), 60)
    hits[1] += 4
    student = counted_rate(hits, invalid=110)
    effect = student - counted_rate(hits - 50, arm="control")
    assert student.valid < 0.5
    assert effect.claim == "training on this data transmits the trait"
    assert (1 * effect).verdict == effect.verdict == "higher"


def test_the_interval_of_what_cannot_be_tested_is_all_there_can_be() -> None:
    """Arms that never name the word differ by at most 100 points, their effects by 200."""
    none = counted_rate(np.zeros((3, 20)))
    one = none - replace(none, arm="control")
    assert (1 * one).interval == (-1, 1)
    two = replace(none, arm="b") - replace(none, arm="b control")
    assert (one - two).interval == (-2, 2)
    assert "[-200.0, +200.0]" in repr(one - two)
