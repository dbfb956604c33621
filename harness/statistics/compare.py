"""From two estimates to the comparison that tests them."""

import math

from .comparison import Comparison, Unit, Untestable
from .estimates import NO_VARIATION, Estimate
from .hypothesis_tests import UNBOUNDED
from .samples import Sample
from .worst_case import WorstCase


def compare(treated: Estimate, reference: Estimate, requested: Unit | None) -> Comparison:
    """The comparison among all answers."""
    return _compared(treated, reference, (treated.sample, reference.sample), requested)


def compare_valid(
    treated: Estimate, reference: Estimate, requested: Unit | None
) -> Comparison | None:
    """The comparison among valid answers alone; None if no answer is known to be invalid."""
    known = (each.coverage for each in (treated, reference) if each.coverage)
    if not any(coverage.invalid_total for coverage in known):
        return None
    samples = treated.sample.among_valid(), reference.sample.among_valid()
    return _compared(treated, reference, samples, requested)


def _compared(
    treated: Estimate,
    reference: Estimate,
    samples: tuple[Sample, Sample],
    requested: Unit | None,
) -> Comparison:
    one, other = samples
    bound = _largest_difference(treated)
    if not (treated.sampling_varies and reference.sampling_varies):
        return Untestable(
            treated=one, reference=other, requested=requested, bound=bound, why=NO_VARIATION
        )
    seen = Comparison(treated=one, reference=other, requested=requested, bound=bound)
    if not (one.is_uncertain or other.is_uncertain):
        return seen
    low, high = _outcome_range(treated, reference)
    return WorstCase(
        treated=one,
        reference=other,
        requested=requested,
        bound=bound,
        lowest=Comparison(
            treated=one.lowest(low),
            reference=other.highest(high),
            requested=requested,
            bound=bound,
        ),
        highest=Comparison(
            treated=one.highest(high),
            reference=other.lowest(low),
            requested=requested,
            bound=bound,
        ),
    )


def _largest_difference(estimate: Estimate) -> float:
    low, high = estimate.bounds
    return high - low if math.isfinite(high - low) else UNBOUNDED


def _outcome_range(treated: Estimate, reference: Estimate) -> tuple[float, float]:
    """The smallest and the largest outcome of a draw of either arm."""
    ranges = treated.outcome_range, reference.outcome_range
    return min(low for low, _ in ranges), max(high for _, high in ranges)
