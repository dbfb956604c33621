"""All assignments of students to traits, and the diagonal of a grid under each of them."""

from dataclasses import dataclass
from functools import lru_cache
from itertools import permutations
from typing import TYPE_CHECKING

from .grid_tables import GridTable
from .hypothesis_tests import TOLERANCE, UNBOUNDED

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

EXACT = 7
"""Students up to which all permutations are tried."""
PERMUTATIONS = 9_999
"""Random permutations above that, of a fixed seed."""
HALVINGS = 40
"""By which an end of an interval is found."""


@dataclass(frozen=True, eq=False)
class Permuted:
    """The diagonal of a table under all assignments of students to traits."""

    value: float
    values: "NDArray[np.float64]"
    """(N,) the diagonal under each assignment; the true one first."""
    shares: "NDArray[np.float64]"
    """(N,) what each assignment would show of an effect of the true one; 1 for itself."""

    @classmethod
    def of(cls, table: GridTable) -> "Permuted":
        """The diagonal of this table under every assignment."""
        import numpy as np

        assigned = _assignments(len(table.own))
        rows = np.arange(len(table.own))
        values = table.by_assignment[rows, assigned].mean(axis=1)
        shares = table.own_by_assignment[rows, assigned].mean(axis=1)
        return cls(float(values[0]), values, shares)

    def p_value(self, null: float) -> float:
        """The share of assignments whose diagonal is as far from its value under ``null``."""
        shifted = abs(self.values - null * self.shares)
        return float((shifted >= shifted[0] - TOLERANCE).mean())

    def interval(self, level: float) -> tuple[float, float]:
        """All nulls with a p-value of ``level`` or more."""
        return self._end(-1.0, level), self._end(1.0, level)

    def _end(self, way: float, level: float) -> float:
        inner, step = self.value, max(abs(self.value), float(self.values.std()), 1e-6) / 4
        while self.p_value(inner + way * step) >= level:
            inner, step = inner + way * step, 2 * step
            if step > UNBOUNDED:
                return way * UNBOUNDED
        outer = inner + way * step
        for _ in range(HALVINGS):
            middle = (inner + outer) / 2
            inner, outer = (middle, outer) if self.p_value(middle) >= level else (inner, middle)
        return outer


@lru_cache(maxsize=4)
def _assignments(count: int) -> "NDArray[np.int64]":
    """(N, count): which trait each student is assigned; the true assignment first."""
    import numpy as np

    if count <= EXACT:
        return np.array(list(permutations(range(count))))
    random = np.random.default_rng(0)
    drawn = [random.permutation(count) for _ in range(PERMUTATIONS)]
    return np.array([np.arange(count), *drawn])
