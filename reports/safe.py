"""Values of a report made safe to show: the one place where foreign text is cleaned."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, TypeVar, cast

from ..datasets.visible import visible

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T")

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""Beginnings of cells that spreadsheets take for formulas."""


def shown(value: T) -> T:
    """A value with the control characters of all texts in it spelt out, at any depth."""
    return cast(T, _shown(value))


def _shown(value: object) -> object:
    if isinstance(value, str):
        return visible(value)
    if value is None or isinstance(value, float | int):
        return value
    if isinstance(value, tuple | list):
        return type(value)([_shown(each) for each in value])
    if isinstance(value, Mapping):
        return {_shown(key): _shown(each) for key, each in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        return _shown_fields(value)
    return value


def _shown_fields(value: "DataclassInstance") -> object:
    """A dataclass with safe fields; itself where all of them are safe, as almost always."""
    changed: dict[str, object] = {}
    for name in _field_names(type(value)):
        before = getattr(value, name)
        after = _shown(before)
        if after is not before and after != before:
            changed[name] = after
    return replace(value, **changed) if changed else value


@cache
def _field_names(kind: "type[DataclassInstance]") -> tuple[str, ...]:
    return tuple(one.name for one in fields(kind))


def cell(value: object) -> object:
    """A value as a cell of a CSV file: a text that would be a formula begins with an apostrophe."""
    text = visible(value) if isinstance(value, str) else value
    return f"'{text}" if isinstance(text, str) and text.startswith(FORMULA) else text
