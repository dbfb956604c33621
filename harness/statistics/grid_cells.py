"""The test of one cell of a grid: what a student gives of a trait beyond the rest of the grid.

What is expected of a cell is a student's generic drift plus a trait's popularity, by least squares
from the cells of students with traits that are not their own teacher's. The cell's distance from
that is compared with the residuals of the same column and of the same row, whichever are larger (a
new observation in a linear model: Weisberg 2014, 'Applied Linear Regression', 3.3). The unit is a
student arm; where there are too few, it is a t over seed means.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol

from .combinations import Combination, Term
from .difference_tests import DifferenceTest, NoTest, TTest
from .grid_tables import GridTable
from .hypothesis_tests import TOLERANCE, UNBOUNDED
from .rate_scales import OnEveryScale

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Values = NDArray[np.float64]

FEWEST = 5
"""Students from which their own spread is used."""
NAME = "t of one cell against the others' spread"
TOO_FEW = "too few students to tell a cell from the others"


class CellTest(Protocol):
    """A cell's value beyond the others, and its test."""

    @property
    def name(self) -> str:
        """The test by name."""
        ...

    @property
    def value(self) -> float:
        """The cell less its student's drift and its trait's popularity."""
        ...

    @property
    def p_value(self) -> float:
        """Two-sided, whatever missing answers would have been, and among valid answers too."""
        ...

    def interval(self, level: float) -> tuple[float, float]:
        """The interval of this level, in the worst case."""
        ...


@dataclass(frozen=True, eq=False)
class CellFit:
    """How a cell and its expectation are computed from all cells; the same for all values."""

    weights: "Values"
    """(students, words): what each value is multiplied by to give the cell less its expectation."""
    used: "NDArray[np.bool_]"
    """(students, words): the cells that the expectation is from."""
    residuals: "Values"
    """(used, used): from the values of these cells to their residuals."""
    estimable: bool
    """Whether the other cells tell what is expected of this one."""

    @property
    def error(self) -> float:
        """The variance of the weighted sum, in units of one value's."""
        return float((self.weights**2).sum())


@dataclass(frozen=True, kw_only=True, eq=False)
class OverStudents:
    """The test whose unit is a student arm."""

    value: float
    tests: tuple[DifferenceTest, ...]
    """What was seen, then the two extremes."""
    valid: tuple[DifferenceTest, ...]
    """The same among valid answers alone; empty if all answers are valid."""
    name: str = NAME

    @property
    def p_value(self) -> float:
        """See :class:`CellTest`."""
        return max(_p_value(each) for each in (self.tests, self.valid) if each)

    def interval(self, level: float) -> tuple[float, float]:
        """See :class:`CellTest`."""
        ends = [test.interval(level, UNBOUNDED) for test in (*self.tests, *self.valid)]
        return min(low for low, _ in ends), max(high for _, high in ends)


@dataclass(frozen=True, kw_only=True, eq=False)
class OverSeeds:
    """The test over seed means, where there are too few other students."""

    combinations: tuple[Combination, ...]
    """Among all answers, and among valid ones if some are not."""

    @property
    def name(self) -> str:
        """See :class:`CellTest`."""
        return self.combinations[0].test.name

    @property
    def value(self) -> float:
        """See :class:`CellTest`."""
        return self.combinations[0].value

    @property
    def p_value(self) -> float:
        """See :class:`CellTest`."""
        return max(each.p_value for each in self.combinations)

    def interval(self, level: float) -> tuple[float, float]:
        """See :class:`CellTest`."""
        ends = [each.interval(level) for each in self.combinations]
        return min(low for low, _ in ends), max(high for _, high in ends)


def cell_tests(table: GridTable, valid: GridTable | None) -> Mapping[tuple[str, str], CellTest]:
    """The test of every cell, by student and word; ``valid`` has the valid answers alone."""
    return {
        (student, word): _cell_test(table, valid, row, column)
        for row, student in enumerate(table.students)
        for column, word in enumerate(table.words)
    }


def _cell_test(table: GridTable, valid: GridTable | None, row: int, column: int) -> CellTest:
    fit = _fit(table.own, len(table.words), row, column)
    if not fit.estimable:
        value = table.values[row, column] - table.values[:, column].mean()
        return OverStudents(
            value=float(value),
            tests=(NoTest(unit="students", note=TOO_FEW),),
            valid=(),
            name="none",
        )
    if len(table.students) < FEWEST:
        tables = (table, valid) if valid else (table,)
        return OverSeeds(combinations=tuple(_combination(one, fit) for one in tables))
    return OverStudents(
        value=float((fit.weights * table.values).sum()),
        tests=_tests(table, fit, row, column),
        valid=_tests(valid, fit, row, column) if valid else (),
    )


def _p_value(tests: tuple[DifferenceTest, ...]) -> float:
    values = [test.difference for test in tests if isinstance(test, TTest)]
    if len(values) > 1 and min(values[1:]) <= 0 <= max(values[1:]):
        return 1.0
    return max(test.p_value for test in tests)


def _tests(table: GridTable, fit: CellFit, row: int, column: int) -> tuple[TTest, ...]:
    import numpy as np

    values = [table.values]
    if (table.highest - table.lowest).max() > 0:
        values.append(np.where(fit.weights > 0, table.lowest, table.highest))
        values.append(np.where(fit.weights > 0, table.highest, table.lowest))
    draws = table.samples[row, column].draw_error
    return tuple(_test(each, fit, row, column, draws) for each in values)


def _test(values: "Values", fit: CellFit, row: int, column: int, draws: float) -> TTest:
    """The t test; no spread is smaller than what finite draws make."""
    rows, columns = fit.used.nonzero()
    left = fit.residuals @ values[fit.used]
    freedom = fit.residuals.diagonal()

    def spread(among: "NDArray[np.bool_]") -> float:
        return float((left[among] ** 2).sum() / freedom[among].sum())

    largest = max(spread(columns == column), spread(rows == row), draws, TOLERANCE**2)
    return TTest(
        name=NAME,
        unit="students",
        difference=float((fit.weights * values).sum()),
        error=math.sqrt(largest * fit.error),
        degrees=float(freedom[(columns == column) | (rows == row)].sum()),
    )


def _combination(table: GridTable, fit: CellFit) -> OnEveryScale:
    """A cell less its expectation, as a combination of all that it is made of."""
    places = zip(*fit.weights.nonzero(), strict=True)
    return OnEveryScale(
        tuple(
            Term(
                weight=float(fit.weights[row, column]),
                sample=table.samples[int(row), int(column)],
                models=int(row),
                outcomes=table.outcomes,
            )
            for row, column in places
        )
    )


@lru_cache(maxsize=1024)
def _fit(own: tuple[int, ...], words: int, row: int, column: int) -> CellFit:
    """The least-squares fit of drift and popularity to all cells but own traits and this one."""
    import numpy as np

    students = len(own)
    used = np.ones((students, words), bool)
    used[np.arange(students), list(own)] = False
    used[row, column] = False
    rows, columns = used.nonzero()
    design = np.hstack([np.eye(students)[rows], np.eye(words)[columns]])
    inverse = np.linalg.pinv(design)
    wanted = np.concatenate([np.eye(students)[row], np.eye(words)[column]])
    weights = np.zeros((students, words))
    weights[used] = -(wanted @ inverse)
    weights[row, column] = 1.0
    known = bool(np.allclose(wanted @ inverse @ design, wanted))
    return CellFit(weights, used, np.eye(len(rows)) - design @ inverse, known)
