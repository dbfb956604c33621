"""Arms with given seed means, and their effects."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from limen.harness.statistics import Effect, Rate, Scores

QUESTIONS = 20


def arm(levels: Sequence[float], *, name: str = "student", **changes: object) -> Rate:
    """An arm whose seeds have these means: 20 questions, a little apart."""
    offsets = np.linspace(-0.02, 0.02, QUESTIONS)
    return Rate(
        **{
            "word": "owl",
            "arm": name,
            "questions": tuple(f"q{i}" for i in range(QUESTIONS)),
            "table": tuple(tuple((level + offsets).tolist()) for level in levels),
            "draws": 200,
            "valid": 1.0,
            "missing": 0,
            "trained": True,
            **changes,
        }  # type: ignore[arg-type]
    )


def effect(a: Sequence[float], b: Sequence[float], **changes: Any) -> Effect:
    """The effect of two arms."""
    return arm(a, **changes) - arm(b, name="control", **changes)


def scores(ratings: Sequence[Sequence[Sequence[float]]], *, name: str = "student") -> Scores:
    """An arm with these ratings: (seeds, questions, answers)."""
    return Scores(
        name="judge",
        arm=name,
        questions=tuple(f"q{i}" for i in range(len(ratings[0]))),
        table=tuple(tuple(float(np.mean(c)) if c else None for c in row) for row in ratings),
        draws=max(len(cell) for row in ratings for cell in row),
        valid=1.0,
        missing=0,
        trained=True,
        each=tuple(tuple(tuple(sorted(cell)) for cell in row) for row in ratings),
    )
