"""What an Inspect log says of one model: plain values that travel between processes."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..stages import AskQuestions


@dataclass(frozen=True, kw_only=True)
class ScoreColumn:
    """One score of every question: a reading of the measure, or the share of valid answers."""

    name: str
    what: str
    value: float | None
    """limen's own figure for the model; None without any answer to it."""
    each: tuple[float | None, ...]
    """(questions,); None where a question has no such score."""
    tables: tuple[str, ...]
    """(questions,), the answers and what they count as, in markdown."""


@dataclass(frozen=True, kw_only=True)
class LogContents:
    """All that a log says of one model's answers; the draws are read from the store."""

    file: Path
    root: Path
    stage: AskQuestions
    task: str
    target: str
    groups: tuple[str, ...]
    """(questions,), each question's group."""
    lines: tuple[str, ...]
    """(questions,), the most frequent answers."""
    columns: tuple[ScoreColumn, ...]
    facts: dict[str, Any]
    """What tells this model from the others: experiment, arm, seed, and so on."""
