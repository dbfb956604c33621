"""Which stages call a researcher's own functions."""

from dataclasses import fields, is_dataclass

from .functions import HashedFunction
from .stage import Stage


def calls_user_function(stage: Stage) -> bool:
    """Whether a stage calls a function of a spec: such a function may end its process."""
    return any(_holds_function(vars(stage)[field.name]) for field in fields(stage))


def _holds_function(value: object) -> bool:
    """Whether a setting of a stage is a function, or holds one; its inputs do not count."""
    if isinstance(value, HashedFunction):
        return True
    if isinstance(value, tuple):
        return any(map(_holds_function, value))
    if isinstance(value, Stage | type) or not is_dataclass(value):
        return False
    return any(_holds_function(vars(value)[field.name]) for field in fields(value))
