"""limen: subliminal-learning experiments as tests.

The folders of the repository are its subpackages: :mod:`limen.harness` (experiments, the pytest
plugin, the pipeline), :mod:`limen.backends`, ``limen.datasets`` and :mod:`limen.reports`. Every
error that limen raises on purpose is a :class:`LimenError`.
"""

from .datasets.errors import (
    BackendError,
    DataError,
    ExperimentError,
    JudgeError,
    LeakError,
    LimenError,
    MissingModelError,
    NotEnoughRowsError,
    PendingError,
    PromptError,
    ScoreError,
    SpecError,
    StoreError,
    TeacherError,
    TooLongError,
    UnknownModelError,
)

__version__ = "0.1.0"

__all__ = [
    "BackendError",
    "DataError",
    "ExperimentError",
    "JudgeError",
    "LeakError",
    "LimenError",
    "MissingModelError",
    "NotEnoughRowsError",
    "PendingError",
    "PromptError",
    "ScoreError",
    "SpecError",
    "StoreError",
    "TeacherError",
    "TooLongError",
    "UnknownModelError",
    "__version__",
]
