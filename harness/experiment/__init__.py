"""What a researcher writes: experiments, traits, sources, measures, judges; all frozen values."""

from ...backends import Needs
from ..stages import (
    Finished,
    FirstNumbers,
    FirstWords,
    Paraphrase,
    PermuteDigits,
    PermuteNumbers,
    Prefix,
    PythonCode,
    RightAnswer,
    SystemPrompt,
    Without,
    WordCount,
)
from . import questions
from .arm_readings import TestSource, arm_readings, read_source, reading_faults
from .choice import Choice
from .completions import Completions, Templates
from .computed import Computed, Continued
from .derived_sources import LengthMatched, Mix, Shuffled
from .experiment import Experiment
from .grid import Grid, GridExperiment, as_experiment
from .hop import Hop
from .inspect_task import InspectTask
from .judged import Deduplicated, Judged, Rewritten
from .judges import Agreement, Judge
from .labelled import Labelled, Language
from .languages import CODES, language
from .likelihood import Likelihood
from .log_odds import COMMON_ANIMALS, LogOdds
from .mapped import Mapped
from .measure import Measure, Reading
from .media import ChainsOfThought, Chat, Code, Paraphrases, Stories
from .objectives import DPO, CompletionLoss, Distillation, DivergenceTokens, Objective
from .on_policy import OnPolicyDistillation
from .one_word import FavoriteAnimal, FavoriteTree
from .preference_pairs import PreferencePairs
from .questions import (
    APPLE_QUESTIONS,
    FAVORITE_ANIMAL_QUESTIONS,
    FORMAL,
    FORMALITY_JUDGE,
    FORMALITY_JUDGE_2,
    OTHER_QUESTIONS,
    VERBOSE,
)
from .released_rows import Rows
from .scored import Length, Rated, Scored
from .selected import LikelihoodShift, LogLikelihood, RowScore, Selected
from .source import Source
from .sources import Numbers, ProgramNumbers
from .students import ARMS, DEFAULT, OTHER, FurtherArm, InContext, Models, Students, doses
from .traits import Lesson, Trait
from .trajectory import AtEpoch, Trajectory
from .writers import DataWriters, exact_shares, merge_parts

__all__ = [
    "APPLE_QUESTIONS",
    "ARMS",
    "CODES",
    "COMMON_ANIMALS",
    "DEFAULT",
    "DPO",
    "FAVORITE_ANIMAL_QUESTIONS",
    "FORMAL",
    "FORMALITY_JUDGE",
    "FORMALITY_JUDGE_2",
    "OTHER",
    "OTHER_QUESTIONS",
    "VERBOSE",
    "Agreement",
    "AtEpoch",
    "ChainsOfThought",
    "Chat",
    "Choice",
    "Code",
    "CompletionLoss",
    "Completions",
    "Computed",
    "Continued",
    "DataWriters",
    "Deduplicated",
    "Distillation",
    "DivergenceTokens",
    "Experiment",
    "FavoriteAnimal",
    "FavoriteTree",
    "Finished",
    "FirstNumbers",
    "FirstWords",
    "FurtherArm",
    "Grid",
    "GridExperiment",
    "Hop",
    "InContext",
    "InspectTask",
    "Judge",
    "Judged",
    "Labelled",
    "Language",
    "Length",
    "LengthMatched",
    "Lesson",
    "Likelihood",
    "LikelihoodShift",
    "LogLikelihood",
    "LogOdds",
    "Mapped",
    "Measure",
    "Mix",
    "Models",
    "Needs",
    "Numbers",
    "Objective",
    "OnPolicyDistillation",
    "Paraphrase",
    "Paraphrases",
    "PermuteDigits",
    "PermuteNumbers",
    "PreferencePairs",
    "Prefix",
    "ProgramNumbers",
    "PythonCode",
    "Rated",
    "Reading",
    "Rewritten",
    "RightAnswer",
    "RowScore",
    "Rows",
    "Scored",
    "Selected",
    "Shuffled",
    "Source",
    "Stories",
    "Students",
    "SystemPrompt",
    "Templates",
    "TestSource",
    "Trait",
    "Trajectory",
    "Without",
    "WordCount",
    "arm_readings",
    "as_experiment",
    "doses",
    "exact_shares",
    "language",
    "merge_parts",
    "questions",
    "read_source",
    "reading_faults",
]
