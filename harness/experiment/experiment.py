"""The experiment as a value: which trait, through which data, and how it is measured."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from ...datasets import validation as checks
from ...datasets.errors import SpecError
from .measures import Measure
from .sources import Source
from .traits import Trait

ARMS = ("baseline", "teacher", "student", "control")
"""``baseline``: the base model, no prompt. ``teacher``: the same under the trait's system prompt,
or fine-tuned to have the trait. ``student``: fine-tuned on the teacher's filtered data.
``control``: fine-tuned in the same way on data from the base model without the trait."""

OTHER = "another base"
"""Stands for a second base model: ``--limen-other-model``, or the backend's own choice."""

DEFAULT = "default base"
"""Stands for the run's own base model, where an experiment's students have another."""

Settings = Mapping[str, float | int | str | bool | None]


@dataclass(frozen=True, kw_only=True)
class Students:
    """An arm of further students: other data, another recipe, another base; one model a seed."""

    data: Source | None = None
    """The experiment's data unless given."""
    recipe: Settings = field(default_factory=dict, hash=False)
    """Training settings that differ from the experiment's."""
    model: str | None = None
    """The base model of these students; the experiment's unless given."""
    plain: bool = False
    """Whether all is written by the base without any prompt, as the control's data are."""
    against: str = "control"
    """The arm that a report compares them with."""

    def __post_init__(self) -> None:
        if not isinstance(self.data, Source | None):
            raise SpecError(f"data={self.data!r} must be a source, such as Numbers(...)")
        if not isinstance(self.model, str | None):
            raise SpecError(f"model={self.model!r} must be a model's name, or None")
        _check_recipe(self.recipe)


def doses(
    data: Source, *, rows: Sequence[int] = (), epochs: Sequence[int] = ()
) -> dict[str, Students]:
    """Arms for a dose-response curve: some rows of the data, or more epochs over all of them.

    Each ("3,000 rows", "2 epochs") has a control of the same dose ("3,000 rows control").
    """
    given = {f"{count:,} rows": Students(data=data.but(keep=count)) for count in rows}
    given |= {f"{count} epochs": Students(data=data, recipe={"epochs": count}) for count in epochs}
    return {
        name: arm
        for dose, students in given.items()
        for name, arm in (
            (dose, replace(students, against=f"{dose} control")),
            (f"{dose} control", replace(students, plain=True)),
        )
    }


@dataclass(frozen=True, kw_only=True)
class InContext:
    """An arm without training: the base model, shown rows of the data before each question.

    The rows are those that the student of the same seed would be trained on, the first of them.
    """

    rows: int = 20
    data: Source | None = None
    """The experiment's data unless given."""
    against: str = "baseline"
    """The arm that a report compares it with."""

    def __post_init__(self) -> None:
        checks.count("rows", self.rows)
        if not isinstance(self.data, Source | None):
            raise SpecError(f"data={self.data!r} must be a source, such as Numbers(...)")


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """A trait, the data that may carry it, the measure that would show it, and how often.

    Frozen and checked when made: a part that cannot be meant raises :class:`~limen.SpecError`
    before anything is spent.
    """

    trait: Trait
    data: Source
    measure: Measure
    seeds: int = 3
    """Independent repetitions of sampling the training set and training, for each trained arm."""
    model: str | None = None
    """The base model; the backend's own choice, or ``--limen-model``, unless given."""
    teacher_model: str | None = None
    """The base model that writes the data, where it is another than the student's."""
    control: Source | None = None
    """The control arm's data; unless given ``data``, written by the base without any prompt."""
    arms: Mapping[str, Students | InContext] = field(default_factory=dict, hash=False)
    """Further arms by name, for the fixture ``arms``."""
    recipe: Settings = field(default_factory=dict, hash=False)
    """Training settings that differ from the backend's defaults."""
    gate: float | Literal["default"] | None = "default"
    """By how much the teacher must exceed its base for training to go ahead, in the measure's unit
    (unless given 0.1 of a rate, 1 of a score); None trains in any case."""
    family: int = 1
    """Traits that are tried together: p-values and intervals are corrected for as many
    (Bonferroni, which holds whichever of them ``-k`` selects)."""
    margin: float | None = None
    """The difference below which arms count as alike, in the measure's unit (0.03 is three points
    of a rate): stated before, it lets ``effect.within()`` and the report claim a null."""
    note: str = field(default="", compare=False)
    """What to know before the numbers: printed before anything is done, and in the report."""
    looks: tuple[int, ...] = ()
    """Seeds after which to look, and to stop where student and control are told apart by then:
    ``seeds=8, looks=(3, 5)``. What is found is corrected for every look (Bonferroni), so that
    stopping early makes no error likelier."""
    leaks: Literal["fail", "report"] = "fail"
    """What to do where training data mention the trait in the open."""

    def __post_init__(self) -> None:
        for name, kinds in (("trait", Trait), ("data", Source), ("measure", Measure)):
            if not isinstance(getattr(self, name), kinds):
                raise SpecError(
                    f"{name}={getattr(self, name)!r} is not a {kinds.__name__}: "
                    f"see limen.harness.{kinds.__name__}"
                )
        checks.count("seeds", self.seeds)
        checks.count("family", self.family)
        for name in ("model", "teacher_model"):
            if not isinstance(getattr(self, name), str | None):
                raise SpecError(f"{name}={getattr(self, name)!r} must be a model's name, or None")
        _check_recipe(self.recipe)
        checks.margin(self.margin)
        self._check_looks()
        if self.leaks not in ("fail", "report"):
            raise SpecError(f"leaks={self.leaks!r} must be 'fail' or 'report'")
        self._check_gate()
        self._check_data()
        for trait in self.traits:
            self.measure.check(trait.shown_by)
        object.__setattr__(self, "recipe", dict(self.recipe))

    @property
    def exact_words(self) -> tuple[str, ...]:
        """The words whose probability is to be worked out as well; none unless that is asked."""
        return self.measure.exactly([trait.shown_by for trait in self.traits])

    def _check_looks(self) -> None:
        looks = tuple(self.looks) if isinstance(self.looks, tuple | list) else None
        if looks is None or not all(isinstance(look, int) for look in looks):
            raise SpecError(f"looks={self.looks!r} must be numbers of seeds, such as (3, 5)")
        if list(looks) != sorted({look for look in looks if 2 <= look < self.seeds}):
            raise SpecError(
                f"looks={looks!r} must rise from 2 or more to less than seeds={self.seeds}"
            )
        object.__setattr__(self, "looks", looks)

    def _check_gate(self) -> None:
        if self.gate in ("default", None):
            return
        number = isinstance(self.gate, int | float) and not isinstance(self.gate, bool)
        scored = self.measure.readings(["-"])[0].word is None
        if not number or not (scored or -1 < float(self.gate or 0) < 1):
            raise SpecError(f"gate={self.gate!r} must be a share below 1, such as 0.1, or None")

    def _check_data(self) -> None:
        if not isinstance(self.control, Source | None):
            raise SpecError(f"control={self.control!r} must be a source, or None")
        if not isinstance(self.arms, Mapping):
            raise SpecError(f"arms={self.arms!r} must be arms by name: {{'half': Students(...)}}")
        for name, arm in self.arms.items():
            if not isinstance(arm, Students | InContext):
                raise SpecError(f"the arm {name!r} must be Students() or InContext(), not {arm!r}")
            if not isinstance(name, str) or name in ARMS:
                raise SpecError(f"an arm needs a name other than {', '.join(ARMS)}: {name!r}")
            shown = arm.rows if isinstance(arm, InContext) else 0
            if shown > ((arm.data or self.data).keep or shown):
                raise SpecError(f"the arm {name!r} shows rows={shown:,}, which is more than its "
                                f"data keep")  # fmt: skip
            if arm.against not in (*ARMS, *self.arms):
                known = ", ".join((*ARMS, *self.arms))
                raise SpecError(f"the arm {name!r} is compared with {arm.against!r}, which is "
                                f"none of {known}")  # fmt: skip
        object.__setattr__(self, "arms", dict(self.arms))
        further = ((name, arm.data) for name, arm in self.arms.items())
        for name, data in (("data", self.data), ("control", self.control), *further):
            if data is not None and data.keep is None:
                raise SpecError(f"{name}: a source needs keep, the rows to train on: {data!r}")

    @property
    def least(self) -> float | None:
        """By how much the teacher must exceed its base; None if it need not."""
        return self.measure.least if self.gate == "default" else self.gate

    @property
    def traits(self) -> tuple[Trait, ...]:
        """The experiment's own trait, and those that its data name."""
        sources = (self.data, *(arm.data for arm in self.arms.values() if arm.data))
        named = (trait for source in sources for trait in source.traits())
        return tuple(dict.fromkeys((self.trait, *named)))

    def but(self, **changes: Any) -> "Experiment":
        """The same experiment but for the given parts."""
        unknown = sorted(set(changes) - set(self.__dataclass_fields__))
        if unknown:
            parts = ", ".join(self.__dataclass_fields__)
            raise SpecError(f"an experiment has no {unknown[0]!r}: it has {parts}")
        return replace(self, **changes)


def _check_recipe(recipe: object) -> None:
    if not isinstance(recipe, Mapping):
        raise SpecError(f"recipe={recipe!r} must be settings by name, as in {{'epochs': 2}}")
