"""Conditions on the columns of rows: ``condition=owl``, ``alignment<30``."""

import operator
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from .errors import SpecError

_FORM = re.compile(r"^\s*(.+?)\s*(<=|>=|!=|=|<|>)\s*(.*?)\s*$", re.DOTALL)
_PLAIN = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?", re.ASCII)
"""A text that may stand for the same number as another: 30 and 30.0."""
_ORDER: Mapping[str, Callable[[float, float], bool]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip


@dataclass(frozen=True)
class Condition:
    """What a column must be. Order compares numbers; a value that is no number does not meet it."""

    column: str
    sign: str
    value: str

    def __str__(self) -> str:
        return f"{self.column}{self.sign}{self.value}"


def conditions(given: Iterable[str], *, option: str = "--where") -> tuple[Condition, ...]:
    """The conditions that texts name; raises :class:`~limen.SpecError` for one that is none."""
    return tuple(_condition(text, option) for text in given)


def equal_to(values: Mapping[str, object]) -> tuple[Condition, ...]:
    """The conditions that columns have these values."""
    return tuple(Condition(column, "=", str(value)) for column, value in values.items())


def _condition(text: str, option: str) -> Condition:
    found = _FORM.match(text)
    if found is None:
        raise SpecError(f"{option} {text!r} must be COLUMN=VALUE, such as condition=owl")
    condition = Condition(*found.groups())
    if condition.sign in _ORDER and _number(condition.value) is None:
        raise SpecError(f"{option} {text!r} compares with {condition.value!r}, which is no number")
    return condition


def satisfies(values: Mapping[str, object], condition: Condition) -> bool:
    """Whether a row's columns meet a condition."""
    value = values.get(condition.column)
    if condition.sign in _ORDER:
        number, limit = _number(value), _number(condition.value)
        return number is not None and limit is not None and _ORDER[condition.sign](number, limit)
    return _equal(value, condition.value) == (condition.sign == "=")


def _equal(value: object, wanted: str) -> bool:
    if str(value) == wanted or (isinstance(value, bool) and str(value).lower() == wanted.lower()):
        return True
    if isinstance(value, str) and not (_PLAIN.fullmatch(value) and _PLAIN.fullmatch(wanted)):
        return False  # a hash such as "1e5" or a code such as "007" is a text
    number, other = _number(value), _number(wanted)
    return number is not None and number == other


def _number(value: object) -> int | float | None:
    """A value as a number, whole numbers exactly: of long ones a float has the first digits."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    if not isinstance(value, str):
        return value
    for kind in (int, float):
        try:
            return kind(value)
        except ValueError:
            continue
    return None
