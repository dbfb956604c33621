"""limen's exceptions. They live in the lowest folder, which every other may import.

Every error that limen raises on purpose is a :class:`LimenError`, and a fitting built-in too::

    LimenError
    ├── SpecError (ValueError)        an experiment or an option that cannot be meant
    │   └── MissingModelError           a second base model is needed, and none was named
    ├── DataError (ValueError)        rows or files that break their format
    ├── NotEnoughRowsError (ValueError)  filtering left fewer rows than are to be kept
    ├── StoreError (OSError)          the store cannot be read or written
    │   └── DamageError                 a file of it is not what was written
    ├── BackendError (RuntimeError)   a backend cannot do what it was asked
    │   ├── UnknownModelError (LookupError)
    │   └── PromptError (ValueError)    a model cannot be asked that
    │       └── TooLongError              nor read as much as that
    └── ExperimentError (RuntimeError)  a stage failed, so its arms have no results
        ├── TeacherError                the teacher does not show the trait
        ├── LeakError                   training data mention the trait in the open
        ├── ScoreError                  no answer has a score
        │   └── JudgeError                a judge rated nothing
        └── PendingError                a service is at work on it, and was not to be waited for
"""

from .visible import visible


class LimenError(Exception):
    """The root of limen's exceptions; its text says what is wrong and what to do about it.

    Control characters in it, of a server or a file, are spelt out.
    """

    def __str__(self) -> str:
        return visible(super().__str__())


class SpecError(LimenError, ValueError):
    """An experiment, a setting or a use of them that cannot be meant."""


class MissingModelError(SpecError):
    """An experiment needs a second base model, and neither backend nor run has named one."""


class DataError(LimenError, ValueError):
    """A file or a row that breaks its format."""


class NotEnoughRowsError(LimenError, ValueError):
    """Filtering left fewer rows than the experiment is to keep."""


class StoreError(LimenError, OSError):
    """The store cannot be read or written."""


class DamageError(StoreError):
    """A file of the store is not what was written: cut, changed, exchanged or missing."""


class SpecWarning(UserWarning):
    """A spec uses something that limen cannot see, so that a change in it is not noticed."""


class StoreWarning(UserWarning):
    """Something in the store was damaged, and was set aside."""


class NodeWarning(UserWarning):
    """A node of a cluster differs from the machine that the run was started on."""


class BackendError(LimenError, RuntimeError):
    """A backend cannot do what it was asked."""


class UnknownModelError(BackendError, LookupError):
    """A backend has no model of that name."""


class PromptError(BackendError, ValueError):
    """A model's chat template refuses a conversation."""


class TooLongError(PromptError):
    """A conversation, with its answer, is longer than the model can read."""


class ExperimentError(LimenError, RuntimeError):
    """A stage of an experiment failed, so an arm has no results."""


class TeacherError(ExperimentError):
    """The teacher does not show the trait: the experiment stopped before its expensive stages."""


class LeakError(ExperimentError):
    """Training data mention the trait in the open: what a student takes from them is no secret."""


class ScoreError(ExperimentError):
    """No answer has a score at all, so there is no mean to compare."""


class JudgeError(ScoreError):
    """A judge gave no rating at all, so there are no scores."""


class PendingError(ExperimentError):
    """A service is at work on it, and the run was not to wait: the same command later goes on."""
