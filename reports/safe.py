"""Values of a report made safe to show: the one place where foreign text is cleaned."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from typing import TypeVar, cast

from ..datasets.visible import visible

T = TypeVar("T")

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""Beginnings of cells that spreadsheets take for formulas."""


def shown(value: T) -> T:
    """A value with the control characters of all texts in it spelt out, at any depth."""
    return cast(T, _shown(value))


def _shown(value: object) -> object:
    if isinstance(value, str):
        return visible(value)
    if isinstance(value, tuple | list):
        return type(value)([_shown(each) for each in value])
    if isinstance(value, Mapping):
        return {_shown(key): _shown(each) for key, each in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        return replace(
            value, **{one.name: _shown(getattr(value, one.name)) for one in fields(value)}
        )
    return value


def cell(value: object) -> object:
    """A value as a cell of a CSV file: a text that would be a formula begins with an apostrophe."""
    text = visible(value) if isinstance(value, str) else value
    return f"'{text}" if isinstance(text, str) and text.startswith(FORMULA) else text
