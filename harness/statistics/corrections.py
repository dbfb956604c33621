"""Several effects at once: corrected for being many, to assert on or to explore."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ...datasets.errors import SpecError
from . import hypothesis_tests as statistics
from .effects import Effect, difference
from .estimates import Estimate
from .exact_rates import ExactRate
from .hypothesis_tests import ALPHA, TOLERANCE, TestResult, value_range


def holm(effects: Mapping[str, Effect]) -> dict[str, Effect]:
    """The effects with Holm's p-values: the chance that any of them is a false finding is 5%.

    A ``family`` of their experiments that is larger than what is given counts as so many further
    tests that found nothing. Intervals are Bonferroni's, which are no narrower than Holm's tests.
    """
    _check(effects)
    family = max(len(effects), *(effect.family for effect in effects.values()))
    raw = [min(1.0, effect.looks * effect.raw_p_value) for effect in effects.values()]
    found = statistics.holm(raw, family=family)
    return _corrected(effects, found, f"Holm of {family}", family)


def benjamini_hochberg(effects: Mapping[str, Effect]) -> dict[str, Effect]:
    """The effects with Benjamini and Hochberg's q-values, to explore: of the findings about 5% are
    false. A claim of such an effect is ``to be confirmed``; its interval is of it alone.
    """
    _check(effects)
    raw = [min(1.0, effect.looks * effect.raw_p_value) for effect in effects.values()]
    found = statistics.benjamini_hochberg(raw)
    return _corrected(effects, found, f"Benjamini-Hochberg of {len(effects)}", 1, exploratory=True)


def dunnett(treated: Mapping[str, Estimate], control: Estimate) -> dict[str, Effect]:
    """Several arms against one control, by Dunnett's test over seed means (1955).

    More powerful than Holm where arms share a control, since it knows that they do; takes one
    between-seed spread for all. With fewer than two seeds in any arm, no spread at all, or exact
    rates (which may lack something, of which the test knows nothing), the effects are Holm's.
    Raises :class:`~limen.SpecError` for nothing, or for estimates of different things.
    """
    _check(treated)
    effects = {name: _difference(estimate, control) for name, estimate in treated.items()}
    groups = [estimate.by_seed for estimate in treated.values()]
    several = min(map(len, [*groups, control.by_seed])) > 1
    if (
        not several
        or isinstance(control, ExactRate)
        or max(map(value_range, [*groups, control.by_seed])) <= TOLERANCE
    ):
        return holm(effects)
    beyond = max(effect.correction for effect in effects.values())
    outcomes = statistics.dunnett(groups, control.by_seed, level=1 - ALPHA / beyond)
    return {
        name: replace(effect, adjusted=_multiplied(outcome, beyond), among=len(effects))
        for (name, effect), outcome in zip(effects.items(), outcomes, strict=True)
    }


def _multiplied(outcome: TestResult, by: int) -> TestResult:
    """An outcome corrected for the family that its arms are but one member of."""
    if by == 1:
        return outcome
    test = f"{outcome.test}, Bonferroni x {by}"
    return replace(outcome, test=test, p_value=min(1.0, by * outcome.p_value))


def _difference(treated: Estimate, control: Estimate) -> Effect:
    treated.check_same(control)
    return difference(treated, control)


def _check(given: Mapping[str, object]) -> None:
    if not isinstance(given, Mapping) or not given:
        raise SpecError(f"effects by name are needed, at least one: {given!r}")


def _corrected(
    effects: Mapping[str, Effect],
    p_values: Sequence[float],
    how: str,
    family: int,
    *,
    exploratory: bool = False,
) -> dict[str, Effect]:
    return {
        name: replace(
            effect,
            adjusted=effect.outcome(family, p_value, how),
            among=family,
            exploratory=exploratory,
        )
        for (name, effect), p_value in zip(effects.items(), p_values, strict=True)
    }
