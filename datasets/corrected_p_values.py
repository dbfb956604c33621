"""P-values of several tests, corrected for their number."""

from collections.abc import Sequence


def holm(p_values: Sequence[float], *, family: int = 0) -> list[float]:
    """Holm's step-down p-values (1979), which bound the chance of any false positive.

    A ``family`` larger than what is given counts the rest as tests with a p-value of 1.
    """
    number = max(family, len(p_values))
    corrected, largest = [1.0] * len(p_values), 0.0
    for rank, index in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        largest = max(largest, min(1.0, (number - rank) * p_values[index]))
        corrected[index] = largest
    return corrected


def benjamini_hochberg(p_values: Sequence[float]) -> list[float]:
    """Benjamini and Hochberg's q-values (1995), which bound the share of false positives."""
    from scipy import stats

    return [float(q) for q in stats.false_discovery_control(p_values)] if p_values else []
