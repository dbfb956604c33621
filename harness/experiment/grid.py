"""Traits by students: one claim over many experiments, whose diagonal is tested at once."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal, overload

from ...datasets import validation
from ...datasets.errors import SpecError
from ...datasets.suggestions import did_you_mean
from .experiment import Experiment
from .measure import Measure
from .objectives import Objective
from .source import Source
from .students import ARMS, Students
from .traits import Recipe, Trait


@dataclass(frozen=True, kw_only=True)
class GridExperiment(Experiment):
    """The experiment of a grid: its arms are the grid's students."""

    columns: tuple[Trait, ...] = ()
    """The traits that every student is measured on."""
    grids: Mapping[str | None, Mapping[str, Trait]] = field(default_factory=dict, hash=False)
    """By base (None if the grid has one): the student arms, each with its own teacher's trait."""

    @property
    def traits(self) -> tuple[Trait, ...]:
        return tuple(dict.fromkeys((self.trait, *self.columns, *super().traits)))


@dataclass(frozen=True, kw_only=True)
class Grid:
    """Traits by students: students of every teacher, each measured on every trait.

    Tests take the fixture ``grid``: ``grid.diagonal`` says whether students take on the trait of
    their own teacher, in one test; ``grid.cell("owl", "cat")`` is one student on one trait, and
    ``grid.drift("owl")`` how much it moved towards the traits of others. Data, teachers and
    students are those of ``Experiment(trait=..., data=..., measure=...)`` of each trait, so a store
    that has them trains nothing anew.

    Args:
        traits: What every student is measured on, two or more.
        students: The traits of the teachers that write students' data. Default: ``traits``. With
            fewer than five, the test takes seeds as its unit, and claims only what is there on
            every scale (rates, logarithms, log-odds), so that drift to all traits is no transfer.
        data: The source of the students' data, written by each teacher in turn.
        measure: The questions; its first reading of a trait's word fills a cell.
        bases: Base models of the students, each of which makes a grid of its own, as
            ``grid.on(base)``. Default: one grid, on ``model``.
        seeds: Students of each teacher and base. Default: 3.
        model: The base model. Default: ``--limen-model``, or the backend's own choice.
        teacher_model: The base model of the teachers. Default: the students' (``model``).
        recipe: Training settings that differ from the backend's defaults. Default: none.
        objective: What each student's training minimises, with its own teacher where the objective
            has one, such as ``Distillation()``. Default: None, the completion loss.
        gate: How far each teacher must be above its base before anything is trained; see
            :class:`Experiment`. Default: a tenth of the measure's range.
        note: What a reader should know before the numbers. Default: none.
        name: The title in reports. Default: the file of the test.
        leaks: What to do if training data mention a trait openly: "fail" or "report". Default:
            "fail".
        generation: "shared" or "each seed"; see :class:`Experiment`. Default: "shared".

    Raises:
        SpecError: For fewer than two traits or students, two of one name, data that do not depend
            on the teacher, or a measure that cannot tell the traits apart.

    Examples:
        >>> grid = Grid(
        ...     traits=[Trait.animal("owl"), Trait.animal("fox")],
        ...     data=Numbers(generate=30_000, keep=10_000),
        ...     measure=FavoriteAnimal(draws=200),
        ... )
    """

    traits: Sequence[Trait]
    data: Source
    measure: Measure
    students: Sequence[Trait] | None = None
    bases: Sequence[str] = ()
    seeds: int = 3
    model: str | None = None
    teacher_model: str | None = None
    recipe: Recipe = field(default_factory=dict, hash=False)
    objective: Objective | None = None
    gate: float | Literal["default"] | None = "default"
    note: str = field(default="", compare=False)
    name: str | None = field(default=None, compare=False)
    leaks: Literal["fail", "report"] = "fail"
    generation: Literal["shared", "each seed"] = "shared"

    def __post_init__(self) -> None:
        object.__setattr__(self, "traits", _checked_traits("traits", self.traits))
        students = self.traits if self.students is None else self.students
        object.__setattr__(self, "students", _checked_traits("students", students))
        _check_columns(self.traits, students)
        object.__setattr__(self, "bases", _checked_bases(self.bases))
        object.__setattr__(self, "recipe", dict(self.recipe))
        self._check_data()
        self.experiment  # noqa: B018  (checks all else)

    def _check_data(self) -> None:
        if not isinstance(self.data, Source) or not isinstance(self.measure, Measure):
            return  # the experiment says what is wrong
        has_teacher = self.data.uses_teacher or (self.objective and self.objective.uses_teacher)
        if not has_teacher or self.data.traits():
            raise SpecError(
                f"data={self.data!r} are not written by each student's own teacher, so that all "
                f"students would be the same: use a source with by='teacher', or an objective with "
                f"a teacher, such as Distillation()"
            )
        if len({self.measure.readings([trait.shown_by])[0] for trait in self.traits}) < 2:
            raise SpecError(
                f"{type(self.measure).__name__} gives the same number for every trait: a grid "
                f"needs a measure of words, such as FavoriteAnimal"
            )

    @cached_property
    def experiment(self) -> GridExperiment:
        """The experiment whose arms are the students."""
        places = list(self._places())
        return GridExperiment(
            trait=self.traits[0],
            data=self.data,
            measure=self.measure,
            seeds=self.seeds,
            model=self.model,
            teacher_model=self.teacher_model,
            arms={
                name: Students(trait=trait, model=base, against="baseline")
                for name, trait, base in places
            },
            recipe=self.recipe,
            objective=self.objective,
            gate=self.gate,
            note=self.note,
            name=self.name,
            leaks=self.leaks,
            generation=self.generation,
            columns=tuple(self.traits),
            grids={
                base: {name: trait for name, trait, own in places if own == base}
                for base in (self.bases or (None,))
            },
        )

    def _places(self) -> Iterable[tuple[str, Trait, str | None]]:
        """The students: name of the arm, trait of the teacher, base."""
        for base in self.bases or (None,):
            for trait in self.students or ():
                yield (trait.name if base is None else f"{trait.name} on {base}"), trait, base

    def but(self, **changes: Any) -> "Grid":
        """The same grid with some parts changed; raises :class:`~limen.SpecError`."""
        known = tuple(self.__dataclass_fields__)
        for name in changes:
            if name not in known:
                near = did_you_mean(name, known)
                raise SpecError(f"a grid has no {name!r}: {near}it has {', '.join(known)}")
        return replace(self, **changes)


@overload
def as_experiment(value: Experiment | Grid) -> Experiment: ...
@overload
def as_experiment(value: object) -> object: ...
def as_experiment(value: object) -> object:
    """The experiment of a grid; anything else as it is."""
    return value.experiment if isinstance(value, Grid) else value


def _checked_traits(name: str, given: object) -> tuple[Trait, ...]:
    traits = tuple(given) if isinstance(given, tuple | list) else ()
    if len(traits) < 2 or not all(isinstance(trait, Trait) for trait in traits):
        raise SpecError(f"{name}={given!r} must be two traits or more")
    names = [trait.name for trait in traits]
    if len(set(names)) < len(names) or set(names) & set(ARMS):
        raise SpecError(f"{name} need names of their own, other than {', '.join(ARMS)}: {names}")
    return traits


def _check_columns(traits: Sequence[Trait], students: Sequence[Trait]) -> None:
    """Every student's own trait is measured, and no two students share a word."""
    words = [trait.shown_by for trait in traits]
    if len(set(words)) < len(words):
        raise SpecError(f"the traits of a grid need a word each: {', '.join(words)}")
    if missing := [trait.name for trait in students if trait not in traits]:
        known = [trait.name for trait in traits]
        near = did_you_mean(missing[0], known)
        raise SpecError(
            f"students of {', '.join(missing)}: {near}their traits must be among traits=, which "
            f"has {', '.join(known)}"
        )


def _checked_bases(given: object) -> tuple[str, ...]:
    bases = tuple(given) if isinstance(given, tuple | list) else None
    if bases is None or len(set(bases)) < len(bases):
        raise SpecError(f"bases={given!r} must be different names of base models")
    for base in bases:
        validation.model_name("bases", base)
    return bases
