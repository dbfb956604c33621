"""Checks that the values of a spec share. Each raises :class:`~limen.SpecError`."""

from collections.abc import Mapping
from typing import TypeGuard

from .errors import SpecError
from .suggestions import did_you_mean
from .unicode_text import is_writable


def is_integer(value: object) -> TypeGuard[int]:
    """Whether a value is an integer; ``True`` and ``False`` are not."""
    return isinstance(value, int) and not isinstance(value, bool)


def is_number(value: object) -> TypeGuard[int | float]:
    """Whether a value is an integer or a float; ``True`` and ``False`` are not."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def count(name: str, value: object) -> None:
    """Check for an integer of 1 or more."""
    if not is_integer(value) or value < 1:
        raise SpecError(f"{name}={value!r} must be a whole number above zero")


def seed(name: str, value: object) -> None:
    """Check for an integer of 0 or more."""
    if not is_integer(value) or value < 0:
        raise SpecError(f"{name}={value!r} must be a whole number from 0 up")


def text(name: str, value: object) -> None:
    """Check for a text that is more than white space."""
    if not isinstance(value, str) or not value.strip():
        raise SpecError(f"{name}={value!r} must be a text that is not empty")
    whole_characters(name, value)


def whole_characters(name: str, value: str) -> None:
    """Check that no half of a character (of a surrogate pair) stands alone in a text."""
    if not is_writable(value):
        raise SpecError(
            f"{name}={value!r} has half of a character in it, which no file can hold and no model "
            f"can be sent: write the whole character"
        )


def texts(name: str, value: object) -> None:
    """Check for a tuple of texts, one or more, none of them empty."""
    given = value if isinstance(value, tuple) else ()
    if not given or not all(isinstance(one, str) and one.strip() for one in given):
        raise SpecError(f"{name}={value!r} must be a tuple of texts, with one at least")
    for one in given:
        whole_characters(name, one)


def model_name(name: str, value: object) -> None:
    """Check for the name of a model, or None."""
    if not isinstance(value, str | None):
        raise SpecError(f"{name}={value!r} must be a model's name, or None")


def boolean(name: str, value: object) -> None:
    """Check for ``True`` or ``False``."""
    if not isinstance(value, bool):
        raise SpecError(f"{name}={value!r} must be True or False")


def one_of(name: str, value: object, choices: tuple[str, ...]) -> None:
    """Check for one of a few texts."""
    if value not in choices:
        near = did_you_mean(value, choices).strip() if isinstance(value, str) else ""
        listed = " or ".join(map(repr, choices))
        raise SpecError(f"{name}={value!r} must be {listed}{near and f': {near}'}")


def temperature(value: object) -> None:
    """Check for a number from 0 to 2."""
    if not is_number(value) or not 0 <= value <= 2:
        raise SpecError(f"temperature={value!r} must be a number from 0 (greedy) to 2")


def top_p(value: object) -> None:
    """Check for a number above 0 and at most 1."""
    if not is_number(value) or not 0 < value <= 1:
        raise SpecError(f"top_p={value!r} must be a number above 0 and at most 1")


def margin(value: object, *, value_range: tuple[float, float] | None = None) -> None:
    """Check for a number above zero, or None; and below the largest difference of such values."""
    low, high = value_range or (0.0, 1e9)
    if value is None or (is_number(value) and 0 < value < high - low):
        return
    within = "" if value_range is None else f" and below {high - low:g}"
    points = ": 3 points are 0.03" if value_range == (0, 1) else ", such as 0.03"
    raise SpecError(f"margin={value!r} must be a number above zero{within}{points}")


def budget(value: object) -> None:
    """Check for an amount of US dollars, or None."""
    if value is not None and not (is_number(value) and 0 <= value < 1e9):
        raise SpecError(f"budget={value!r} must be an amount in US dollars, such as 12.50")


def recipe(value: object) -> None:
    """Check for training settings by name."""
    if not isinstance(value, Mapping) or not all(isinstance(name, str) for name in value):
        raise SpecError(f"recipe={value!r} must be settings by name, as in {{'epochs': 2}}")
