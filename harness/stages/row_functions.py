"""A researcher's functions of a row: how they are called, and what their errors say."""

import inspect
import random
from collections.abc import Callable
from typing import Any

from ...datasets.errors import SpecError
from ...datasets.seeds import derive
from .functions import HashedFunction, hashed_function
from .row_log import Row
from .user_calls import call_on_text


def row_function(what: str, value: object, *, random: bool = False) -> HashedFunction:
    """A function of prompt and completion, and with ``random`` of a third argument if it has one.

    Raises :class:`~limen.SpecError` for what is no such function.
    """
    made = hashed_function(what, value)
    if not (_takes(made.call, 2) or (random and _takes(made.call, 3))):
        third = ", and may take a random.Random" if random else ""
        raise SpecError(
            f"{what}={made.name} must be a function of prompt and completion, two texts{third}"
        )
    return made


def _takes(call: Callable[..., Any], arguments: int) -> bool:
    try:
        inspect.signature(call).bind(*range(arguments))
    except (TypeError, ValueError):
        return False
    return True


def takes_generator(function: HashedFunction) -> bool:
    """Whether a function of a row needs a third argument, for random numbers."""
    return not _takes(function.call, 2) or "rng" in inspect.signature(function.call).parameters


def call_with_row(function: HashedFunction, row: Row, *extra: object) -> Any:
    """What a function gives for a row; raises :class:`~limen.SpecError` if it fails."""
    return call_on_text(
        function.call,
        row["text"],
        name=f"the function {function.name}",
        what="the text",
        error=SpecError,
        given=(row["prompt"], row["text"], *extra),
    )


def generator_of(purpose: str, seed: int, row: Row) -> random.Random:
    """Random numbers of one row: they depend on the seed and the row's place, not on its order."""
    return random.Random(derive(purpose, seed, row.get("row", 0), row.get("draw", 0)))
