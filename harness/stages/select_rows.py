"""Rows selected by a score: the top or the bottom share, or as many at random."""

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

from ...datasets.artifacts import Manifest
from ...datasets.errors import SpecError
from ...datasets.seeds import derive
from ...datasets.store_layout import KEPT, SCORES
from .functions import HashedFunction
from .row_functions import call_with_row
from .row_log import Row
from .row_stages import ChoosingStage, PromptSample, RowsStage, write_choice
from .stage import Stage, Workspace
from .user_calls import SHOWN, shown

Which = Literal["top", "bottom", "random"]


@dataclass(frozen=True, kw_only=True)
class RowScores(Stage):
    """A stage that leaves a score for each row of another, in their order."""

    source: RowsStage

    def inputs(self) -> tuple[Stage, ...]:
        return (self.source,)

    def write_scores(self, workspace: Workspace, scores: list[float]) -> Manifest:
        """Write the scores; returns the facts for the manifest."""
        workspace.write_json(SCORES, scores)
        spread = {"low": min(scores), "high": max(scores)} if scores else {}
        return {"counts": {"rows": len(scores)}, "scores": spread}


@dataclass(frozen=True, kw_only=True)
class ScoreByFunction(RowScores):
    """The scores that a function of prompt and completion gives."""

    kind = "score"
    by: HashedFunction

    def identity(self) -> dict[str, object]:
        return {"by": self.by.name}

    def run(self, workspace: Workspace) -> Manifest:
        rows = workspace.rows(self.source, KEPT)
        return self.write_scores(workspace, [self._score(row) for row in rows])

    def _score(self, row: Row) -> float:
        score = call_with_row(self.by, row)
        value = _finite(score)
        if value is None:
            raise SpecError(
                f"the function {self.by.name} gave {shown(score)} for the text "
                f"{row['text'][:SHOWN]!r}: a score must be a finite number"
            )
        return value


@dataclass(frozen=True, kw_only=True)
class ScoreByColumn(RowScores):
    """The scores that given rows have in a column."""

    kind = "score"
    column: str

    def identity(self) -> dict[str, object]:
        return {"column": self.column}

    def run(self, workspace: Workspace) -> Manifest:
        rows = enumerate(workspace.rows(self.source, KEPT), start=1)
        return self.write_scores(workspace, [self._score(place, row) for place, row in rows])

    def _score(self, place: int, row: Row) -> float:
        if self.column not in row:
            raise SpecError(
                f"row {place} of {self.source.label} has no column {self.column!r} to select by: "
                f"it has {', '.join(map(repr, row))}"
            )
        value = _finite(row[self.column])
        if value is None:
            raise SpecError(
                f"row {place} of {self.source.label} has {shown(row[self.column])} in the column "
                f"{self.column!r}: a score must be a finite number"
            )
        return value


@dataclass(frozen=True, kw_only=True)
class SelectRows(ChoosingStage):
    """A share of the rows: those with the highest or the lowest scores, or any, at random.

    The number of rows is the share of all, rounded up. Among equal scores, and at random, the
    seed decides by the row's own number, so that the order of rows does not matter.
    """

    kind = "select"
    source: RowsStage
    scores: RowScores | None
    """None at random: no score is then computed."""
    which: Which
    share: Fraction
    seed: int

    def inputs(self) -> tuple[Stage, ...]:
        return (self.source, self.scores) if self.scores else (self.source,)

    def identity(self) -> dict[str, object]:
        return {"which": self.which, "share": str(self.share), "seed": self.seed}

    def prompt_sample(self) -> PromptSample:
        return self.source.prompt_sample()

    def shortage(self, workspace: Workspace) -> str:
        before = self.source.shortage(workspace)
        own = f"of {before}; " if before else ""
        return f"{own}{float(self.share):.0%} of the rows are selected ({self.which})"

    def run(self, workspace: Workspace) -> Manifest:
        rows = list(workspace.rows(self.source, KEPT))
        scores = workspace.json(self.scores, SCORES) if self.scores else [0.0] * len(rows)
        chosen = self._chosen(rows, scores)
        kept = [row for place, row in enumerate(rows) if place in chosen]
        reason = f"not in the {self.which} {float(self.share):.4g}"
        rejected = [{**r, "reason": reason} for place, r in enumerate(rows) if place not in chosen]
        rule = f"{self.which} {float(self.share):.0%} by {self._by}"
        facts = write_choice(workspace, rule, kept, rejected)
        return {**facts, "scores": _means(scores, chosen)} if self.scores else facts

    @property
    def _by(self) -> str:
        return self.scores.label if self.scores else "chance"

    def _chosen(self, rows: list[Row], scores: list[float]) -> frozenset[int]:
        """The places of the rows that are selected."""
        sign = 1 if self.which == "bottom" else -1
        order = sorted(
            range(len(rows)),
            key=lambda place: (sign * scores[place], self._lot(rows[place], place)),
        )
        return frozenset(order[: math.ceil(self.share * len(rows))])

    def _lot(self, row: Row, place: int) -> int:
        """A number at random that belongs to the row, wherever it stands."""
        return derive("select", self.seed, row.get("row", place), row.get("draw", 0))


def _finite(score: Any) -> float | None:
    """The score as a number; None if it is no finite one."""
    try:
        value = float(score)
    except (TypeError, ValueError, OverflowError):
        return None
    return value if math.isfinite(value) else None


def _means(scores: list[float], chosen: frozenset[int]) -> dict[str, float]:
    """The mean score of all rows and of the selected ones."""
    if not scores:
        return {}
    selected = [scores[place] for place in chosen]
    return {
        "mean": math.fsum(scores) / len(scores),
        "selected": math.fsum(selected) / len(selected),
    }
