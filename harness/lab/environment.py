"""Values that come as text: from environment variables, options and ini files."""

import os
from collections.abc import Iterable

from ...datasets.errors import SpecError


def from_environment(name: str) -> tuple[str | None, str]:
    """The value of a setting's environment variable, and the variable's name.

    The value is None if the variable is empty or not set.
    """
    variable = f"LIMEN_{name.upper()}"
    return os.environ.get(variable) or None, variable


def whole_number_from(text: str | None, source: str) -> int | None:
    """A whole number above zero; None for None. Raises :class:`~limen.SpecError`."""
    if text is None:
        return None
    if not text.isdecimal():
        raise SpecError(f"{source}={text!r} must be a whole number above zero")
    return int(text)


def dollars_from(text: str | None, source: str) -> float | None:
    """An amount in US dollars, with or without "$"; None for None.

    Raises :class:`~limen.SpecError`.
    """
    try:
        return None if text is None else float(text.removeprefix("$"))
    except ValueError:
        raise SpecError(f"{source}={text!r} must be dollars, such as 12.50") from None


def retries_from(text: str | None, source: str) -> int:
    """A number of retries, 0 or more; 1 for None. Raises :class:`~limen.SpecError`."""
    if text is None:
        return 1
    if not text.isdecimal():
        raise SpecError(f"{source}={text!r} must be a whole number, 0 or more")
    return int(text)


def names_from(text: str | None) -> tuple[str, ...]:
    """Names separated by commas; none for None."""
    return tuple(name for part in (text or "").split(",") if (name := part.strip()))


def model_for(backend: str | None, given: Iterable[tuple[str | None, str | None]]) -> str | None:
    """The model that is given for a backend; None if none is, for the backend's own choice.

    Args:
        backend: The backend in use; None if nothing names one.
        given: The model and the backend of each place that may name them, the first in force
            first. A model that stands beside another backend is not meant.
    """
    meant = (model for model, beside in given if model and (not beside or beside == backend))
    return next(meant, None)
