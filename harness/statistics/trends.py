"""The trend of effects over a number that each of them has, such as a dose or a rank."""

import math
from collections.abc import Mapping, Sequence
from typing import Literal

from ...datasets import validation as checks
from ...datasets.errors import SpecError
from .combinations import slope_weights
from .contrasts import Combinable, Contrast
from .weighted import check_units

Pairs = Sequence[tuple[float, Combinable]]

GROWS = ("the effect grows", "the effect falls")


def trend(
    effects: Mapping[int, Combinable] | Mapping[float, Combinable] | Pairs,
    *,
    over: Literal["seeds", "effects"] = "seeds",
) -> Contrast:
    """How much effects grow with each unit of a number that each of them has.

    The number may be a dose, a LoRA rank, or a property of a trait such as its rate in the base.
    The value is the least-squares slope. It needs three seeds an arm to be about trainings.

    Args:
        effects: The effects, by number, or as pairs of a number and an effect.
        over: "seeds": the claim is about these effects. "effects": each effect is one unit, so that
            the claim is about others too (such as other traits), with n - 2 degrees of freedom.

    Raises:
        SpecError: If there are fewer than two different numbers (three effects over "effects").

    Examples:
        >>> growth = trend({8: effect, 32: other_effect})
    """
    pairs: list[tuple[float, Combinable]] = [
        *(effects.items() if isinstance(effects, Mapping) else effects)
    ]
    checks.one_of("over", over, ("seeds", "effects"))
    _check_pairs(pairs, 3 if over == "effects" else 2)
    pairs.sort(key=lambda pair: pair[0])
    weights = slope_weights([float(place) for place, _ in pairs])
    lines = [(float(place), effect.weighted) for place, effect in pairs]
    places = ", ".join(f"{place:g}" for place, _ in pairs)
    return Contrast(
        name=f"the trend of {pairs[0][1].title} over {places}",
        parts=tuple(
            (weight * own, estimate)
            for weight, (_, effect) in zip(weights, pairs, strict=True)
            for own, estimate in effect.weighted
        ),
        factor=max(effect.correction for _, effect in pairs),
        says=GROWS,
        line=tuple(lines) if over == "effects" else (),
    )


def _check_pairs(pairs: Sequence[tuple[float, Combinable]], fewest: int) -> None:
    numbers = [place for place, _ in pairs]
    if not all(checks.is_number(place) and math.isfinite(place) for place in numbers):
        raise SpecError(f"a trend needs effects by finite numbers: {numbers!r}")
    if not all(isinstance(effect, Combinable) for _, effect in pairs):
        raise SpecError("a trend needs effects, such as student.rate(...) - control.rate(...)")
    if len(pairs) < fewest or len(set(numbers)) < 2:
        raise SpecError(f"a trend needs {fewest} effects or more at different numbers: {numbers!r}")
    check_units([each for _, effect in pairs for each in effect.weighted])
