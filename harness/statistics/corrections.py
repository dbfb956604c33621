"""Several effects at once, with p-values corrected for their number."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ...datasets import corrected_p_values
from ...datasets.errors import SpecError
from . import hypothesis_tests
from .effects import Effect, difference
from .estimates import Estimate
from .hypothesis_tests import ALPHA, TOLERANCE, TestResult, value_range


def holm(effects: Mapping[str, Effect]) -> dict[str, Effect]:
    """The effects with Holm's p-values (1979): the chance of any false positive is at most 5%.

    With three seeds an arm Welch's t is not exact enough at so small levels: there the chance is
    up to 9% for five traits with controls of their own (see ``benchmarks/calibration.py``).
    If the ``family`` of their experiments is larger than the number given, the others count as
    tests with a p-value of 1. Intervals are Bonferroni's: simultaneous, and never narrower than
    Holm's tests allow. Raises :class:`~limen.SpecError` where no effects by name are given.

    Args:
        effects: Effects by name. Two or more are corrected together.

    Examples:
        >>> corrected = holm({"owl": effect, "fox": other_effect})
    """
    _check(effects)
    family = max(len(effects), *(effect.family for effect in effects.values()))
    corrected = corrected_p_values.holm(_p_values(effects), family=family)
    return _corrected(effects, corrected, f"Holm of {family}", family)


def benjamini_hochberg(effects: Mapping[str, Effect]) -> dict[str, Effect]:
    """The effects with Benjamini and Hochberg's q-values (1995), to explore.

    About 5% of what is significant is a false positive. So a claim reads ``to be confirmed``, and
    intervals are not simultaneous. Raises :class:`~limen.SpecError` where no effects by name are
    given.

    Args:
        effects: Effects by name. Two or more are corrected together.

    Examples:
        >>> corrected = benjamini_hochberg({"owl": effect, "fox": other_effect})
    """
    _check(effects)
    corrected = corrected_p_values.benjamini_hochberg(_p_values(effects))
    how = f"Benjamini-Hochberg of {len(effects)}"
    return _corrected(effects, corrected, how, 1, exploratory=True)


def dunnett(
    treated: Mapping[str, Estimate], control: Estimate, *, pooled: bool = False
) -> dict[str, Effect]:
    """Several arms against one control, with a chance of any false positive of at most 5%.

    By default Holm over Welch's t tests, so that every arm has a variance of its own. Students
    that acquire a trait differ more by their seeds than control students do (7 against 0.3
    points), and there Dunnett's own test finds differences that do not exist in 20% of cases.

    ``pooled=True`` is Dunnett's test (1955) over seed means, which assumes one variance for all
    arms; use it only where they are known to vary alike. It needs two seeds an arm, some variation
    between them, and all answers (exact rates lack some): otherwise Holm's effects are returned.
    Raises :class:`~limen.SpecError` for no arms, or for estimates of different things.

    Args:
        treated: Rates or scores of the arms by name.
        control: The rates or scores of the arm that all are compared with.
        pooled: Take one variance for all arms, as the original test does. Default: False, each arm
            has a variance of its own.

    Examples:
        >>> rates = {"owl": student.rate("owl"), "fox": other.rate("owl")}
        >>> corrected = dunnett(rates, control.rate("owl"))
    """
    _check(treated)
    effects = {name: _difference(estimate, control) for name, estimate in treated.items()}
    groups = [estimate.by_seed for estimate in treated.values()]
    complete = not any(one.sample.is_uncertain for one in (*treated.values(), control))
    if not (pooled and complete and _varies([*groups, control.by_seed])):
        return holm(effects)
    outer = max(effect.correction for effect in effects.values())
    results = hypothesis_tests.dunnett(groups, control.by_seed, level=1 - ALPHA / outer)
    return {
        name: replace(effect, adjusted=_multiplied(result, outer), among=len(effects))
        for (name, effect), result in zip(effects.items(), results, strict=True)
    }


def _varies(groups: Sequence[Sequence[float]]) -> bool:
    """Whether every group has two values or more, and one of them varies."""
    return min(map(len, groups)) > 1 and max(map(value_range, groups)) > TOLERANCE


def _p_values(effects: Mapping[str, Effect]) -> list[float]:
    """The effects' p-values, corrected for their looks alone."""
    return [min(1.0, effect.looks * effect.raw_p_value) for effect in effects.values()]


def _multiplied(result: TestResult, by: int) -> TestResult:
    """A result corrected once more, as a member of a larger family."""
    if by == 1:
        return result
    test = f"{result.test}, Bonferroni x {by}"
    return replace(result, test=test, p_value=min(1.0, by * result.p_value))


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
