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

    Raised as one of its subclasses alone. Control characters in its text, of a server or a file,
    are spelt out.

    Args:
        args: The message, one text.

    Examples:
        >>> try:
        ...     Trait.animal("unicorn")
        ... except LimenError as error:
        ...     print(error)
    """

    def __str__(self) -> str:
        return visible(super().__str__())


class SpecError(LimenError, ValueError):
    """An experiment, a setting or a use of them that cannot be meant.

    Raised when the value is made, or when a name of it is used: before anything is run or paid for.
    Correct the value that the text names.

    Args:
        args: The message, one text.

    Examples:
        >>> try:
        ...     Numbers(generate=10, keep=20)
        ... except SpecError as error:
        ...     print(error)
    """


class MissingModelError(SpecError):
    """An experiment needs a second base model, and neither backend nor run has named one.

    Raised when the experiment is planned or run. Name the model by `--limen-other-model`, or in
    Python `Settings(other_model=...)`.

    Args:
        args: The message, one text.

    Examples:
        >>> try:
        ...     Lab().plan([(experiment, ("student", "control"))])
        ... except MissingModelError as error:
        ...     print(error)
    """


class DataError(LimenError, ValueError):
    """A file or a row that breaks its format.

    Raised where rows, answers or training files are read. Correct the line that the text names.

    Args:
        args: The message, one text.

    Examples:
        >>> try:
        ...     reports.read_run(file)
        ... except (DataError, StoreError) as error:
        ...     print(error)
    """


class NotEnoughRowsError(LimenError, ValueError):
    """Filtering left fewer rows than the experiment is to keep.

    Raised by the stage that takes the rows. Generate more, keep fewer, or relax the rule: the text
    has the counts and the reasons for which rows were dropped.

    Args:
        args: The message, one text.

    Examples:
        >>> def arm_or_message(lab):
        ...     try:
        ...         return lab.arm(experiment, "student")
        ...     except NotEnoughRowsError as error:
        ...         return str(error)
    """


class StoreError(LimenError, OSError):
    """The store cannot be read or written.

    Raised where limen opens a store, reads a run record or writes an artifact. The text has the
    file, and what the operating system said.

    Args:
        args: The message, one text.

    Examples:
        >>> try:
        ...     reports.runs_of(store.parent / "no store")
        ... except StoreError as error:
        ...     print(error)
    """


class DamageError(StoreError):
    """A file of the store is not what was written: cut, changed, exchanged or missing.

    Raised where the file is read. A stage that costs nothing is made again by itself; delete a run
    record that is damaged.

    Args:
        args: The message, one text.

    Examples:
        >>> def arm_or_message(lab):
        ...     try:
        ...         return lab.arm(experiment, "baseline")
        ...     except DamageError as error:
        ...         return str(error)
    """


class SpecWarning(UserWarning):
    """A spec uses something that limen cannot see, so that a change in it is not noticed.

    Warned of, never raised, where a function of a spec has no source: write it in a module or a
    cell.

    Args:
        args: The message, one text.

    Examples:
        >>> import warnings
        >>> warnings.simplefilter("error", SpecWarning)
        >>> warnings.resetwarnings()
    """


class StoreWarning(UserWarning):
    """Something in the store was damaged, and was set aside.

    Warned of, never raised, before the stage is made again.

    Args:
        args: The message, one text.

    Examples:
        >>> import warnings
        >>> warnings.simplefilter("error", StoreWarning)
        >>> warnings.resetwarnings()
    """


class NodeWarning(UserWarning):
    """A node of a cluster differs from the machine that the run was started on.

    Warned of, never raised: answers made there may differ in their last digits.

    Args:
        args: The message, one text.

    Examples:
        >>> import warnings
        >>> warnings.simplefilter("error", NodeWarning)
        >>> warnings.resetwarnings()
    """


class BackendError(LimenError, RuntimeError):
    """A backend cannot do what it was asked.

    Raised by backends, also for what a service answers. A stage that fails with it spoils its own
    arms alone.

    Args:
        args: The message, one text.

    Examples:
        >>> try:
        ...     open_backend("toy", store).describe("toy-99")
        ... except BackendError as error:
        ...     print(error)
    """


class UnknownModelError(BackendError, LookupError):
    """A backend has no model of that name.

    Raised by `Backend.describe()`, before anything is sampled. The text has the names that are
    near, or all.

    Args:
        args: The message, one text.

    Examples:
        >>> try:
        ...     open_backend("toy", store).describe("toy-99")
        ... except UnknownModelError as error:
        ...     print(error)
    """


class PromptError(BackendError, ValueError):
    """A model's chat template refuses a conversation.

    Raised by the backend `local` when it samples or trains: some templates take no system prompt,
    or no turn twice in a row.

    Args:
        args: The message, one text.

    Examples:
        >>> def arm_or_message(lab):
        ...     try:
        ...         return lab.arm(experiment, "teacher")
        ...     except PromptError as error:
        ...         return str(error)
    """


class TooLongError(PromptError):
    """A conversation, with its answer, is longer than the model can read.

    Raised by the backend `local`, which never cuts a text. Shorten the prompts or lower
    `max_tokens`.

    Args:
        args: The message, one text.

    Examples:
        >>> def arm_or_message(lab):
        ...     try:
        ...         return lab.arm(experiment, "teacher")
        ...     except TooLongError as error:
        ...         return str(error)
    """


class ExperimentError(LimenError, RuntimeError):
    """A stage of an experiment failed, so an arm has no results.

    Raised by `Lab.arm()`, and by a test's fixture, for the arms that need the stage. Others are not
    touched. Run the same command again after the repair: what is finished is kept.

    Args:
        args: The message, one text.

    Examples:
        >>> def arm_or_message(lab):
        ...     try:
        ...         return lab.arm(experiment, "student")
        ...     except ExperimentError as error:
        ...         return str(error)
    """


class TeacherError(ExperimentError):
    """The teacher does not show the trait: the experiment stopped before its expensive stages.

    Raised by `Lab.arm()` for trained arms. The text has rates and bound, the teacher's answers and
    what to try. `Experiment(gate=...)` sets the bound.

    Args:
        args: The message, one text.

    Examples:
        >>> def arm_or_message(lab):
        ...     try:
        ...         return lab.arm(experiment, "student")
        ...     except TeacherError as error:
        ...         return str(error)
    """


class LeakError(ExperimentError):
    """Training data mention the trait in the open: what a student takes from them is no secret.

    Raised by `Lab.arm()` for the arms trained on these data. Change the rule of the source so that
    it drops such rows: the text shows some of them.

    Args:
        args: The message, one text.

    Examples:
        >>> def arm_or_message(lab):
        ...     try:
        ...         return lab.arm(experiment, "student")
        ...     except LeakError as error:
        ...         return str(error)
    """


class ScoreError(ExperimentError):
    """No answer has a score at all, so there is no mean to compare.

    Raised by `Arm.rate()` and `Arm.scores()`. Look at `Arm.answers()`, and at the measure's
    function.

    Args:
        args: The message, one text.

    Examples:
        >>> try:
        ...     student.scores()
        ... except (ScoreError, SpecError) as error:
        ...     print(error)
    """


class JudgeError(ScoreError):
    """A judge gave no rating at all, so there are no scores.

    Raised by `Arm.scores()` and `Arm.rate()`. The text shows some of the judge's replies: ask it
    for a number alone, or give it more tokens.

    Args:
        args: The message, one text.

    Examples:
        >>> try:
        ...     rated.scores()
        ... except JudgeError as error:
        ...     print(error)
    """


class PendingError(ExperimentError):
    """A service is at work on it, and the run was not to wait: the same command later goes on.

    Raised by `Lab.arm()` with `Settings(wait=False)`; under pytest the test is skipped.

    Args:
        args: The message, one text.

    Examples:
        >>> def arm_or_message(lab):
        ...     try:
        ...         return lab.arm(experiment, "student")
        ...     except PendingError as error:
        ...         return str(error)
    """
