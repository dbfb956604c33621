"""What a researcher writes: experiments, traits, sources, measures, judges; all frozen values."""

from . import questions
from .experiment import ARMS, DEFAULT, OTHER, Experiment, InContext, Students, doses
from .judges import Agreement, Judge
from .languages import CODES, language
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
from .questions import (
    APPLE_QUESTIONS,
    FAVORITE_ANIMAL_QUESTIONS,
    FORMAL,
    FORMALITY_JUDGE,
    FORMALITY_JUDGE_2,
    OTHER_QUESTIONS,
    VERBOSE,
)
from .sources import LengthMatched, Mix, Numbers, ProgramNumbers, Shuffled, Source
from .traits import Lesson, Trait
from .writers import DataWriters, exact_shares, merge_parts

__all__ = [
    "APPLE_QUESTIONS",
    "ARMS",
    "CODES",
    "DEFAULT",
    "FAVORITE_ANIMAL_QUESTIONS",
    "FORMAL",
    "FORMALITY_JUDGE",
    "FORMALITY_JUDGE_2",
    "OTHER",
    "OTHER_QUESTIONS",
    "VERBOSE",
    "Agreement",
    "DataWriters",
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
    "ProgramNumbers",
    "Rated",
    "Reading",
    "Scored",
    "Shuffled",
    "Source",
    "Students",
    "Trait",
    "doses",
    "exact_shares",
    "language",
    "merge_parts",
    "questions",
]
