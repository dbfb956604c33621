"""Methods whose results are kept: scoring many answers takes a while."""

from collections.abc import Callable, Hashable
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

_Self = TypeVar("_Self")
_Given = ParamSpec("_Given")
_Result = TypeVar("_Result")
_Method = Callable[Concatenate[_Self, _Given], _Result]


def kept(method: _Method[_Self, _Given, _Result]) -> _Method[_Self, _Given, _Result]:
    """Keep what a method returns for its arguments, as long as its object lives.

    `functools.cache` would keep the objects themselves, and compare them whole.
    """
    name = f"kept {method.__name__}"

    @wraps(method)
    def once(self: _Self, /, *args: _Given.args, **options: _Given.kwargs) -> _Result:
        known: dict[Hashable, _Result] = vars(self).setdefault(name, {})
        key = args, *options.items()
        if key not in known:
            known[key] = method(self, *args, **options)
        return known[key]

    return once
