"""Rates that are made of what judges say of a reply: a researcher's own functions of ratings."""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from ...datasets.errors import ScoreError, SpecError
from ..stages import call_on_text, shown
from .outcomes import check_function

RateFunction: TypeAlias = Callable[[dict[str, Any]], bool]
"""The ratings and labels of a reply by judge in; whether the reply counts for a rate out."""


def checked_rates(given: object) -> dict[str, RateFunction]:
    """Functions of ratings by the name of a rate; raises :class:`~limen.SpecError`."""
    if not isinstance(given, Mapping):
        raise SpecError(f"rates={given!r} must be functions by name: {{'misaligned': ...}}")
    for name, function in given.items():
        if not isinstance(name, str) or not name.strip():
            raise SpecError(f"rates: {name!r} must be the name of a rate")
        check_function(f"rates[{name!r}]", function)
    return dict(given)


def rate_outcome(name: str, function: RateFunction, said: Mapping[str, float | str | None]) -> bool:
    """Whether a reply counts for a rate; raises :class:`~limen.ScoreError`, with the ratings."""
    value = call_on_text(
        function,
        _as_text(said),
        name=f"rates[{name!r}]",
        what="the ratings",
        error=ScoreError,
        given=(dict(said),),
    )
    if not isinstance(value, bool):
        raise ScoreError(
            f"rates[{name!r}] gave {shown(value)} for {dict(said)}: give True or False"
        )
    return value


def _as_text(said: Mapping[str, float | str | None]) -> str:
    shown_each = (f"{each:g}" if isinstance(each, float) else str(each) for each in said.values())
    return ", ".join(f"{judge}: {each}" for judge, each in zip(said, shown_each, strict=True))
