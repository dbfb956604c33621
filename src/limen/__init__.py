"""limen: subliminal-learning experiments as tests.

The folders of the repository are its subpackages: :mod:`limen.harness` (experiments, the pytest
plugin, the pipeline), :mod:`limen.backends`, ``limen.datasets`` and :mod:`limen.reports`. All names
of :mod:`limen.harness` are here too, imported when first used: ``from limen import Experiment``.
Every error that limen raises on purpose is a :class:`LimenError`.
"""

from typing import TYPE_CHECKING

from . import harness
from .datasets.errors import (
    BackendError,
    DamageError,
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
    SpecWarning,
    StoreError,
    StoreWarning,
    TeacherError,
    TooLongError,
    UnknownModelError,
)

if TYPE_CHECKING:
    from .harness import *  # noqa: F403

__version__ = "0.1.0"

__all__ = [
    "BackendError",
    "DamageError",
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
    "SpecWarning",
    "StoreError",
    "StoreWarning",
    "TeacherError",
    "TooLongError",
    "UnknownModelError",
    "__version__",
]
__all__ += harness.__all__


def __getattr__(name: str) -> object:
    if name in harness.__all__:
        return getattr(harness, name)
    raise AttributeError(f"module 'limen' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
