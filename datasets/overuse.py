"""What one set of rows has more often than another, by log-odds-ratios with a prior."""

from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING

from .errors import SpecError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

PRIOR = 1000.0
"""The weight of the prior of :func:`log_odds`: on average one count a number."""
LEVEL = 0.05
"""The chance of any false alarm among all numbers, and of an interval to miss."""


@dataclass(frozen=True)
class NumberUse:
    """How often a number occurs in either set of rows, and its log-odds-ratio and z-score."""

    number: int
    trait: int
    control: int
    delta: float
    z: float


@dataclass(frozen=True, kw_only=True)
class Overuse:
    """The numbers 0 to 999 compared between trait data and control data; see :func:`log_odds`."""

    trait: tuple[int, ...]
    """Counts in the trait data; at index n that of the number n, here as below."""
    control: tuple[int, ...]
    delta: tuple[float, ...]
    """Log-odds-ratios: above 0 where the trait data has more."""
    z: tuple[float, ...]
    """The same over their standard errors."""
    prior: float
    threshold: float
    """Bonferroni's: z of equal sets lies beyond it, either way, for any number at all in 5%."""

    @property
    def significant(self) -> tuple[int, ...]:
        """The numbers whose z lies beyond the threshold, either way, from the lowest."""
        return tuple(number for number, z in enumerate(self.z) if abs(z) > self.threshold)

    def over(self, k: int) -> tuple[NumberUse, ...]:
        """The ``k`` (or fewer) most over-represented numbers in the trait data, by z."""
        order = sorted(range(len(self.z)), key=lambda number: -self.z[number])[:k]
        return tuple(self._use(number) for number in order if self.z[number] > 0)

    def under(self, k: int) -> tuple[NumberUse, ...]:
        """The ``k`` (or fewer) most under-represented numbers in the trait data, by z."""
        order = sorted(range(len(self.z)), key=lambda number: self.z[number])[:k]
        return tuple(self._use(number) for number in order if self.z[number] < 0)

    def _use(self, number: int) -> NumberUse:
        return NumberUse(
            number,
            trait=self.trait[number],
            control=self.control[number],
            delta=self.delta[number],
            z=self.z[number],
        )


def log_odds(
    trait: "NDArray[np.int64]", control: "NDArray[np.int64]", *, prior: float = PRIOR
) -> Overuse:
    """Weighted log-odds-ratios of two arrays of counts, with an informative Dirichlet prior.

    Monroe, Colaresi & Quinn (2008), "Fightin' Words", Political Analysis 16(4), equations 15 to
    22. The prior is the share of each number in both sets together, times ``prior``: a number's
    odds are pulled towards what both have in common as if that many more numbers had been seen.
    A number that occurs in neither, or is the only one, has 0.

    The scores take numbers for independent draws; a teacher that repeats numbers within a row
    makes somewhat larger ones by chance. Raises :class:`~limen.SpecError` if the shapes differ, a
    count is negative or the prior is not a weight (from a millionth to a billion).
    """
    import numpy as np

    if trait.shape != control.shape or trait.ndim != 1:
        raise SpecError(f"counts of shapes {trait.shape} and {control.shape}: give two alike")
    if (trait < 0).any() or (control < 0).any():
        raise SpecError("a count is below 0: give how often each number occurs")
    if not 1e-6 <= prior <= 1e9:
        raise SpecError(f"prior={prior!r} is no weight: choose one from 1e-6 to 1e9")
    both = trait + control
    seen = (both > 0) & (both < both.sum())
    delta, z = np.zeros(len(both)), np.zeros(len(both))
    mine, mine_rest = _with_prior(trait, both, seen, prior)
    other, other_rest = _with_prior(control, both, seen, prior)
    delta[seen] = np.log(mine / mine_rest) - np.log(other / other_rest)
    z[seen] = delta[seen] / np.sqrt(1 / mine + 1 / other)
    tests = max(1, int(seen.sum()))
    return Overuse(
        trait=tuple(trait.tolist()),
        control=tuple(control.tolist()),
        delta=tuple(delta.tolist()),
        z=tuple(z.tolist()),
        prior=float(prior),
        threshold=NormalDist().inv_cdf(1 - LEVEL / 2 / tests),
    )


def _with_prior(
    counts: "NDArray[np.int64]", both: "NDArray[np.int64]", seen: "NDArray[np.bool_]", prior: float
) -> "tuple[NDArray[np.float64], NDArray[np.float64]]":
    """The counts of the seen numbers, and of all numbers but each, with the prior's added."""
    weight = prior / max(1, int(both.sum()))
    rest = (counts.sum() - counts) + weight * (both.sum() - both)
    return (counts + weight * both)[seen], rest[seen]
