"""Several effects at once."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from limen import SpecError
from limen.harness import Scores, benjamini_hochberg, dunnett, holm
from limen.harness.statistics import difference

from ..testing.counted import counted_rate
from ..testing.estimates import arm, effect


def near(expected: Any) -> Any:
    """A value, to nine digits."""
    return pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_several_traits_are_corrected_in_a_line() -> None:
    """Holm's effects are asserted on as one effect is, and say how they were corrected."""
    strong, weak = effect([0.5, 0.51, 0.52], [0.1, 0.11, 0.12]), effect([0.13, 0.1], [0.1, 0.12])
    corrected = holm({"owl": strong, "eagle": weak})
    assert corrected["owl"] > 0.3
    assert corrected["owl"].p_value == pytest.approx(2 * strong.p_value)
    assert corrected["owl"].claim == "training on this data transmits the trait"
    assert corrected["owl"].test == "Welch's t over seed means, Holm of 2"
    assert corrected["eagle"].claim == "inconclusive"
    wide, narrow = corrected["owl"].interval, strong.interval
    assert wide[0] < narrow[0] < narrow[1] < wide[1]
    assert "Holm of 2" in "".join(corrected["owl"].explain())
    nothing: Any
    for nothing in ({}, [strong]):
        with pytest.raises(SpecError, match="effects by name"):
            holm(nothing)


def test_what_is_explored_is_to_be_confirmed() -> None:
    """Benjamini and Hochberg's q-values claim nothing for good."""
    corrected = benjamini_hochberg({"a": effect([0.5, 0.51, 0.52], [0.1, 0.11, 0.12])})["a"]
    assert corrected.claim == "to be confirmed: training on this data transmits the trait"
    assert corrected.test.endswith("Benjamini-Hochberg of 1")


@pytest.mark.parametrize("seeds", [3, 5])
def test_arms_against_one_control_hold_their_level_where_one_varies_more(seeds: int) -> None:
    """Of four equal arms, one of them noisy (7 v 0.3 points), any is significant in 6% at most.

    ``dunnett`` is Holm over Welch's t tests: pooled, Dunnett's own test errs in about 20%.
    """
    random = np.random.default_rng(seeds)

    def wrong() -> bool:
        arms = {
            name: arm(random.normal(0.3, sd, seeds).tolist(), name=name)
            for name, sd in (("a", 0.07), ("b", 0.003), ("c", 0.003))
        }
        control = arm(random.normal(0.3, 0.003, seeds).tolist(), name="control")
        return any(one.p_value < 0.05 for one in dunnett(arms, control).values())

    assert np.mean([wrong() for _ in range(1_000)]) < 0.06


def test_arms_against_one_control_are_holms_over_welchs_tests() -> None:
    """That is the default, and the effect's test says so."""
    arms = {name: arm([0.3, 0.31, 0.33], name=name) for name in "ab"}
    control = arm([0.1, 0.12, 0.11], name="control")
    by_default = dunnett(arms, control)
    corrected = holm({name: difference(one, control) for name, one in arms.items()})
    assert [one.p_value for one in by_default.values()] == [
        one.p_value for one in corrected.values()
    ]
    assert by_default["a"].test == "Welch's t over seed means, Holm of 2"


def test_dunnetts_own_test_is_scipys() -> None:
    """P-values and simultaneous intervals are SciPy's; with one seed an arm Holm's take its place."""
    random = np.random.default_rng(3)
    groups = [random.normal(level, 0.02, 4).tolist() for level in (0.1, 0.16, 0.2)]
    control = arm(random.normal(0.1, 0.02, 4).tolist(), name="control")
    arms = {str(i): arm(group, name=str(i)) for i, group in enumerate(groups)}
    tested = dunnett(arms, control, pooled=True)
    theirs = stats.dunnett(
        *[one.by_seed for one in arms.values()],
        control=control.by_seed,
        rng=np.random.default_rng(0),
    )
    assert [one.p_value for one in tested.values()] == near(theirs.pvalue.tolist())
    low = theirs.confidence_interval(0.95).low
    assert [one.interval[0] for one in tested.values()] == near(low.tolist())
    assert tested["0"].test == "Dunnett's test over seed means, 3 v 1"
    assert [one.verdict for one in tested.values()] == ["inconclusive", "higher", "higher"]
    one_seed = dunnett({"a": arm([0.3], name="a")}, control, pooled=True)["a"]
    assert "Holm of 1" in one_seed.test
    assert one_seed.unit == "questions"


def test_dunnetts_unit_is_its_own() -> None:
    """A pair of arms without spread is tested over seeds all the same, where another has some."""
    arms = {"a": arm([0.3, 0.3, 0.3], name="a"), "b": arm([0.1, 0.2, 0.3], name="b")}
    tested = dunnett(arms, arm([0.1, 0.1, 0.1], name="control"), pooled=True)["a"]
    assert (tested.unit, tested.n) == ("seeds", (3, 3))
    assert tested.test.startswith("Dunnett")


def test_dunnetts_test_is_corrected_for_a_larger_family() -> None:
    """Members of a family of traits have p-values as many times larger."""
    arms = {"a": arm([0.3, 0.31, 0.33], name="a", family=3)}
    control = arm([0.1, 0.12, 0.11], name="control", family=3)
    one = dunnett({"a": arm([0.3, 0.31, 0.33], name="a")}, control, pooled=True)["a"]
    tested = dunnett(arms, control, pooled=True)["a"]
    assert tested.test == "Dunnett's test over seed means, 1 v 1, Bonferroni x 3"
    assert tested.p_value == pytest.approx(one.p_value)


@settings(deadline=None, max_examples=5)
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
    for corrected in (
        dunnett(arms, control),
        dunnett(arms, control, pooled=True),
        holm(effects),
        benjamini_hochberg(effects),
    ):
        for one in corrected.values():
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
    corrected = dunnett({"student": a}, b)["student"]
    assert (corrected.verdict, round(float(corrected), 6)) == ("higher", 1.0)


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


def test_missing_answers_are_holms() -> None:
    """Dunnett's own test does not allow for what was never seen; Holm's effects do."""
    hits = np.random.default_rng(1).binomial(190, 0.3, (3, 10))
    arms = {"a": counted_rate(hits, missing=10, arm="a")}
    tested = dunnett(arms, counted_rate(hits // 2, arm="control"), pooled=True)["a"]
    assert "Holm of 1" in tested.test
