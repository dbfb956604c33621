"""Traits by students: whether students take on their own teacher's trait, and not just any.

The table has a row for each student arm and a column for each trait. Rows and columns are centred
first: how much a student names all of the traits (generic drift), and how popular a trait is with
all students. What the cells of a student's own trait then stand above the others is transfer.

Whether that is chance is told by a permutation test of the students' labels: if it did not matter
whose data a student read, every assignment of students to traits would be as probable (Hubert and
Schultz 1976, 'Quadratic assignment as a general data analysis strategy'; Krackhardt 1988). The unit
is a student arm, so whatever one teacher's data do to all of its seeds alike is chance too. Below
five students there are too few assignments, and the test is a t over seed means of all arms, which
rates must pass on every scale on which drift may be the same for all traits (:mod:`.rate_scales`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from ...datasets.corrected_p_values import holm
from ...datasets.errors import SpecError
from .contrasts import Contrast, SignedClaim
from .estimates import Estimate
from .evidence import EvidenceListener
from .grid_cells import CellTest, cell_tests
from .grid_permutations import EXACT, Permuted
from .grid_tables import GridTable, check_name
from .hypothesis_tests import ALPHA
from .quantities import Concluded, lies_beyond
from .rate_scales import OwnTraitContrast
from .weighted import Weighted, obstacle_of

FEWEST = 5
"""Students from which their labels are permuted."""
OWN = "own teacher's trait - other traits"
SAYS = (
    "students take on the trait of their own teacher",
    "students avoid the trait of their own teacher",
)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class GridEffects:
    """A finished grid: what every student arm gives of every trait.

    ``str`` names of students are those of the arms; of traits, the words that show them.
    """

    estimates: Mapping[tuple[str, str], Estimate]
    """By student and word."""
    own: Mapping[str, str]
    """The word of each student's own teacher."""
    baseline: Mapping[str, Estimate]
    """The base model's, by word."""

    @property
    def students(self) -> tuple[str, ...]:
        """The student arms."""
        return tuple(self.own)

    @cached_property
    def words(self) -> tuple[str, ...]:
        """The words that show the traits."""
        return tuple(dict.fromkeys(word for _, word in self.estimates))

    @cached_property
    def diagonal(self) -> "Diagonal":
        """Whether students take on their own teacher's trait more than other traits."""
        return Diagonal(grid=self)

    @cached_property
    def table(self) -> GridTable:
        """The values, rows are students and columns words."""
        return GridTable.of(self.estimates, self.own)

    @cached_property
    def table_of_valid(self) -> GridTable | None:
        """The same among valid answers; None if no answer is known to be invalid."""
        known = (each.coverage for each in self.estimates.values() if each.coverage)
        if not any(coverage.invalid_total for coverage in known):
            return None
        return GridTable.of(self.estimates, self.own, valid=True)

    def cell(self, student: str, word: str) -> "GridCell":
        """What a student gives of a word beyond the other students, generic drift taken off.

        Corrected for all cells by Holm's method, and tested only if the diagonal stands out.
        Raises :class:`~limen.SpecError` for a student or a word that the grid does not have.
        """
        check_name("student", student, self.students)
        check_name("word", word, self.words)
        return self._cells[student, word]

    @property
    def cells(self) -> "dict[tuple[str, str], GridCell]":
        """All cells, by student and word."""
        return dict(self._cells)

    @cached_property
    def _cells(self) -> "dict[tuple[str, str], GridCell]":
        tests = cell_tests(self.table, self.table_of_valid)
        corrected = holm([test.p_value for test in tests.values()])
        gate = self.diagonal.corrected_p_value
        factor = self.diagonal.correction
        return {
            place: GridCell(
                grid=self,
                student=place[0],
                word=place[1],
                result=result,
                holm_p_value=max(gate, min(1.0, factor * p)),
            )
            for (place, result), p in zip(tests.items(), corrected, strict=True)
        }

    def drift(self, student: str | None = None) -> Contrast:
        """How much more than the base a student gives the traits of others: generic drift.

        Of all students together unless one is named.
        """
        if student is not None:
            check_name("student", student, self.students)
        if not self.baseline or len(self.words) < 2:
            raise SpecError("drift needs the base model's answers, and two traits or more")
        return Contrast(
            name=f"drift of {student or 'the students'} from the base, other traits",
            parts=self._drift_terms((student,) if student else self.students),
            factor=self.diagonal.correction,
            says=("students drift towards all traits", "students drift away from all traits"),
        )

    def _drift_terms(self, students: Sequence[str]) -> tuple[Weighted, ...]:
        others = [(s, w) for s in students for w in self.words if w != self.own[s]]
        weight = 1 / len(others)
        treated = tuple((weight, self.estimates[place]) for place in others)
        return (*treated, *((-weight, self.baseline[word]) for _, word in others))

    def __repr__(self) -> str:
        size = f"{len(self.students)} students by {len(self.words)} traits"
        return f"<grid of {size}: {self.diagonal!r}>"


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Diagonal(SignedClaim):
    """How much more students give of their own teacher's trait than of others, with its test.

    Ordered like the number that it is. Rows and columns are centred before. From five students on
    the test permutes the students' labels; below that it is a t over the seed means of all arms,
    and rates must differ on every scale: as they are, their logarithms, their log-odds, and the
    logarithms of what is left.
    """

    grid: GridEffects

    @property
    def title(self) -> str:
        return OWN

    @property
    def weighted(self) -> tuple[Weighted, ...]:
        weights = self.grid.table.weights
        return tuple(
            (float(weights[row, column]), self.grid.estimates[student, word])
            for row, student in enumerate(self.grid.students)
            for column, word in enumerate(self.grid.words)
        )

    @property
    def correction(self) -> int:
        every = self.grid.estimates.values()
        return max(each.family for each in every) * max(each.looks for each in every)

    @property
    def value(self) -> float:
        """Own trait less the others, the mean over students."""
        return self.grid.table.diagonal

    @property
    def unit(self) -> str:
        """What the test takes as independent: ``students``, or ``seeds`` below five of them."""
        return "students" if self._permuted else self.over("seeds").unit

    @property
    def test(self) -> str:
        """The test by name."""
        corrected = f", Bonferroni x {self.correction}" if self.correction > 1 else ""
        if not self._permuted:
            return self.over("seeds").test
        exact = len(self.grid.students) <= EXACT
        return f"{'exact ' if exact else ''}permutation of the students' labels{corrected}"

    @property
    def _permuted(self) -> bool:
        return len(self.grid.students) >= FEWEST

    def over(self, unit: Literal["seeds", "pairs", "questions"]) -> Contrast:
        """The same, tested over ``seeds``, ``pairs`` or ``questions``: of these data alone."""
        made = OwnTraitContrast(name=OWN, parts=self.weighted, factor=self.correction, says=SAYS)
        return made if unit == "seeds" else made.over(unit)

    @property
    def raw_p_value(self) -> float:
        return self._raw_p_value

    @cached_property
    def _raw_p_value(self) -> float:
        return self._p_of(self.grid.table)

    def _p_of(self, table: GridTable) -> float:
        """Two-sided p-value, whatever missing answers would have been."""
        if not self._permuted:
            return self.over("seeds").raw_p_value
        values = [each.diagonal for each in table.scenarios]
        if len(values) > 1 and min(values[1:]) <= 0 <= max(values[1:]):
            return 1.0
        return max(Permuted.of(each).p_value(0.0) for each in table.scenarios)

    @property
    def interval(self) -> tuple[float, float]:
        """95% interval: every value that the test does not reject, in the worst case."""
        return self._interval_of(self.grid.table)

    def _interval_of(self, table: GridTable) -> tuple[float, float]:
        if not self._permuted:
            return self.over("seeds").interval
        level = ALPHA / self.correction
        ends = [Permuted.of(each).interval(level) for each in table.scenarios]
        return min(low for low, _ in ends), max(high for _, high in ends)

    @property
    def statements(self) -> tuple[str, str]:
        return SAYS

    @property
    def of_training(self) -> bool:
        return self._permuted or self.over("seeds").of_training

    def _obstacle(self) -> str:
        if obstacle := obstacle_of(self.estimates, "questions" if self._permuted else None):
            return obstacle
        if not self._permuted:
            return self.over("seeds").why_inconclusive
        valid = self.grid.table_of_valid
        if valid is None or self.corrected_p_value >= ALPHA:
            return ""  # the permutations of valid answers are not needed
        return self._reason_of_valid(valid.diagonal, self._p_of(valid))

    def is_beyond(self, op: str, threshold: float) -> bool:
        valid = self.grid.table_of_valid
        intervals = [self.interval, *([self._interval_of(valid)] if valid else [])]
        beyond = all(lies_beyond(each, op, threshold) for each in intervals)
        return beyond and not self.why_inconclusive

    def __repr__(self) -> str:
        first = self.estimates[0]
        return (
            f"{OWN}: {first.show_difference(self.value)} {first.show_interval(self.interval)} over "
            f"{self.unit}, p = {self.corrected_p_value:.2g} ({self.test}, "
            f"{len(self.grid.students)} students x {len(self.grid.words)} traits): "
            f"{self.stated_claim}"
        )

    def explain(self) -> list[str]:
        """The diagonal, and the row of each student with its own trait first."""
        return [repr(self), *(self._row(student) for student in self.grid.students)]

    def _row(self, student: str) -> str:
        own = self.grid.own[student]
        words = [own, *(word for word in self.grid.words if word != own)]
        shown = ((word, self.grid.estimates[student, word]) for word in words)
        return f"  {student}: " + ", ".join(f"{word} {e.show(e.value)}" for word, e in shown)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class GridCell(Concluded):
    """What one student gives of one trait, beyond the other students and beyond its own drift."""

    grid: GridEffects
    student: str
    word: str
    result: CellTest
    holm_p_value: float
    """Holm's over all cells, and no smaller than that of the diagonal."""

    @property
    def value(self) -> float:
        """The student's value less the others', each less its own mean of other traits."""
        return self.result.value

    @property
    def estimate(self) -> Estimate:
        """What the student gives of the word."""
        return self.grid.estimates[self.student, self.word]

    @property
    def corrected_p_value(self) -> float:
        """Two-sided; by Holm's method over all cells."""
        return self.holm_p_value

    @property
    def raw_p_value(self) -> float:
        """Two-sided, corrected for nothing."""
        return self.result.p_value

    @property
    def interval(self) -> tuple[float, float]:
        """95% interval, simultaneous over all cells (Bonferroni)."""
        cells = len(self.grid.estimates) * self.grid.diagonal.correction
        return self.result.interval(1 - ALPHA / cells)

    @property
    def test(self) -> str:
        """The test by name."""
        return f"{self.result.name}, Holm of {len(self.grid.estimates)}"

    @property
    def evidence_listener(self) -> EvidenceListener | None:
        return self.estimate.listener

    @property
    def is_conclusive(self) -> bool:
        return self.corrected_p_value < ALPHA and not self.grid.diagonal.why_inconclusive

    @property
    def stated_claim(self) -> str:
        if not self.is_conclusive:
            out = self.grid.diagonal.corrected_p_value < ALPHA
            return "inconclusive" if out else "inconclusive: the diagonal does not stand out"
        more = "more" if self.value > 0 else "less"
        return f"students of {self.student} give {self.word!r} {more} often than other students"

    def is_beyond(self, op: str, threshold: float) -> bool:
        return self.is_conclusive and lies_beyond(self.interval, op, threshold)

    def __repr__(self) -> str:
        show, beyond = self.estimate, self.estimate.show_difference(self.value)
        return (
            f"{self.student}, {self.word!r}: {show.show(show.value)}, {beyond} "
            f"{show.show_interval(self.interval)} v the other students, "
            f"p = {self.corrected_p_value:.2g} ({self.test}): {self.stated_claim}"
        )

    def explain(self) -> list[str]:
        return [repr(self), f"  {self.grid.diagonal!r}"]


def read_grid(
    estimates: Mapping[tuple[str, str], Estimate],
    own: Mapping[str, str],
    baseline: Mapping[str, Estimate],
) -> GridEffects:
    """The grid of some estimates; raises :class:`~limen.SpecError` unless it has a diagonal."""
    if len(set(own.values())) != len(own) or len(own) < 2:
        raise SpecError("a grid needs two students or more, each of another trait")
    return GridEffects(estimates=estimates, own=own, baseline=baseline)
