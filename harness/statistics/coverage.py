"""Coverage: which draws have an answer, which answers are valid, and what the rest could change."""

from collections.abc import Sequence
from dataclasses import dataclass

Table = tuple[tuple[float | None, ...], ...]
"""(seeds, questions), a mean over draws in each cell; None where there is none."""
Counts = tuple[tuple[float, ...], ...]
"""(seeds, questions), a number of draws in each cell (a fraction where only a total is known)."""


@dataclass(frozen=True, kw_only=True)
class Coverage:
    """What became of every draw of an arm, by seed and question.

    Two kinds of draws are kept apart. A draw is *missing* if its outcome was never seen: the call
    failed, the service filtered the answer, or a judge did not rate it. An answer is *invalid* if
    it was seen but names nothing: a refusal, or text that is no answer.
    """

    answered: Counts
    """Draws with an outcome, valid or not."""
    missing: Counts
    """Draws whose outcome was never seen."""
    valid: Counts
    """Valid answers, among those with an outcome."""
    valid_means: Table
    """The means among valid answers alone."""

    def at(self, places: Sequence[int]) -> "Coverage":
        """The coverage of some questions, by their places."""
        return Coverage(
            answered=_columns(self.answered, places),
            missing=_columns(self.missing, places),
            valid=_columns(self.valid, places),
            valid_means=tuple(tuple(row[place] for place in places) for row in self.valid_means),
        )

    def of_valid(self) -> "Coverage":
        """The coverage that is left when invalid answers do not count as outcomes."""
        return Coverage(
            answered=self.valid,
            missing=self.missing,
            valid=self.valid,
            valid_means=self.valid_means,
        )

    @property
    def invalid_total(self) -> int:
        """How many answers are invalid."""
        return round(_total(self.answered) - _total(self.valid))

    @property
    def missing_total(self) -> int:
        """How many draws have no outcome."""
        return round(_total(self.missing))

    @property
    def missing_share(self) -> float:
        """The share of draws that have no outcome, 0 to 1."""
        missing = _total(self.missing)
        return missing / (missing + _total(self.answered)) if missing else 0.0

    @property
    def valid_share(self) -> float:
        """The share of answers that are valid, 0 to 1; of none, 1."""
        answered = _total(self.answered)
        return _total(self.valid) / answered if answered else 1.0


def filled(table: Table, coverage: Coverage, end: float) -> Table:
    """A table of means if every missing draw had had the outcome ``end``."""
    return tuple(
        tuple(map(_filled, means, answered, missing, [end] * len(means)))
        for means, answered, missing in zip(table, coverage.answered, coverage.missing, strict=True)
    )


def _filled(average: float | None, answered: float, missing: float, end: float) -> float | None:
    if not missing:
        return average
    known = 0.0 if average is None else average * answered
    return (known + missing * end) / (answered + missing)


def even_coverage(table: Table, draws: int, missing: int) -> Coverage:
    """The coverage of an estimate of which the number of missing draws alone is known.

    A cell without a mean lacks all of its draws; what else is missing is spread over the others.
    """
    known = [[average is not None for average in row] for row in table]
    cells = sum(map(sum, known))
    left = max(0, missing - draws * (sum(map(len, table)) - cells))
    each = left / cells if cells else 0.0
    answered = tuple(tuple(max(draws - each, 0.0) * cell for cell in row) for row in known)
    lacking = tuple(tuple(draws - cell for cell in row) for row in answered)
    return Coverage(answered=answered, missing=lacking, valid=answered, valid_means=table)


def _columns(counts: Counts, places: Sequence[int]) -> Counts:
    return tuple(tuple(row[place] for place in places) for row in counts)


def _total(counts: Counts) -> float:
    return sum(map(sum, counts))
