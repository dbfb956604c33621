"""An effect, or a claim on effects, as a row of a result."""

from ...reports import EffectRow
from ..statistics import Contrast, Diagonal, Effect


def effect_row(
    effect: Effect | Contrast | Diagonal,
    *,
    name: str,
    seeds: tuple[int, int],
    questions: tuple[int, int],
) -> EffectRow:
    """The row of an effect; models and questions are those of its two sides."""
    return EffectRow(
        name=name,
        difference=effect.value,
        interval=effect.interval,
        p_value=effect.corrected_p_value,
        raw_p_value=effect.raw_p_value,
        test=effect.test,
        unit=effect.unit,
        seeds=seeds,
        questions=questions,
        claim=effect.stated_claim,
    )
