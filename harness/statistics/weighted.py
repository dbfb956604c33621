"""Weighted estimates: what contrasts and shares of effects are made of."""

from collections.abc import Sequence
from typing import Protocol

from ...datasets.errors import SpecError
from .claims import ONE_MODEL, hides_invalid
from .combinations import Term
from .estimates import NO_VARIATION, Estimate

Weighted = tuple[float, Estimate]


class WeightedSum(Protocol):
    """An effect, or a combination of effects: a weighted sum of estimates."""

    @property
    def title(self) -> str:
        """What it is, in words."""
        ...

    @property
    def value(self) -> float:
        """The weighted sum."""
        ...

    @property
    def weighted(self) -> tuple[Weighted, ...]:
        """The estimates with their weights."""
        ...

    @property
    def correction(self) -> int:
        """What p-values are multiplied by: the family, times the looks (Bonferroni)."""
        ...

    def explain(self) -> list[str]:
        """What it is made of, a line each."""
        ...


def check_units(weighted: Sequence[Weighted]) -> None:
    """Raise :class:`~limen.SpecError` for estimates whose values are not in one unit."""
    first = weighted[0][1]
    for _, estimate in weighted[1:]:
        if type(estimate) is not type(first) or estimate.bounds != first.bounds:
            raise SpecError(
                f"effects in different units cannot be combined: {first.what} and {estimate.what}"
            )


def terms_of(weighted: Sequence[Weighted]) -> tuple[Term, ...]:
    """Weighted estimates as terms of a combination."""
    return tuple(
        Term(
            weight=weight,
            sample=estimate.sample,
            models=estimate.identity,
            outcomes=estimate.outcome_range,
            bounds=estimate.bounds,
        )
        for weight, estimate in weighted
    )


def obstacle_of(estimates: Sequence[Estimate], unit: str | None) -> str:
    """Why no verdict is possible whatever the test says; empty if nothing is in the way."""
    absences = [each.absence for each in estimates]
    if all(absences):
        return absences[0]
    copies = dict.fromkeys(each.arm for each in estimates if not each.sampling_varies)
    if copies:
        return f"{NO_VARIATION} in {' and '.join(copies)}: all draws of a question are the same"
    if ruined := dict.fromkeys(each.arm for each in estimates if hides_invalid(each)):
        arms = " and ".join(ruined)
        return f"the answers of {arms} are mostly not valid, and which is not known"
    if unit != "questions" and any(each.trained and each.seeds < 2 for each in estimates):
        return ONE_MODEL
    return ""
