import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import TTestIndPower
from statsmodels.stats.proportion import proportion_confint
from statsmodels.stats.weightstats import CompareMeans, DescrStatsW, ttost_ind, ttost_paired

from limen import SpecError
from limen.harness import Scores, benjamini_hochberg, dose_response, dunnett, holm
from limen.harness.statistics import (
    Design,
    Effect,
    Rate,
    Spread,
    between_seeds,
    difference,
    standardised,
)
from limen.harness.statistics import hypothesis_tests as own


def near(expected: Any) -> Any:
    """A value, to nine digits."""
    return pytest.approx(expected, rel=1e-9, abs=1e-9)


def values(random: np.random.Generator, count: Any, level: float = 0.3) -> list[float]:
    """Some random values around a level."""
    return random.normal(level, 0.1, count).tolist()  # type: ignore[no-any-return]


def arm(levels: Sequence[float], *, name: str = "student", **changes: object) -> Rate:
    """An arm whose seeds have these means: 20 questions, a little apart."""
    offsets = np.linspace(-0.02, 0.02, 20)
    return Rate(
        **{
            "word": "owl",
            "arm": name,
            "questions": tuple(f"q{i}" for i in range(20)),
            "table": tuple(tuple((level + offsets).tolist()) for level in levels),
            "draws": 200,
            "valid": 1.0,
            "missing": 0,
            "trained": True,
            **changes,
        }  # type: ignore[arg-type]
    )


def effect(a: Sequence[float], b: Sequence[float], **changes: Any) -> Effect:
    """The effect of two arms."""
    return arm(a, **changes) - arm(b, name="control", **changes)


@pytest.mark.parametrize("seed", range(20))
def test_every_test_agrees_with_scipy_and_statsmodels(seed: int) -> None:
    """On random inputs p-values, intervals and statistics are the libraries' to nine digits."""
    random = np.random.default_rng(seed)
    a, b = values(random, random.integers(3, 9)), values(random, random.integers(3, 9), 0.4)
    pair = values(random, len(a))

    welch = own.welch(a, b, unit="seeds", of="", level=0.95, bound=1)
    theirs = CompareMeans(DescrStatsW(a), DescrStatsW(b))
    assert welch.p_value == near(theirs.ttest_ind(usevar="unequal")[1])
    assert welch.interval == near(theirs.tconfint_diff(usevar="unequal"))

    paired = own.paired(a, pair, level=0.9, bound=1)
    differences = DescrStatsW(np.subtract(a, pair))
    assert paired.p_value == near(differences.ttest_mean(0)[1])
    assert paired.interval == near(differences.tconfint_mean(alpha=0.1))

    tost = own.tost(a, b, 0.15, paired=False)
    assert tost == near(ttost_ind(a, b, -0.15, 0.15, usevar="unequal")[0])
    tost = own.tost(a, pair, 0.15, paired=True)
    assert tost == near(ttost_paired(np.asarray(a), np.asarray(pair), -0.15, 0.15)[0])

    low, high = DescrStatsW(a).tconfint_mean()
    assert own.half_width(a) == near((high - low) / 2)
    p_value, interval = own.one_sample(a)
    assert p_value == near(DescrStatsW(a).ttest_mean(0)[1])
    assert interval == near((low, high))

    ranks = own.mann_whitney([round(x, 1) for x in a], [round(x, 1) for x in b], "greater")
    expected = stats.mannwhitneyu(
        np.round(a, 1), np.round(b, 1), alternative="greater", method="asymptotic"
    )
    assert (ranks.u, ranks.p_value) == near((expected.statistic, expected.pvalue))
    more = np.sign(np.subtract.outer(np.round(a, 1), np.round(b, 1)))
    assert ranks.delta == near(more.mean())

    low, high = proportion_confint(7, 40, method="beta")
    assert own.binomial_interval(7 / 40, 40) == near((low, high))

    p_values = random.uniform(0, 0.2, 7).tolist()
    assert own.holm(p_values) == near(multipletests(p_values, method="holm")[1])
    assert own.benjamini_hochberg(p_values) == near(stats.false_discovery_control(p_values))

    flipped = own.sign_flip(values(random, 8, 0.05))
    assert 2**-7 <= flipped <= 1
    exact = [np.mean(s) for s in np.array(np.meshgrid(*[[-1, 1]] * 5)).T.reshape(-1, 5) * a[0]]
    assert own.sign_flip([a[0]] * 5) == near(np.mean(np.abs(exact) >= abs(a[0]) - 1e-12))


def test_a_slope_is_tested_as_a_regression_does() -> None:
    """One line's test is linregress's; of two alike in spread and size it is the pooled one's."""
    random = np.random.default_rng(1)
    x = np.repeat([1.0, 2.0, 4.0], 5)
    y = 0.3 * x + random.normal(size=15)
    found = stats.linregress(x, y)
    p_value, (low, high) = own.slope_test(own.line(x.tolist(), y.tolist()), None, level=0.95)
    assert p_value == near(found.pvalue)
    half = stats.t.ppf(0.975, 13) * found.stderr
    assert (low, high) == near((found.slope - half, found.slope + half))


def test_holm_counts_the_family_that_was_not_run() -> None:
    """A family that is larger than what was selected makes every p-value larger, and none smaller."""
    given_ = [0.01, 0.04, 0.03]
    alone, among = own.holm(given_), own.holm(given_, family=10)
    assert alone == pytest.approx([0.03, 0.06, 0.06])
    assert among == pytest.approx([0.1, 0.32, 0.27])


def test_several_traits_are_corrected_in_a_line() -> None:
    """Holm's effects are asserted on as one effect is, and say how they were corrected."""
    strong, weak = effect([0.5, 0.51, 0.52], [0.1, 0.11, 0.12]), effect([0.13, 0.1], [0.1, 0.12])
    found = holm({"owl": strong, "eagle": weak})
    assert found["owl"] > 0.3
    assert found["owl"].p_value == pytest.approx(2 * strong.p_value)
    assert found["owl"].claim == "training on this data transmits the trait"
    assert found["owl"].test == "Welch's t over seed means, Holm of 2"
    assert found["eagle"].claim == "inconclusive"
    wide, narrow = found["owl"].interval, strong.interval
    assert wide[0] < narrow[0] < narrow[1] < wide[1]
    assert "Holm of 2" in "".join(found["owl"].explain())
    nothing: Any
    for nothing in ({}, [strong]):
        with pytest.raises(SpecError, match="effects by name"):
            holm(nothing)


def test_what_is_explored_is_to_be_confirmed() -> None:
    """Benjamini and Hochberg's q-values claim nothing for good."""
    found = benjamini_hochberg({"a": effect([0.5, 0.51, 0.52], [0.1, 0.11, 0.12])})["a"]
    assert found.claim == "to be confirmed: training on this data transmits the trait"
    assert found.test.endswith("Benjamini-Hochberg of 1")


def test_arms_that_share_a_control_are_dunnetts() -> None:
    """The test is scipy's, its intervals are simultaneous, and its findings are no fewer than Holm's."""
    random = np.random.default_rng(3)
    groups = [random.normal(level, 0.02, 4).tolist() for level in (0.1, 0.16, 0.2)]
    control = arm(random.normal(0.1, 0.02, 4).tolist(), name="control")
    arms = {str(i): arm(group, name=str(i)) for i, group in enumerate(groups)}
    found = dunnett(arms, control)
    theirs = stats.dunnett(
        *[one.by_seed for one in arms.values()],
        control=control.by_seed,
        rng=np.random.default_rng(0),
    )
    assert [one.p_value for one in found.values()] == near(theirs.pvalue.tolist())
    low = theirs.confidence_interval(0.95).low
    assert [one.interval[0] for one in found.values()] == near(low.tolist())
    assert found["0"].test == "Dunnett's test over seed means, 3 v 1"
    assert [one.verdict for one in found.values()] == ["inconclusive", "higher", "higher"]
    one_seed = dunnett({"a": arm([0.3], name="a")}, control)["a"]
    assert "Holm of 1" in one_seed.test
    assert one_seed.unit == "questions"


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
    assert trend.p_value < 1e-6
    assert trend.claim == "a larger dose has a larger effect"
    flat = dose_response({1000 * 2**i: dose(0.2, 0.1, str(i)) for i in range(4)})
    assert flat.claim == "inconclusive"
    flats = (dose_response({2**i: dose(0.2, 0.1, str(i)) for i in range(4)}) for _ in range(200))
    assert sum(flat.p_value < 0.05 for flat in flats) <= 19  # 5% are 10; 3 standard deviations
    told = "\n".join(trend.explain())
    assert "with each doubling of the dose" in told
    assert "8,000: " in told


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


def test_what_cannot_be_told_has_no_narrow_interval() -> None:
    """One question, or two that agree, bound nothing: the interval says so, as the p-value does."""
    two = arm([0.3], table=((0.3, 0.4),), questions=("a", "b")) - arm(
        [0.2], name="control", table=((0.2, 0.3),), questions=("a", "b")
    )
    assert (two.p_value, two.interval) == (0.5, (-1, 1))
    p_value, interval = own.one_sample([0.4], bound=1.0)
    assert (p_value, interval) == (1.0, (-1.0, 1.0))
    assert Scores(
        name="j", arm="s", questions=("q",), draws=1, valid=1.0, missing=0, trained=True,
        table=((1.0,),), each=(((1.0,),),),
    ).show_interval((-own.UNBOUNDED, own.UNBOUNDED)) == "[unknown, unknown]"  # fmt: skip


def test_dunnetts_unit_is_its_own() -> None:
    """A pair of arms without spread is tested over seeds all the same, where another has some."""
    arms = {"a": arm([0.3, 0.3, 0.3], name="a"), "b": arm([0.1, 0.2, 0.3], name="b")}
    found = dunnett(arms, arm([0.1, 0.1, 0.1], name="control"))["a"]
    assert (found.unit, found.n) == ("seeds", (3, 3))
    assert found.test.startswith("Dunnett")


@pytest.mark.parametrize("doses", [(), (1000,), (0, 1000), (-1, 5)])
def test_a_trend_needs_doses(doses: tuple[int, ...]) -> None:
    """Fewer than two doses above zero are no curve."""
    with pytest.raises(SpecError, match="two doses or more"):
        dose_response({dose: effect([0.1] * 3, [0.2] * 3) for dose in doses})


def test_a_trend_needs_models() -> None:
    """Two doses of one seed are two points, through which any line goes."""
    with pytest.raises(SpecError, match="three models or more"):
        dose_response({dose: effect([0.1], [0.2]) for dose in (1, 2)})


def test_an_effect_can_be_tested_over_questions() -> None:
    """Over questions it is about these checkpoints alone, with a permutation test beside it."""
    both = effect([0.30, 0.34, 0.38], [0.28, 0.33, 0.36])
    assert (both.unit, both.verdict, both.n) == ("seeds", "inconclusive", (3, 3))
    over = both.over("questions")
    assert (over.unit, over.n, over.verdict) == ("questions", (20, 20), "higher")
    assert over.claim == "only these checkpoints differ"
    assert over.sign_flip_p_value is not None
    assert over.sign_flip_p_value < 0.001
    assert both.sign_flip_p_value is None
    assert over.over("seeds").p_value == both.p_value
    with pytest.raises(SpecError, match="needs two an arm, and there are 1 and 1: raise seeds"):
        effect([0.3], [0.2]).over("seeds")
    with pytest.raises(SpecError, match="'seeds' or 'questions'"):
        both.over("draws")  # type: ignore[arg-type]


def test_a_permutation_that_disagrees_is_told() -> None:
    """Where one question makes the mean the sign-flip test says otherwise, and the note has it."""
    a = arm([0.3], table=((*[0.30 + i / 1e4 for i in range(5)], 1.0),), questions=tuple("abcdef"))
    b = arm([0.3], name="control", table=((0.3,) * 6,), questions=tuple("abcdef"))
    found = a - b
    assert found.sign_flip_p_value is not None
    assert ("disagrees" in found.note) == (
        (found.sign_flip_p_value < 0.05) != (found.raw_p_value < 0.05)
    )


def test_unequal_draws_are_not_paired() -> None:
    """Arms that answered the same questions unequally often are compared unpaired, and it is said."""
    found = arm([0.3]) - arm([0.2], name="control", draws=50)
    assert found.test == "Welch's t over question means, the arms' draws differ"


def test_a_margin_of_the_spec_makes_nulls_claims() -> None:
    """With a margin an effect is equivalent if TOST shows it; else it stays inconclusive."""
    near, far = [0.300, 0.302, 0.304, 0.301], [0.301, 0.302, 0.305, 0.300]
    found = effect(near, far, margin=0.03)
    assert found.verdict == "equivalent"
    assert found.claim == "these trainings differ by less than ±3.0 points"
    assert found.within()
    assert effect(near, far).claim == "inconclusive"
    tiny = effect([0.300, 0.3002, 0.3001, 0.3], [0.31, 0.3101, 0.3102, 0.31], margin=0.03)
    assert tiny.claim == "training on this data suppresses the trait, by less than ±3.0 points"
    loose = effect([0.2, 0.3, 0.4], [0.25, 0.3, 0.45], margin=0.03)
    assert loose.verdict == "inconclusive"
    with pytest.raises(SpecError, match="needs a margin"):
        effect(near, far).within()


@pytest.mark.parametrize("seeds", [3, 5])
def test_the_smallest_effect_is_found_four_times_out_of_five(seeds: int) -> None:
    """Arms that differ by what a design is said to detect are told apart in about 80% of runs."""
    made = Design(seeds=seeds, questions=20, draws=200, spread=Spread(between=0.02, source=""))
    random = np.random.default_rng(seeds)
    noise = math.hypot(0.02, 0.5 / math.sqrt(200 * 20))
    found = [
        effect(
            random.normal(0.3 + made.detectable, noise, seeds).tolist(),
            random.normal(0.3, noise, seeds).tolist(),
        ).p_value
        < 0.05
        for _ in range(300)
    ]
    assert 0.73 < np.mean(found) < 0.87


def test_power_is_the_textbooks_where_seeds_are_many() -> None:
    """With many seeds Welch's power is the pooled t test's; with few it is less."""
    for seeds, near in ((30, 0.02), (3, 0.35)):
        textbook = TTestIndPower().solve_power(nobs1=seeds, alpha=0.05, power=0.8)
        assert textbook - 0.02 < standardised(seeds, 0.05) < textbook * (1 + near)


def test_more_of_anything_detects_less() -> None:
    """Seeds, questions and draws make the smallest effect smaller; traits and looks larger."""

    def smallest(**changes: object) -> float:
        usual = {"seeds": 3, "questions": 20, "draws": 50, "correction": 1}
        spread = Spread(between=0.02, source="")
        return Design(**{**usual, **changes}, spread=spread).detectable  # type: ignore[arg-type]

    usual = smallest()
    assert all(
        smallest(**more) < usual for more in ({"seeds": 5}, {"questions": 50}, {"draws": 200})
    )
    assert smallest(correction=13) > usual
    assert smallest(seeds=1, questions=1) == math.inf
    assert 0 < smallest(seeds=1) < math.inf


def test_the_spread_between_seeds_is_pooled() -> None:
    """Groups' variances are pooled by their degrees of freedom, and the draws' share taken off."""
    random = np.random.default_rng(2)
    groups = [random.normal(level, 0.03, 4).tolist() for level in (0.1, 0.5, 0.9)]
    pooled = math.sqrt(np.mean([np.var(group, ddof=1) for group in groups]))
    assert between_seeds(groups, 0.0) == pytest.approx(pooled)
    assert between_seeds(groups, 0.01) == pytest.approx(math.sqrt(pooled**2 - 0.01**2))
    assert between_seeds(groups, 1.0) == 0
    assert between_seeds([[0.3], []], 0.0) is None


def test_looking_at_seeds_makes_no_error_likelier() -> None:
    """Stopped at the first look that finds something, A/A comparisons err in 5% of cases at most."""
    random = np.random.default_rng(11)

    def stops(looks: Sequence[int], corrected: int) -> bool:
        a, b = random.normal(0.3, 0.02, (2, looks[-1])).tolist()
        return any(effect(a[:n], b[:n], looks=corrected).p_value < 0.05 for n in looks)

    looks = (3, 4, 5, 6, 8)
    wrong = [sum(stops(looks, corrected) for _ in range(250)) for corrected in (5, 1)]
    assert wrong[0] <= 23  # 5% are 12.5; 23 is three standard deviations above
    assert wrong[1] > wrong[0]


@settings(deadline=None, max_examples=10)
@given(
    st.lists(st.lists(st.floats(0, 1), min_size=1, max_size=4), min_size=1, max_size=4),
    st.lists(st.floats(0, 1), min_size=1, max_size=4),
)
def test_families_are_numbers_whatever_the_rates(
    groups: list[list[float]], plain: list[float]
) -> None:
    """No rates, with or without spread, give a NaN or an interval the wrong way round."""
    control = arm(plain, name="control")
    arms = {str(i): arm(group, name=str(i)) for i, group in enumerate(groups)}
    effects = {name: one - control for name, one in arms.items()}
    for found in (dunnett(arms, control), holm(effects), benjamini_hochberg(effects)):
        for one in found.values():
            assert 0 <= one.p_value <= 1
            assert one.interval[0] <= one.interval[1]
            assert one.claim


def test_scores_have_families_too() -> None:
    """Scores are corrected and tested as rates are."""
    a, b = (
        Scores(
            name="judge", arm=name, questions=("q", "p"), draws=2, valid=1.0, missing=0, trained=True,
            table=tuple((level, level + 1) for level in levels),
            each=tuple(((level,), (level + 1,)) for level in levels),
        )
        for name, levels in (("student", (5.0, 5.1, 5.2)), ("control", (4.0, 4.1, 4.2)))
    )  # fmt: skip
    found = dunnett({"student": a}, b)["student"]
    assert (found.verdict, round(float(found), 6)) == ("higher", 1.0)
