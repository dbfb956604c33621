"""Estimates made of counts: what tests of verdicts compare."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limen.harness.statistics import Coverage, Rate, Scores, Table

Cells = NDArray[np.float64] | NDArray[np.int64]


def counted_rate(
    hits: Cells,
    *,
    invalid: Cells | int = 0,
    missing: Cells | int = 0,
    draws: int = 200,
    **fields: Any,
) -> Rate:
    """A rate from how many draws name the word, are invalid, or are missing, by seed and question."""
    shape = np.asarray(hits).shape
    hits, bad, lost = (
        np.broadcast_to(np.asarray(each), shape) for each in (hits, invalid, missing)
    )
    answered = draws - lost
    valid = answered - bad
    coverage = Coverage(
        answered=rows(answered),
        missing=rows(lost),
        valid=rows(valid),
        valid_means=_ratio(hits, valid),
    )
    return Rate(
        **{
            "word": "owl",
            "arm": "student",
            "questions": tuple(f"q{place}" for place in range(shape[1])),
            "table": _ratio(hits, answered),
            "draws": draws,
            "valid": float(valid.sum() / max(1, answered.sum())),
            "missing": int(lost.sum()),
            "trained": True,
            "coverage": coverage,
            **fields,
        }
    )


def rated_scores(
    each: Sequence[Sequence[Sequence[float]]], *, draws: int, scale: tuple[float, float] | None = (1, 10),
    **fields: Any,
) -> Scores:  # fmt: skip
    """Scores of which every draw without one was not rated."""
    counts = np.array([[len(cell) for cell in row] for row in each])
    means = tuple(tuple(float(np.mean(cell)) if cell else None for cell in row) for row in each)
    coverage = Coverage(
        answered=rows(counts), missing=rows(draws - counts), valid=rows(counts), valid_means=means
    )
    return Scores(
        **{
            "name": "formality",
            "arm": "student",
            "questions": tuple(f"q{place}" for place in range(counts.shape[1])),
            "table": means,
            "each": tuple(tuple(tuple(sorted(cell)) for cell in row) for row in each),
            "scale": scale,
            "draws": draws,
            "valid": 1.0,
            "missing": 0,
            "unrated": int(draws * counts.size - counts.sum()),
            "trained": True,
            "coverage": coverage,
            **fields,
        }
    )


def rows(cells: Cells) -> tuple[tuple[float, ...], ...]:
    """A table as tuples."""
    return tuple(map(tuple, np.asarray(cells, dtype=float).tolist()))


def _ratio(hits: Cells, of: Cells) -> Table:
    return tuple(
        tuple(float(h / n) if n else None for h, n in zip(one, other, strict=True))
        for one, other in zip(hits, of, strict=True)
    )
