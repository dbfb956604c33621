"""Checks that the values of a spec share."""

from .errors import SpecError


def count(name: str, value: object) -> None:
    """Raise :class:`~limen.SpecError` unless the value is a whole number above zero."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise SpecError(f"{name}={value!r} must be a whole number above zero")


def seed(name: str, value: object) -> None:
    """Raise :class:`~limen.SpecError` unless the value is a whole number from 0 up."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise SpecError(f"{name}={value!r} must be a whole number from 0 up")


def texts(name: str, value: object) -> None:
    """Raise :class:`~limen.SpecError` unless the value is a tuple of texts, with one at least."""
    if (
        not isinstance(value, tuple)
        or not value
        or not all(isinstance(text, str) and text.strip() for text in value)
    ):
        raise SpecError(f"{name}={value!r} must be a tuple of texts, with one at least")


def temperature(value: object) -> None:
    """Raise :class:`~limen.SpecError` unless the value is a number from 0 to 2."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 2:
        raise SpecError(f"temperature={value!r} must be a number from 0 (greedy) to 2")


def margin(value: object) -> None:
    """Raise :class:`~limen.SpecError` unless the value is a number above zero, or None."""
    number = isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 1e9
    if value is not None and not number:
        raise SpecError(f"margin={value!r} must be a number above zero, such as 0.03")


def budget(value: object) -> None:
    """Raise :class:`~limen.SpecError` unless the value is an amount of dollars, or None."""
    amount = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e9
    if value is not None and not amount:
        raise SpecError(f"budget={value!r} must be an amount in US dollars, such as 12.50")
