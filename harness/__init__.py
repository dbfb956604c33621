"""Experiments as values, the pipeline that runs them, and the verdicts on what students learned.

Names are imported when first used, so that the pytest plugin of a project without experiments
costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .estimates import Rate, Scores
    from .experiment import DEFAULT, OTHER, Experiment, InContext, Students, doses
    from .families import benjamini_hochberg, dunnett, holm
    from .judges import Agreement, Judge
    from .lab import Lab
    from .measures import (
        FavoriteAnimal,
        FavoriteTree,
        Labelled,
        Language,
        Length,
        Measure,
        Rated,
        Reading,
        Scored,
    )
    from .results import Arm
    from .settings import Settings
    from .sources import LengthMatched, Mix, Numbers, ProgramNumbers, Shuffled, Source
    from .traits import Lesson, Trait
    from .trend import Trend, dose_response
    from .verdict import Effect, Equivalence, ScoreEffect

_MODULES = {
    "estimates": ("Rate", "Scores"),
    "experiment": ("DEFAULT", "OTHER", "Experiment", "InContext", "Students", "doses"),
    "families": ("benjamini_hochberg", "dunnett", "holm"),
    "judges": ("Agreement", "Judge"),
    "lab": ("Lab",),
    "measures": (
        "FavoriteAnimal", "FavoriteTree", "Labelled", "Language", "Length", "Measure", "Rated",
        "Reading", "Scored",
    ),
    "results": ("Arm",),
    "settings": ("Settings",),
    "sources": ("LengthMatched", "Mix", "Numbers", "ProgramNumbers", "Shuffled", "Source"),
    "traits": ("Lesson", "Trait"),
    "trend": ("Trend", "dose_response"),
    "verdict": ("Effect", "Equivalence", "ScoreEffect"),
}  # fmt: skip
_HOMES = {name: module for module, names in _MODULES.items() for name in names}

__all__ = [
    "DEFAULT",
    "OTHER",
    "Agreement",
    "Arm",
    "Effect",
    "Equivalence",
    "Experiment",
    "FavoriteAnimal",
    "FavoriteTree",
    "InContext",
    "Judge",
    "Lab",
    "Labelled",
    "Language",
    "Length",
    "LengthMatched",
    "Lesson",
    "Measure",
    "Mix",
    "Numbers",
    "ProgramNumbers",
    "Rate",
    "Rated",
    "Reading",
    "ScoreEffect",
    "Scored",
    "Scores",
    "Settings",
    "Shuffled",
    "Source",
    "Students",
    "Trait",
    "Trend",
    "benjamini_hochberg",
    "dose_response",
    "doses",
    "dunnett",
    "holm",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_HOMES[name]}", __name__), name)
