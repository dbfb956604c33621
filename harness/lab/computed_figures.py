"""From the stored rows of a computed measure to the figures of an arm."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...datasets.errors import ScoreError
from ..experiment import Measure
from ..stages import VALUES, Manifest, Store
from ..statistics import Table
from .answers import ModelAnswers
from .pipeline import ModelStages


@dataclass(frozen=True)
class ComputedFigures:
    """The figures of an arm's models, (seeds, questions)."""

    table: Table
    each: tuple[tuple[tuple[float, ...], ...], ...]
    """Every figure by itself: one a cell, none where there is none."""

    @property
    def missing(self) -> int:
        """Cells without a figure."""
        return sum(cell is None for row in self.table for cell in row)


def computed_figures(
    arm: str, measure: Measure, models: tuple[ModelAnswers, ...], word: str, places: range
) -> ComputedFigures:
    """The figures of a word or a score; raises :class:`~limen.ScoreError` if there is none."""
    table = tuple(
        tuple(measure.figure(word, model.figures[place]) for place in places) for model in models
    )
    if all(cell is None for row in table for cell in row):
        raise ScoreError(
            f"{arm} has no figure of {word!r}: none of its values is known exactly. A chat server "
            f"reports a few first tokens; use --limen-openai-endpoint completions where it echoes "
            f"texts, or an engine (local, toy)"
        )
    each = tuple(tuple(() if cell is None else (cell,) for cell in row) for row in table)
    return ComputedFigures(table, each)


def read_figures(store: Store, stages: ModelStages) -> ModelAnswers:
    """What a model's finished stage computed."""
    stage = stages.answers
    manifest: Manifest = store.finished(stage.kind, stage.key)
    rows: list[Mapping[str, Any]] = store.json(stage.kind, stage.key, VALUES)
    return ModelAnswers(
        model=manifest["model"],
        key=stage.key,
        counts=tuple(Counter[str]() for _ in rows),
        missing=0,
        said={},
        labels=tuple(manifest["questions"]),
        figures=tuple(rows),
        surroundings=manifest.get("surroundings", {}),
    )
