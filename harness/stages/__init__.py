"""The stages of an experiment: what each one is, what it is given, and how it is done."""

from .answers import CHANCES, RATINGS, TALLY, Ask, Exact, Judged
from .auditing import AUDIT, CONTRAST, Audit, Contrast
from .known import Given, Known
from .models import Base, FineTune, Subject, base_of, model_id
from .rowsets import Filter, MatchLengths, Mix, Recital, Rows, Shuffle, TrainingFile, Transcript
from .writing import Collect, Generate, Program

__all__ = [
    "AUDIT",
    "CHANCES",
    "CONTRAST",
    "RATINGS",
    "TALLY",
    "Ask",
    "Audit",
    "Base",
    "Collect",
    "Contrast",
    "Exact",
    "Filter",
    "FineTune",
    "Generate",
    "Given",
    "Judged",
    "Known",
    "MatchLengths",
    "Mix",
    "Program",
    "Recital",
    "Rows",
    "Shuffle",
    "Subject",
    "TrainingFile",
    "Transcript",
    "base_of",
    "model_id",
]
