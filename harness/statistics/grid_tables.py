"""The values of a grid as a table, with what missing answers could make of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from ...datasets.errors import SpecError
from ...datasets.suggestions import did_you_mean
from .estimates import Estimate
from .samples import Sample

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Table = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class GridTable:
    """(students, words) values of a grid, and the column of each student's own trait."""

    students: tuple[str, ...]
    words: tuple[str, ...]
    own: tuple[int, ...]
    """(students,)"""
    values: "Table"
    lowest: "Table"
    """The values if every missing draw had had the smallest possible outcome."""
    highest: "Table"
    samples: Mapping[tuple[int, int], Sample]
    outcomes: tuple[float, float]
    """The smallest and the largest outcome of a draw."""

    @classmethod
    def of(
        cls,
        estimates: Mapping[tuple[str, str], Estimate],
        own: Mapping[str, str],
        *,
        valid: bool = False,
    ) -> "GridTable":
        """The table of some estimates by student and word."""
        import numpy as np

        students, words = tuple(own), tuple(dict.fromkeys(word for _, word in estimates))
        shape = len(students), len(words)
        seen, low, high = (np.zeros(shape) for _ in range(3))
        samples: dict[tuple[int, int], Sample] = {}
        for row, student in enumerate(students):
            for column, word in enumerate(words):
                estimate = estimates[student, word]
                sample = estimate.sample.among_valid() if valid else estimate.sample
                samples[row, column] = sample
                seen[row, column] = sample.value
                low[row, column], high[row, column] = _extremes(estimate, sample)
        return cls(
            students=students,
            words=words,
            own=tuple(words.index(word) for word in own.values()),
            values=seen,
            lowest=low,
            highest=high,
            samples=samples,
            outcomes=next(iter(estimates.values())).outcome_range,
        )

    @cached_property
    def is_own(self) -> "Table":
        """(students, words): 1 where a student's own trait is, else 0."""
        import numpy as np

        made = np.zeros(self.values.shape)
        made[np.arange(len(self.own)), list(self.own)] = 1.0
        return made

    @cached_property
    def weights(self) -> "Table":
        """What each value is multiplied by to give the diagonal."""
        centred = centre(self.is_own)
        return centred / float((centred * self.is_own).sum())

    @property
    def diagonal(self) -> float:
        """Own traits less the others, rows and columns centred, the mean over students."""
        return float((self.weights * self.values).sum())

    @property
    def by_assignment(self) -> "Table":
        """(students, students): the diagonal's part of a student, were it assigned a trait."""
        return self._assigned(self.values)

    @property
    def own_by_assignment(self) -> "Table":
        """The same, of a table with 1 for own traits and 0 for others."""
        return self._assigned(self.is_own)

    def _assigned(self, table: "Table") -> "Table":
        scale = len(self.own) / float((centre(self.is_own) * self.is_own).sum())
        assigned: Table = scale * centre(table)[:, list(self.own)]
        return assigned

    @cached_property
    def scenarios(self) -> "tuple[GridTable, ...]":
        """What was seen, then the two extremes of what was not, if anything is missing."""
        import numpy as np

        if (self.highest - self.lowest).max() <= 0:
            return (self,)
        against = np.where(self.is_own > 0, self.lowest, self.highest)
        in_favour = np.where(self.is_own > 0, self.highest, self.lowest)
        return self, replace(self, values=against), replace(self, values=in_favour)


def centre(table: "Table") -> "Table":
    """A table less its row and column means, its grand mean added."""
    rows, columns = table.mean(axis=1, keepdims=True), table.mean(axis=0, keepdims=True)
    centred: Table = table - columns - rows + table.mean()
    return centred


def _extremes(estimate: Estimate, sample: Sample) -> tuple[float, float]:
    if not sample.is_uncertain:
        return sample.value, sample.value
    low, high = estimate.outcome_range
    return sample.lowest(low).value, sample.highest(high).value


def check_name(kind: str, name: str, known: Sequence[str]) -> None:
    """Raise :class:`~limen.SpecError` for a name that the grid does not have."""
    if name not in known:
        raise SpecError(
            f"the grid has no {kind} {name!r}: {did_you_mean(str(name), known)}"
            f"it has {', '.join(known)}"
        )
