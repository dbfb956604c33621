"""limen: subliminal-learning experiments as tests.

The folders of the repository are its subpackages: :mod:`limen.harness` (experiments, the pytest
plugin, the pipeline), :mod:`limen.backends`, ``limen.datasets`` and :mod:`limen.reports`.

Every error that limen raises on purpose is a :class:`LimenError`, and a fitting built-in too::

    LimenError
    ├── SpecError (ValueError)        an experiment or an option that cannot be meant
    ├── DataError (ValueError)        rows or files that break their format
    ├── NotEnoughRows (ValueError)    filtering left fewer rows than are to be kept
    ├── StoreError (OSError)          the store cannot be read or written
    ├── BackendError (RuntimeError)   a backend cannot do what it was asked
    │   └── UnknownModel (LookupError)
    └── ExperimentError (RuntimeError)  a stage failed, so its arms have no results
        └── TeacherError                the teacher does not show the trait
"""

__version__ = "0.1.0"


class LimenError(Exception):
    """The root of limen's exceptions; its text says what is wrong, with which value, and the remedy."""


class SpecError(LimenError, ValueError):
    """An experiment, a setting or a use of them that cannot be meant."""


class DataError(LimenError, ValueError):
    """A file or a row that breaks its format."""


class NotEnoughRows(LimenError, ValueError):
    """Filtering left fewer rows than the experiment is to keep."""


class StoreError(LimenError, OSError):
    """The store cannot be read or written."""


class BackendError(LimenError, RuntimeError):
    """A backend cannot do what it was asked."""


class UnknownModel(BackendError, LookupError):
    """A backend has no model of that name."""


class ExperimentError(LimenError, RuntimeError):
    """A stage of an experiment failed, so an arm has no results."""


class TeacherError(ExperimentError):
    """The teacher does not show the trait, so the experiment stopped before its expensive stages."""
