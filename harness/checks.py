"""Checks that the values of a spec share."""

from ..datasets.errors import SpecError


def count(name: str, value: object) -> None:
    """Raise :class:`~limen.SpecError` unless the value is a whole number above zero."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise SpecError(f"{name}={value!r} must be a whole number above zero")


def seed(name: str, value: object) -> None:
    """Raise :class:`~limen.SpecError` unless the value is a whole number."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise SpecError(f"{name}={value!r} must be a whole number")


def temperature(value: object) -> None:
    """Raise :class:`~limen.SpecError` unless the value is a number from 0 to 2."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 2:
        raise SpecError(f"temperature={value!r} must be a number from 0 (greedy) to 2")


def budget(value: object) -> None:
    """Raise :class:`~limen.SpecError` unless the value is an amount of dollars, or None."""
    amount = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e9
    if value is not None and not amount:
        raise SpecError(f"budget={value!r} must be an amount in US dollars, such as 12.50")
