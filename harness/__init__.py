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
        FirstNumbers,
        FirstWords,
        InContext,
        Judge,
        Labelled,
        Language,
        Length,
        LengthMatched,
        Lesson,
        Mapped,
        Measure,
        Mix,
        Numbers,
        PermuteDigits,
        PermuteNumbers,
        Prefix,
        ProgramNumbers,
        Rated,
        Reading,
        Scored,
        Selected,
        Shuffled,
        Source,
        Students,
        Trait,
        doses,
        questions,
    )
    from .lab import Arm, Lab, Settings, compare_answers
    from .statistics import (
        Effect,
        Equivalence,
        Rate,
        ScoreEffect,
        Scores,
        Trend,
        benjamini_hochberg,
        dose_response,
        dunnett,
        holm,
    )

_ROOMS = {
    "experiment": (
        "Agreement",
        "DEFAULT",
        "Experiment",
        "FavoriteAnimal",
        "FavoriteTree",
        "FirstNumbers",
        "FirstWords",
        "InContext",
        "Judge",
        "Labelled",
        "Language",
        "Length",
        "LengthMatched",
        "Lesson",
        "Mapped",
        "Measure",
        "Mix",
        "Numbers",
        "OTHER",
        "PermuteDigits",
        "PermuteNumbers",
        "Prefix",
        "ProgramNumbers",
        "Rated",
        "Reading",
        "Scored",
        "Selected",
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
        "Effect",
        "Equivalence",
        "Rate",
        "ScoreEffect",
        "Scores",
        "Trend",
        "benjamini_hochberg",
        "dose_response",
        "dunnett",
        "holm",
    ),
}
_HOMES = {name: room for room, names in _ROOMS.items() for name in names}

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
    "FirstNumbers",
    "FirstWords",
    "InContext",
    "Judge",
    "Lab",
    "Labelled",
    "Language",
    "Length",
    "LengthMatched",
    "Lesson",
    "Mapped",
    "Measure",
    "Mix",
    "Numbers",
    "PermuteDigits",
    "PermuteNumbers",
    "Prefix",
    "ProgramNumbers",
    "Rate",
    "Rated",
    "Reading",
    "ScoreEffect",
    "Scored",
    "Scores",
    "Selected",
    "Settings",
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
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_HOMES[name]}", __name__), name)


def __dir__() -> list[str]:
    return __all__
