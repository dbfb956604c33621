"""What is common to services that train step by step: Tinker's API, and others like it.

:mod:`.service` says what an adapter of one service must implement; :class:`StepwiseBackend` makes
a backend of it, with the ledger of steps, the budget, the records of students and the texts.
"""

from .backend import StepwiseBackend, StepwiseSettings
from .prices import TokenPrices, read_prices
from .service import (
    AdamSettings,
    AdapterSettings,
    KeptWeights,
    OfferedModel,
    RequestRefusedError,
    Sampled,
    Sampling,
    StepFailedError,
    StepResult,
    StepwiseService,
    Tokenizer,
    Tokens,
    TrainingRow,
    TrainingSession,
    WeightsSampler,
)
from .trainings import KeptForTraining, Trainings, TrainingSummary

__all__ = [
    "AdamSettings",
    "AdapterSettings",
    "KeptForTraining",
    "KeptWeights",
    "OfferedModel",
    "RequestRefusedError",
    "Sampled",
    "Sampling",
    "StepFailedError",
    "StepResult",
    "StepwiseBackend",
    "StepwiseService",
    "StepwiseSettings",
    "TokenPrices",
    "Tokenizer",
    "Tokens",
    "TrainingRow",
    "TrainingSession",
    "TrainingSummary",
    "Trainings",
    "WeightsSampler",
    "read_prices",
]
