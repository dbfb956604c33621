"""What counts as evidence for a claim, where many answers are not valid or none was given."""

from collections.abc import Callable

import numpy as np
import pytest

import limen
from limen.harness.statistics import Effect, Evidence, Rate

from ..testing.counted import counted_rate

HITS = np.array([[60], [62], [64], [61], [63]]) * np.ones(10)


def arm(share: float, name: str, *, invalid: int = 0, listener: object = None) -> Rate:
    """Five models that give the word in a share of ``HITS``, with invalid answers."""
    made = counted_rate(share * HITS, invalid=invalid, draws=200, arm=name)
    object.__setattr__(made, "listener", listener)
    return made


def supported(
    claim: Callable[[Effect, Effect], object], *, invalid: int = 0
) -> tuple[bool | None, ...]:
    """What the evidence of a claim says of a large and a small effect, in order."""
    seen: list[Evidence] = []
    control = arm(0.2, "control", listener=seen.append)
    large = arm(1.0, "student", listener=seen.append) - control
    small = arm(0.5, "masked", invalid=invalid, listener=seen.append) - control
    assert isinstance(large, Effect)
    assert isinstance(small, Effect)
    claim(large, small)
    return tuple(one.supported for one in seen)


CLAIMS: dict[str, Callable[[Effect, Effect], object]] = {
    "share": lambda large, small: small.share_of(large) < 0.9,
    "share, p": lambda large, small: small.share_of(large).p_value < 0.05,
    "share, supports": lambda large, small: small.share_of(large).supports("<", 0.9),
    "log-odds": lambda large, small: large.log_odds > small.log_odds,
    "log-odds, difference": lambda large, small: large.log_odds - small.log_odds > 0,
    "ratio": lambda large, small: small.ratio < 4,
    "trend": lambda large, small: limen.dose_response({1: small, 2: large}) > 0,
    "trend, supports": lambda large, small: limen.dose_response({1: small, 2: large}).supports(
        ">", 0
    ),
}


@pytest.mark.parametrize("name", CLAIMS)
def test_a_claim_that_holds_among_all_answers_is_supported(name: str) -> None:
    """With valid answers alone every way to ask for it is evidence."""
    assert supported(CLAIMS[name]) == (True,)


@pytest.mark.parametrize("name", CLAIMS)
def test_a_claim_that_rests_on_invalid_answers_is_not(name: str) -> None:
    """Where three in five answers of an arm are not valid, it depends on what those were."""
    assert True not in supported(CLAIMS[name], invalid=120)


def test_ratios_have_no_difference_that_is_tested() -> None:
    """One larger than another is a comparison of point estimates."""
    assert supported(lambda large, small: large.ratio > small.ratio) == (False,)


def test_arms_without_answers_support_nothing() -> None:
    """Whatever is asked of them, there is no error and no verdict."""
    none = [
        counted_rate(np.zeros((3, 4)), missing=20, draws=20, arm=name) for name in ("a", "b", "c")
    ]
    first, second = none[0] - none[2], none[1] - none[2]
    assert isinstance(first, Effect)
    assert isinstance(second, Effect)
    between = first - second
    assert not between.supports(">", 0)
    assert between.p_value == 1
