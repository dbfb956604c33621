"""Sources whose rows are selected by a score."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any, Self

from ...datasets import validation
from ...datasets.errors import SpecError
from ..stages import (
    HashedFunction,
    RowScores,
    RowsStage,
    ScoreByFunction,
    SelectRows,
    Which,
    row_function,
)
from .source_of_source import SourceOfSource
from .writers import DataWriters


@dataclass(frozen=True)
class RowScore:
    """A score of rows that limen brings along."""

    def scored(self, rows: RowsStage, writers: DataWriters) -> RowScores:
        """The stage that computes the score of each row."""
        raise NotImplementedError


@dataclass(frozen=True)
class Selected(SourceOfSource):
    """The rows of another source with the highest or the lowest scores.

    Beside the students of selected rows the report has an arm ``"random selection"`` of its own
    accord: students of as many rows of the same source, chosen at random. What differs between the
    two is due to the selection; what also differs between the random selection and the control is
    not. In the control arm the rows that the base wrote are selected by the same score.

    Args:
        source: Whose rows, all that its filter keeps.
        score: The score of a row: a function of prompt and completion, two texts, that gives a
            number; or ``LikelihoodShift()``.
        keep: Which rows: "top" (the highest scores), "bottom", or "random" (no score is computed).
            Default: "top".
        share: The share of the rows that is kept, above 0 and at most 1. Default: 0.5.
        rows: Rows in a student's training set, sampled from those that are kept, anew for each
            seed. Default: that share of the source's ``keep``.
        seed: Decides among equal scores, and which rows are chosen at random. Default: 0.

    Raises:
        SpecError: ``score`` is no such function, or ``keep`` or ``share`` is not one of these.
    """

    score: RowScore | HashedFunction | Callable[..., Any] = field(kw_only=True)
    keep: Which = field(default="top", kw_only=True)
    share: float = field(default=0.5, kw_only=True)
    rows: int | None = field(default=None, kw_only=True)
    seed: int = field(default=0, kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        validation.one_of("keep", self.keep, ("top", "bottom", "random"))
        number = validation.is_number(self.share) or isinstance(self.share, Fraction)
        if not number or not 0 < self.share <= 1:
            raise SpecError(f"share={self.share!r} must be above 0 and at most 1")
        if self.rows is not None:
            validation.count("rows", self.rows)
        validation.seed("seed", self.seed)
        if not isinstance(self.score, RowScore):
            object.__setattr__(self, "score", row_function("score", self.score))

    @property
    def _exact_share(self) -> Fraction:
        return Fraction(self.share).limit_denominator(10**6)

    @property
    def row_count(self) -> int | None:
        of_source = self.source.row_count
        if self.rows is not None or of_source is None:
            return self.rows
        return max(1, math.floor(self._exact_share * of_source))

    def resized(self, rows: int) -> Self:
        return self.but(rows=rows)

    def random_selection(self) -> Self | None:
        inner = super().random_selection()
        return inner if self.keep == "random" else replace(inner or self, keep="random")

    def made_of(self, rows: RowsStage, writers: DataWriters) -> RowsStage:
        scores = None if self.keep == "random" else self._scores(rows, writers)
        return SelectRows(
            label=f"{rows.label}, {self.keep} {float(self.share):.0%}",
            source=rows,
            scores=scores,
            which=self.keep,
            share=self._exact_share,
            seed=self.seed,
        )

    def _scores(self, rows: RowsStage, writers: DataWriters) -> RowScores:
        if isinstance(self.score, RowScore):
            return self.score.scored(rows, writers)
        by = row_function("score", self.score)
        return ScoreByFunction(label=f"{by.name} of {rows.label}", source=rows, by=by)
