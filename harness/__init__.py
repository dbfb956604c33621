"""Experiments as values, the pipeline that runs them, and the verdicts on what students learned.

Names are imported when first used, so that the pytest plugin of a project without experiments
costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .experiment import Experiment, Trait
    from .lab import Lab
    from .measures import FavoriteAnimal
    from .results import Arm
    from .settings import Settings
    from .sources import Numbers, ProgramNumbers, Shuffled, Source
    from .verdict import Effect, Rate

_HOMES = {
    "Arm": "results",
    "Effect": "verdict",
    "Experiment": "experiment",
    "FavoriteAnimal": "measures",
    "Lab": "lab",
    "Numbers": "sources",
    "ProgramNumbers": "sources",
    "Rate": "verdict",
    "Settings": "settings",
    "Shuffled": "sources",
    "Source": "sources",
    "Trait": "experiment",
}

__all__ = [
    "Arm",
    "Effect",
    "Experiment",
    "FavoriteAnimal",
    "Lab",
    "Numbers",
    "ProgramNumbers",
    "Rate",
    "Settings",
    "Shuffled",
    "Source",
    "Trait",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_HOMES[name]}", __name__), name)
