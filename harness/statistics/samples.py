"""Samples: an arm's means by seed and question, as the tests read them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from .coverage import Coverage, Table, even_coverage, filled
from .hypothesis_tests import mean

Rows = tuple[tuple[float, ...], ...]
"""(seeds, questions), a mean in every cell."""

NO_COMMON_QUESTION = "no question was answered by every model"


@dataclass(frozen=True, kw_only=True, eq=False)
class Sample:
    """The means of an arm's models, question by question, and what is known about the draws."""

    questions: tuple[str, ...]
    table: Table
    draws: int
    """Draws in each cell of the table."""
    missing: int = 0
    """Draws whose outcome was never seen."""
    known_coverage: Coverage | None = None
    """What became of every draw, where that is known by seed and question."""
    fixed: bool = False
    """Whether this is one untrained model: a fixed one, and not a sample of trainings."""
    exact: bool = False
    """Whether the means were computed from probabilities, and not from draws."""
    unseen: float = 0.0
    """How much higher every mean may be than in the table: what exact rates leave out."""
    draw_variance: Callable[[], float] = field(default=lambda: 0.0)
    """Computes the variance of one draw's outcome, the mean over all cells."""

    @cached_property
    def by_seed(self) -> tuple[float, ...]:
        """(seeds,), each the mean over the questions that were answered; none without any."""
        return tuple(each for each in self.means if each is not None)

    @cached_property
    def means(self) -> tuple[float | None, ...]:
        """(seeds,), each the mean over the questions that were answered; None without any."""
        rows = ([cell for cell in row if cell is not None] for row in self.table)
        return tuple(mean(row) if row else None for row in rows)

    @cached_property
    def by_question(self) -> dict[str, float]:
        """Each answered question's mean over seeds."""
        columns = zip(*self.table, strict=True)
        answered = ([share for share in column if share is not None] for column in columns)
        return {
            q: mean(shares) for q, shares in zip(self.questions, answered, strict=True) if shares
        }

    @property
    def seeds(self) -> int:
        """Models that answered."""
        return len(self.by_seed)

    @property
    def value(self) -> float:
        """The mean over seeds."""
        return mean(self.by_seed)

    @cached_property
    def coverage(self) -> Coverage:
        """What became of every draw; spread evenly where only totals are known."""
        return self.known_coverage or even_coverage(self.table, self.draws, self.missing)

    @cached_property
    def has_gaps(self) -> bool:
        """Whether any cell of the table is without a mean."""
        return any(cell is None for row in self.table for cell in row)

    @property
    def lacks_draws(self) -> bool:
        """Whether the outcome of any draw was never seen."""
        if self.known_coverage is None and not self.missing and not self.has_gaps:
            return False
        return self.coverage.missing_total > 0

    @cached_property
    def complete_places(self) -> tuple[int, ...]:
        """The places of the questions that every answering model has a mean for."""
        rows = [row for row in self.table if any(cell is not None for cell in row)]
        places = range(len(self.questions)) if rows else range(0)
        return tuple(place for place in places if all(row[place] is not None for row in rows))

    def at(self, places: Sequence[int]) -> "Sample":
        """The same on some questions alone, by their places."""
        return replace(
            self,
            questions=tuple(self.questions[place] for place in places),
            table=tuple(tuple(row[place] for place in places) for row in self.table),
            known_coverage=self.coverage.at(places),
        )

    @property
    def rows(self) -> Rows:
        """The rows of the models that answered, on the questions that all of them answered."""
        answered = (row for row in self.table if any(cell is not None for cell in row))
        places = self.complete_places
        return tuple(tuple(row[place] or 0.0 for place in places) for row in answered)

    @property
    def is_uncertain(self) -> bool:
        """Whether the means would be others if everything had been seen."""
        return self.lacks_draws or self.unseen > 0

    def lowest(self, outcome: float) -> "Sample":
        """The same if every missing draw had had this smallest possible outcome."""
        return replace(self, table=filled(self.table, self.coverage, outcome))

    def highest(self, outcome: float) -> "Sample":
        """The same if every missing draw had had this largest possible outcome."""
        table = filled(self.table, self.coverage, outcome)
        higher = tuple(
            tuple(None if cell is None else cell + self.unseen for cell in row) for row in table
        )
        return replace(self, table=higher)

    def among_valid(self) -> "Sample":
        """The same among valid answers alone."""
        if self.known_coverage is None:
            return self
        known = self.known_coverage
        return replace(self, table=known.valid_means, known_coverage=known.of_valid())

    @property
    def draw_error(self) -> float:
        """Squared standard error of the value that finite draws alone give it."""
        cells = self.seeds * len(self.by_question) * self.draws
        return self.draw_variance() / cells if cells else 0.0


def pairs_of_seeds(one: Sample, other: Sample) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """The means of the seeds that answered in both samples, seed by seed."""
    both = [
        (mine, theirs)
        for mine, theirs in zip(one.means, other.means, strict=False)
        if mine is not None and theirs is not None
    ]
    return tuple(mine for mine, _ in both), tuple(theirs for _, theirs in both)
