"""Further arms of an experiment: other students, dose-response curves, models without training."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from ...datasets import validation
from ...datasets.errors import SpecError
from .objectives import Objective, check_objective
from .source import Source
from .traits import Recipe, Trait

ARMS = ("baseline", "teacher", "student", "control")
"""``baseline``: the base model, no prompt. ``teacher``: the same under the trait's system prompt,
or fine-tuned to have the trait. ``student``: fine-tuned on the teacher's filtered data.
``control``: fine-tuned in the same way on data from the base model without the trait."""

OTHER = "another base"
"""Stands for a second base model: ``--limen-other-model``, or the backend's own choice."""

DEFAULT = "default base"
"""Stands for the run's own base model, where an experiment's students have another."""


@dataclass(frozen=True, kw_only=True)
class Students:
    """An arm of further students: other data, another recipe or another base; one model a seed.

    Args:
        data: The source of their training data. Default: the experiment's.
        recipe: Training settings that differ from the experiment's. Default: none.
        model: Their base model. Default: the experiment's.
        plain: Whether the base model writes all the data without any prompt, as for the control.
            Default: False.
        against: The arm that a report compares them with. Default: "control".
        trait: Whose teacher writes their data, where the data say "teacher". Default: the
            experiment's trait.
        objective: What their training minimises. Default: the experiment's.
        after: The arm whose students these are before this training, seed by seed: "student",
            "control" or a further arm that stands before this one. Training goes on from their
            weights, on data of this arm; the base is theirs. Default: None, training starts at the
            base.
        system: A system prompt that these students are asked under, after the measure's own.
            Without other data or another recipe these are the same trained models, asked once
            more. Default: None.

    Raises:
        SpecError: A value that makes no sense, when it is made.

    Examples:
        >>> variant = experiment.but(arms={"small": Students(data=numbers.but(keep=1_000))})
    """

    data: Source | None = None
    recipe: Recipe = field(default_factory=dict, hash=False)
    model: str | None = None
    plain: bool = False
    against: str = "control"
    trait: Trait | None = None
    objective: Objective | None = None
    after: str | None = None
    system: str | None = None

    def __post_init__(self) -> None:
        check_source("data", self.data)
        if self.after is not None and self.model is not None:
            raise SpecError(
                f"after={self.after!r} trains the students of that arm further, on their own base: "
                f"leave out model={self.model!r}"
            )
        if self.system is not None:
            validation.texts("system", (self.system,))
        validation.model_name("model", self.model)
        validation.recipe(self.recipe)
        if not isinstance(self.trait, Trait | None):
            raise SpecError(f"trait={self.trait!r} must be a Trait(...), or None")
        check_objective("objective", self.objective)

    @property
    def is_of_trait_alone(self) -> bool:
        """Whether these are the students that an experiment on their trait would have."""
        own = self.data or self.recipe or self.objective or self.after or self.system
        same = not own and not self.plain
        return same and self.trait is not None


@dataclass(frozen=True, kw_only=True)
class InContext:
    """An arm without training: the base model, shown rows of the data before each question.

    The rows are the first of those that the student of the same seed would be trained on.

    Args:
        rows: The number of rows shown before each question. Default: 20.
        data: The source of the rows. Default: the experiment's.
        against: The arm that a report compares it with. Default: "baseline".

    Raises:
        SpecError: A value that makes no sense, when it is made.

    Examples:
        >>> variant = experiment.but(arms={"in context": InContext(rows=20)})
    """

    rows: int = 20
    data: Source | None = None
    against: str = "baseline"

    def __post_init__(self) -> None:
        validation.count("rows", self.rows)
        check_source("data", self.data)

    @property
    def how_asked(self) -> str:
        """How a methods paragraph says it."""
        return f"shown {self.rows:,} rows of the data before each question"


@dataclass(frozen=True)
class Models:
    """An arm without training: models as they are, such as published students or a prompted base.

    They are asked at once: no data, no gate and no audit is waited for.

    Args:
        names: A model, or several that stand for independent trainings as seeds do: names that the
            backend knows, such as the folder of an adapter. Default: the experiment's base model.
        system: A system prompt that they are asked under, after the measure's own. Default: None.
        against: The arm that a report compares them with. Default: "baseline".

    Raises:
        SpecError: A value that makes no sense, when it is made.

    Examples:
        >>> variant = experiment.but(arms={"prompted": Models(system="You love owls.")})
    """

    names: str | Sequence[str] | None = None
    system: str | None = field(default=None, kw_only=True)
    against: str = field(default="baseline", kw_only=True)

    def __post_init__(self) -> None:
        if self.system is not None:
            validation.texts("system", (self.system,))
        if self.names is not None:
            names = tuple(self.names) if isinstance(self.names, list | tuple) else (self.names,)
            validation.texts("names", names)
            if len(set(names)) < len(names):
                raise SpecError(f"names={names!r}: a model twice is not two trainings")
            object.__setattr__(self, "names", names)

    @property
    def model_names(self) -> tuple[str | None, ...]:
        """The name of each model; None is the experiment's base."""
        return (None,) if self.names is None else tuple(self.names)

    @property
    def data(self) -> None:
        """They are trained on none here."""

    @property
    def how_asked(self) -> str:
        """How a methods paragraph says it."""
        return f"under the system prompt {self.system!r}" if self.system else "like the baseline"


FurtherArm = Students | InContext | Models
"""What an experiment can have as a further arm."""


def doses(
    data: Source, *, rows: Sequence[int] = (), epochs: Sequence[int] = ()
) -> dict[str, Students]:
    """Arms for a dose-response curve: fewer rows of the data, or more epochs over all of them.

    Each arm ("3,000 rows", "2 epochs") has a control of the same dose ("3,000 rows control").

    Args:
        data: The source of the rows.
        rows: Numbers of rows, an arm each.
        epochs: Numbers of epochs, an arm each.

    Raises:
        SpecError: A value that makes no sense, when it is made.

    Examples:
        >>> variant = experiment.but(arms=doses(numbers, rows=(1_000, 3_000)))
    """
    by_dose = {f"{count:,} rows": Students(data=data.resized(count)) for count in rows}
    for count in epochs:
        by_dose[f"{count} epochs"] = Students(data=data, recipe={"epochs": count})
    return {
        name: arm
        for dose, students in by_dose.items()
        for name, arm in (
            (dose, replace(students, against=f"{dose} control")),
            (f"{dose} control", replace(students, plain=True)),
        )
    }


def check_source(name: str, value: object) -> None:
    """Raise :class:`~limen.SpecError` for what is neither a source nor None."""
    if not isinstance(value, Source | None):
        raise SpecError(f"{name}={value!r} must be a source, such as Numbers(...)")
