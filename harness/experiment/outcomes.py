"""A researcher's own function of an answer: how it is called, and what it may return."""

import math
import numbers
from collections.abc import Callable

from ...datasets.answer_text import visible_text
from ...datasets.errors import ScoreError, SpecError
from ..stages import SHOWN, call_on_text, shown


def check_function(name: str, value: object) -> None:
    """Raise :class:`~limen.SpecError` for what cannot be called."""
    if not callable(value):
        raise SpecError(f"{name}={value!r} must be a function of an answer")


def score_of(
    outcome: Callable[[str], object], answer: str, scale: tuple[float, float] | None
) -> float | None:
    """The score that a function gives an answer without its hidden reasoning; None if none.

    Raises :class:`~limen.ScoreError`, with the answer, if the function fails, or gives what is not
    a finite number on the scale.
    """
    value = _called(outcome, answer)
    if value is None:
        return None
    score = _finite(value)
    if score is None:
        raise _wrong(value, answer, "a score must be a finite number, or None")
    if scale is not None and not scale[0] <= score <= scale[1]:
        raise _wrong(value, answer, f"the scale is {scale[0]:g} to {scale[1]:g}")
    return score


def label_of(outcome: Callable[[str], object], answer: str) -> str | None:
    """The label that a function gives an answer without its hidden reasoning; None if none.

    Raises :class:`~limen.ScoreError`, with the answer, if the function fails or gives what is
    neither a text nor None.
    """
    value = _called(outcome, answer)
    if not isinstance(value, str | None):
        raise _wrong(value, answer, "a label must be a text, or None")
    return value


def _called(outcome: Callable[[str], object], answer: str) -> object:
    return call_on_text(
        outcome,
        visible_text(answer),
        name="the outcome function",
        what="the answer",
        error=ScoreError,
    )


def _finite(value: object) -> float | None:
    if not isinstance(value, numbers.Real):
        return None
    try:
        number = float(value)
    except (OverflowError, ValueError):
        return None
    return number if math.isfinite(number) else None


def _wrong(value: object, answer: str, wanted: str) -> ScoreError:
    return ScoreError(
        f"the outcome function gave {shown(value)} for the answer {answer[:SHOWN]!r}: {wanted}"
    )
