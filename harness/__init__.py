"""Experiments as values, the pipeline that runs them, and the verdicts on what students learned.

Names are imported when first used, so that the pytest plugin of a project without experiments
costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .experiment import (
        DEFAULT,
        OTHER,
        Agreement,
        Experiment,
        FavoriteAnimal,
        FavoriteTree,
        InContext,
        Judge,
        Labelled,
        Language,
        Length,
        LengthMatched,
        Lesson,
        Measure,
        Mix,
        Numbers,
        ProgramNumbers,
        Rated,
        Reading,
        Scored,
        Shuffled,
        Source,
        Students,
        Trait,
        doses,
        questions,
    )
    from .lab import Arm, Lab, Settings, compare_answers
    from .statistics import (
        Contrast,
        Effect,
        Equivalence,
        Rate,
        ScoreEffect,
        Scores,
        Share,
        Trend,
        benjamini_hochberg,
        dose_response,
        dunnett,
        holm,
        trend,
    )

_ROOMS = {
    "experiment": (
        "Agreement",
        "DEFAULT",
        "Experiment",
        "FavoriteAnimal",
        "FavoriteTree",
        "InContext",
        "Judge",
        "Labelled",
        "Language",
        "Length",
        "LengthMatched",
        "Lesson",
        "Measure",
        "Mix",
        "Numbers",
        "OTHER",
        "ProgramNumbers",
        "Rated",
        "Reading",
        "Scored",
        "Shuffled",
        "Source",
        "Students",
        "Trait",
        "doses",
        "questions",
    ),
    "lab": (
        "Arm",
        "Lab",
        "Settings",
        "compare_answers",
    ),
    "statistics": (
        "Contrast",
        "Effect",
        "Equivalence",
        "Rate",
        "ScoreEffect",
        "Scores",
        "Share",
        "Trend",
        "benjamini_hochberg",
        "dose_response",
        "dunnett",
        "holm",
        "trend",
    ),
}
_HOMES = {name: room for room, names in _ROOMS.items() for name in names}

__all__ = [
    "DEFAULT",
    "OTHER",
    "Agreement",
    "Arm",
    "Contrast",
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
    "Share",
    "Shuffled",
    "Source",
    "Students",
    "Trait",
    "Trend",
    "benjamini_hochberg",
    "compare_answers",
    "dose_response",
    "doses",
    "dunnett",
    "holm",
    "questions",
    "trend",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_HOMES[name]}", __name__), name)


def __dir__() -> list[str]:
    return __all__
