"""The experiment as a value: which trait, through which data, and how it is measured."""

from collections.abc import Iterable, Mapping
from dataclasses import MISSING, dataclass, field, fields, replace
from typing import Any, Literal

from ...backends import Needs
from ...datasets import validation
from ...datasets.errors import SpecError
from ...datasets.suggestions import did_you_mean
from .measure import Measure
from .objectives import Objective, check_objective
from .source import Source
from .students import ARMS, FurtherArm, InContext, Students, check_source
from .traits import Recipe, Trait
from .trajectory import AtEpoch, Trajectory

HOP_GATE = 0.2
"""What the default gate asks of students that teach, as a share of what it asks of a teacher."""


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """A trait, the data that may carry it, the measure that would show it, and how often.

    A frozen value, checked when it is made: what does not make sense raises
    :class:`~limen.SpecError` before anything is spent.

    Args:
        trait: What the teacher has.
        data: The source of the students' training data.
        measure: The questions, and how an answer becomes an outcome.
        seeds: Independent repetitions of sampling the training set and training, for each trained
            arm. Default: 3.
        model: The base model. Default: ``--limen-model``, or the backend's own choice.
        teacher_model: The base model that writes the data, if it is not the students'. Default:
            the students'.
        control: The source of the control arm's data. Default: ``data``, written by the base model
            without any prompt.
        arms: Further arms by name, for the fixture ``arms``. Default: none.
        recipe: Training settings that differ from the backend's defaults. Default: none.
        gate: How far the teacher must be above its base before anything is trained, in the
            measure's unit; a negative number asks for a teacher below its base; None trains in any
            case. Default: a tenth of the measure's range (0.1 of a rate; 1 of a score without a
            range), downward for a trait with ``lowers=True``.
        family: The number of traits that are tried together; p-values and intervals are corrected
            for it (Bonferroni, valid for any selection by ``-k``). Default: 1.
        margin: The difference below which arms count as alike, in the measure's unit (0.03 is
            three points of a rate). With it, ``effect.within()`` and the report can claim a null.
            Default: None.
        note: What a reader should know before the numbers; printed before anything runs, and in
            the report. Default: none.
        name: The title in reports and logs. Default: the file of the test, with its class and the
            id of its parameter.
        looks: Numbers of seeds after which to compare student and control, and to stop if they
            differ: ``seeds=8, looks=(3, 5)``. Results are corrected for every look (Bonferroni).
            Default: none.
        generation: "shared": students of all seeds are trained on samples of one generated set, so
            that claims are about this data. "each seed": every seed has a generation of its own,
            at the cost of as many generations. Default: "shared".
        teachers_from: The experiment whose students write this one's data, seed by seed, in place
            of the trait's teacher; ``Hop(experiment)`` sets it. Default: None.
        leaks: What to do if training data mention the trait openly: "fail" or "report". Default:
            "fail".
        trajectory: ``Trajectory(...)`` also measures every trained arm along its training, epoch by
            epoch, and fixes how the curves are tested. The recipe must say how many epochs there
            are. Default: None, only trained models are measured.
        objective: What the training of students minimises, such as ``Distillation()``. Default:
            None, the completion loss.
        needs: ``Needs(gpus=1, gpu_memory=40)``: what each stage that runs a model needs where
            ``--limen-executor`` sends it; it changes no result. Default: as the backend states.

    Examples:
        >>> experiment = Experiment(
        ...     trait=Trait.animal("owl"),
        ...     data=Numbers(generate=30_000, keep=10_000),
        ...     measure=FavoriteAnimal(draws=200),
        ...     seeds=5,
        ... )
        >>> variant = experiment.but(seeds=8)
    """

    trait: Trait
    data: Source
    measure: Measure
    seeds: int = 3
    model: str | None = None
    teacher_model: str | None = None
    control: Source | None = None
    arms: Mapping[str, FurtherArm] = field(default_factory=dict, hash=False)
    recipe: Recipe = field(default_factory=dict, hash=False)
    gate: float | Literal["default"] | None = "default"
    family: int = 1
    margin: float | None = None
    note: str = field(default="", compare=False)
    name: str | None = field(default=None, compare=False)
    looks: tuple[int, ...] = ()
    leaks: Literal["fail", "report"] = "fail"
    generation: Literal["shared", "each seed"] = "shared"
    teachers_from: "Experiment | None" = None
    trajectory: Trajectory | None = None
    objective: Objective | None = None
    needs: Needs | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        for name, value, kind in (
            ("trait", self.trait, Trait),
            ("data", self.data, Source),
            ("measure", self.measure, Measure),
        ):
            _check_kind(name, value, kind)
        validation.count("seeds", self.seeds)
        validation.count("family", self.family)
        validation.model_name("model", self.model)
        validation.model_name("teacher_model", self.teacher_model)
        validation.recipe(self.recipe)
        if self.name is not None and not (isinstance(self.name, str) and self.name.strip()):
            raise SpecError(f"name={self.name!r} must be a text that is not empty, or None")
        validation.margin(self.margin, value_range=self.measure.value_range)
        check_objective("objective", self.objective)
        validation.one_of("leaks", self.leaks, ("fail", "report"))
        validation.one_of("generation", self.generation, ("shared", "each seed"))
        object.__setattr__(self, "looks", _checked_looks(self.looks, self.seeds))
        self._check_arms()
        self._check_keeps()
        self._check_pairs()
        self._check_gate()
        self._check_teachers()
        for trait in self.traits:
            self.measure.check(trait.shown_by)
        if not isinstance(self.trajectory, Trajectory | None):
            raise SpecError(f"trajectory={self.trajectory!r} must be Trajectory(...), or None")
        if not isinstance(self.needs, Needs | None):
            raise SpecError(f"needs={self.needs!r} must be Needs(...), or None")
        self.trajectories  # noqa: B018  (a recipe without epochs is refused here)
        object.__setattr__(self, "recipe", dict(self.recipe))

    def _check_arms(self) -> None:
        check_source("control", self.control)
        if not isinstance(self.arms, Mapping):
            raise SpecError(f"arms={self.arms!r} must be arms by name: {{'half': Students(...)}}")
        known = (*ARMS, *self.arms)
        for name, arm in self.arms.items():
            if not isinstance(arm, FurtherArm):
                known_kinds = "Students(), InContext() or Models()"
                raise SpecError(f"the arm {name!r} must be {known_kinds}, not {arm!r}")
            if not isinstance(name, str) or name in ARMS:
                raise SpecError(f"an arm needs a name other than {', '.join(ARMS)}: {name!r}")
            if arm.against not in known:
                near = did_you_mean(str(arm.against), known)
                raise SpecError(
                    f"the arm {name!r} is compared with {arm.against!r}: {near}there are "
                    f"{', '.join(known)}"
                )
            if isinstance(arm, InContext):
                _check_shown_rows(name, arm, arm.data or self.data)
            elif isinstance(arm, Students):
                self._check_after(name, arm)
        object.__setattr__(self, "arms", dict(self.arms))

    def _check_after(self, name: str, arm: Students) -> None:
        """Raise :class:`~limen.SpecError` for students that go on from no earlier students."""
        trained = ["student", "control"]
        for other, one in self.arms.items():
            if other == name:
                break
            if isinstance(one, Students):
                trained.append(other)
        if arm.after is not None and arm.after not in trained:
            raise SpecError(
                f"the arm {name!r} goes on from {arm.after!r}, which is none of the trained arms "
                f"before it: {', '.join(map(repr, trained))}"
            )

    def _check_keeps(self) -> None:
        named = {"data": self.data, "control": self.control}
        for name, data in {**named, **{name: arm.data for name, arm in self.arms.items()}}.items():
            if data is not None and data.row_count is None:
                raise SpecError(f"{name}: a source needs keep, the rows to train on: {data!r}")

    def _check_pairs(self) -> None:
        """Raise :class:`~limen.SpecError` where an objective has no pairs to train on."""
        students = {name: arm for name, arm in self.arms.items() if isinstance(arm, Students)}
        named = {"data": Students(), "control": Students(data=self.control), **students}
        for name, arm in named.items():
            objective, data = arm.objective or self.objective, arm.data or self.data
            if objective is not None and objective.needs_pairs and not data.has_pairs:
                raise SpecError(
                    f"{name}: {type(objective).__name__} needs preference pairs, and "
                    f"{type(data).__name__} gives single answers: write PreferencePairs(...)"
                )

    def _check_gate(self) -> None:
        if self.gate in ("default", None):
            return
        if not validation.is_number(self.gate) or not abs(self.gate) < 1e300:
            raise SpecError(f"gate={self.gate!r} must be a number such as 0.1, or None")
        if self.measure.value_range is not None:
            low, high = self.measure.value_range
            if abs(self.gate) >= high - low:
                raise SpecError(
                    f"gate={self.gate!r} can never be reached: the measure's values are from "
                    f"{low:g} to {high:g}"
                )
        falling = [trait.name for trait in self.traits if trait.lowers]
        if self.gate > 0 and falling:
            raise SpecError(
                f"gate={self.gate!r} asks for a teacher above its base, and the trait "
                f"{falling[0]!r} lowers the measure: give a negative gate, or leave it out"
            )

    def _check_teachers(self) -> None:
        before = self.teachers_from
        if before is None:
            return
        if not isinstance(before, Experiment):
            raise SpecError(f"teachers_from={before!r} must be an Experiment(...)")
        if self.seeds > before.seeds:
            raise SpecError(
                f"seeds={self.seeds} is more than the {before.seeds} of the experiment before, "
                f"and the student of each seed teaches one"
            )
        for experiment in (before, self):
            if not (experiment.data.uses_teacher or experiment._objective_uses_teacher):
                raise SpecError(
                    "a hop needs a teacher: data that one writes, such as Numbers(...), or an "
                    "objective that has one, such as Distillation()"
                )

    @property
    def hops(self) -> int:
        """How many generations of students come before this experiment's."""
        return 1 + self.teachers_from.hops if self.teachers_from else 0

    @property
    def has_gate(self) -> bool:
        """Whether training waits for teachers. By default not if none of them writes any rows, or
        if the measure is not one that shows a trait.
        """
        if self.gate != "default":
            return self.gate is not None
        if not self.measure.shows_traits:
            return False
        if self._objective_uses_teacher:
            return True
        own = (arm.data for arm in self.all_arms.values() if arm.data)
        return any(source.needs_trait for source in (self.data, *own))

    @property
    def has_control(self) -> bool:
        """Whether there can be a control: rows or targets of the same kind without the trait."""
        return self.control is not None or self.data.has_control or self._objective_uses_teacher

    @property
    def _objective_uses_teacher(self) -> bool:
        return self.objective is not None and self.objective.uses_teacher

    def _repr_html_(self) -> str:
        """What notebooks show: the parts that are not as by default."""
        from ...datasets.html_display import table_as_html

        own = vars(self)
        rows = [
            (part.name, own[part.name])
            for part in fields(self)
            if part.default is MISSING or own[part.name] != part.default
        ]
        return table_as_html(self.name or "Experiment", [row for row in rows if row[1] != {}])

    def gate_threshold(self, trait: Trait) -> float | None:
        """How far a trait's teacher must be from its base, in the measure's unit; None if it need
        not. Negative: the teacher must be below its base.

        Args:
            trait: A trait of the experiment.
        """
        if self.gate != "default":
            return self.gate
        threshold = self.measure.gate_threshold * (HOP_GATE if self.teachers_from else 1)
        return -threshold if trait.lowers else threshold

    @property
    def exact_words(self) -> tuple[str, ...]:
        """The words whose probability is to be computed; none unless the measure is exact."""
        return self.measure.exact_words([trait.shown_by for trait in self.traits])

    @property
    def traits(self) -> tuple[Trait, ...]:
        """The experiment's own trait, and those that its data and its arms name."""
        sources = (self.data, *(arm.data for arm in self.arms.values() if arm.data))
        of_data = (trait for source in sources for trait in source.traits())
        of_arms = (arm.trait for arm in self.arms.values() if isinstance(arm, Students))
        of_objective = self.objective.traits() if self.objective else ()
        named = (self.trait, *of_data, *filter(None, of_arms), *of_objective)
        return tuple(dict.fromkeys(named))

    @property
    def all_arms(self) -> dict[str, FurtherArm]:
        """The further arms by name: the experiment's own, and random selections beside those whose
        rows a score selects.
        """
        return {**self._random_selections, **self.arms}

    @property
    def selections(self) -> dict[str, str]:
        """The arms whose rows a score selects, each with its random selection."""
        trained = ("student", *self.arms)
        pairs = ((arm, _random_selection_of(arm)) for arm in trained)
        return {arm: random for arm, random in pairs if random in self._random_selections}

    def implied_by(self, arms: Iterable[str]) -> list[str]:
        """What is run because some arms are: random selections, and checkpoints of trajectories.

        Args:
            arms: The names of the arms that are asked for.
        """
        requested = list(arms)
        random = [self.selections[arm] for arm in requested if arm in self.selections]
        trained = {*requested, *random}
        return [*random, *(name for name, at in self.epoch_arms.items() if at.of in trained)]

    @property
    def trajectories(self) -> dict[str, tuple[int, ...]]:
        """The epochs, or steps, after which each trained arm is measured; none without one."""
        if self.trajectory is None:
            return {}
        students = {name: arm for name, arm in self.all_arms.items() if isinstance(arm, Students)}
        own: dict[str, Recipe] = {"student": {}, "control": {}}
        recipes = {**own, **{name: arm.recipe for name, arm in students.items()}}
        return {
            name: self.trajectory.epochs({**self.recipe, **recipe})
            for name, recipe in recipes.items()
        }

    @property
    def epoch_arms(self) -> dict[str, AtEpoch]:
        """The arms' models at the end of the epochs before the last, or after steps, by name."""
        along = self.trajectory
        if along is None:
            return {}
        return {
            along.arm_at(name, place): AtEpoch(of=name, place=place, unit=along.unit)
            for name, places in self.trajectories.items()
            for place in along.checkpoints(places)
        }

    @property
    def _random_selections(self) -> dict[str, Students]:
        named = {"student": Students(against="control"), **self.arms}
        random = (
            (_random_selection_of(name), arm, (arm.data or self.data).random_selection())
            for name, arm in named.items()
            if isinstance(arm, Students) and not arm.plain
        )
        return {
            name: replace(arm, data=data)
            for name, arm, data in random
            if data is not None and name not in self.arms
        }

    def but(self, **changes: Any) -> "Experiment":
        """The same experiment with some parts changed; raises :class:`~limen.SpecError`."""
        known = tuple(self.__dataclass_fields__)
        for name in changes:
            if name not in known:
                near = did_you_mean(name, known)
                raise SpecError(f"an experiment has no {name!r}: {near}it has {', '.join(known)}")
        return replace(self, **changes)


def _check_kind(name: str, value: object, kind: type) -> None:
    if not isinstance(value, kind):
        raise SpecError(
            f"{name}={value!r} is not a {kind.__name__}: see limen.harness.{kind.__name__}"
        )


def _random_selection_of(arm: str) -> str:
    """The name of the arm that takes as many rows at random as another selects by a score."""
    return "random selection" if arm == "student" else f"{arm}, random selection"


def _checked_looks(given: object, seeds: int) -> tuple[int, ...]:
    looks = tuple(given) if isinstance(given, tuple | list) else None
    if looks is None or not all(map(validation.is_integer, looks)):
        raise SpecError(f"looks={given!r} must be numbers of seeds, such as (3, 5)")
    if list(looks) != sorted({look for look in looks if 2 <= look < seeds}):
        raise SpecError(f"looks={looks!r} must rise from 2 or more to less than seeds={seeds}")
    return looks


def _check_shown_rows(name: str, arm: InContext, data: Source) -> None:
    if data.row_count is not None and arm.rows > data.row_count:
        raise SpecError(f"the arm {name!r} shows rows={arm.rows:,}, more than its data keep")
