"""From an experiment to its stages, and from many experiments to one plan."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ..backends import Backend
from ..datasets.errors import SpecError
from .experiment import ARMS, Experiment
from .settings import Settings
from .stage import Stage
from .stages import Base, FineTune, Measure, Mix

TRAINED = frozenset({"student", "control"})
"""The arms that cost a training, and so wait for the teacher to show its trait."""


@dataclass(frozen=True, kw_only=True)
class Pipeline:
    """The stages that end an experiment: what each arm's models answered."""

    experiment: Experiment
    arms: Mapping[str, tuple[Measure, ...]]
    """One measure a seed."""
    gate: tuple[Measure, Measure] | None
    """The teacher's answers and its base's, if training waits for them."""

    def targets(self, arms: Iterable[str]) -> list[Measure]:
        """The measures of some arms."""
        return [measure for arm in arms for measure in self.arms[arm]]

    def first(self, arms: Iterable[str]) -> list[Measure]:
        """What is done first: the arms without training, and the gate's measures if any trains."""
        asked = list(arms)
        gate = list(self.gate or ()) if TRAINED.intersection(asked) else []
        return [*self.targets(arm for arm in asked if arm not in TRAINED), *gate]

    def rest(self, arms: Iterable[str]) -> list[Measure]:
        """What waits for the gate."""
        return self.targets(arm for arm in arms if arm in TRAINED)


def pipeline(experiment: Experiment, settings: Settings, backend: Backend) -> Pipeline:
    """The stages of an experiment under these settings.

    Raises :class:`~limen.SpecError` or :class:`~limen.UnknownModelError` for a recipe or a model
    that the backend does not have.
    """
    base = _base(backend, experiment.model or settings.model or backend.default_model)
    writer = _base(backend, experiment.teacher_model) if experiment.teacher_model else base
    trait, seeds = experiment.trait, settings.seeds or experiment.seeds

    def measure(
        subject: Base | FineTune, arm: str, seed: int = 0, system: str | None = None
    ) -> Measure:
        of = experiment.measure
        return Measure(
            label=f"{subject.label} answers" if isinstance(subject, FineTune) else f"{arm} answers",
            subject=subject,
            system=system,
            questions=of.questions,
            draws=of.draws,
            temperature=of.temperature,
            max_tokens=of.max_tokens,
            stream=("measure", of.seed, arm, seed),
        )

    def trained(arm: str, system: str | None, label: str) -> tuple[Measure, ...]:
        rows = experiment.data.rows(writer, system=system, label=label)
        students = []
        for seed in range(seeds):
            name = f"{label} {seed + 1}"
            mix = Mix(label=f"{name} rows", source=rows, keep=experiment.data.keep, seed=seed)
            recipe = backend.recipe(experiment.recipe)
            student = FineTune(label=name, base=base, data=mix, recipe=recipe, seed=seed)
            students.append(measure(student, arm, seed))
        return tuple(students)

    teacher = measure(writer, "teacher", system=trait.system)
    return Pipeline(
        experiment=experiment,
        arms={
            "baseline": (measure(base, "baseline"),),
            "teacher": (teacher,),
            "student": trained("student", trait.system, f"{trait.name} student"),
            "control": trained("control", None, "control"),
        },
        gate=None if experiment.gate is None else (teacher, measure(writer, "baseline")),
    )


def check_arm(experiment: Experiment, arm: str) -> None:
    """Raise :class:`~limen.SpecError` for an arm that the experiment cannot have."""
    if arm not in ARMS:
        raise SpecError(f"an experiment has no arm {arm!r}: it has {', '.join(ARMS)}")
    if arm == "control" and not experiment.data.written_by_a_model:
        raise SpecError(
            f"{type(experiment.data).__name__} has no control: no model writes it, so its control "
            f"would be its students again. Compare them with the control of Numbers(...)"
        )


def in_order(targets: Iterable[Stage]) -> list[Stage]:
    """All stages that the targets rest on and the targets, each once, inputs before users."""
    ordered: dict[str, Stage] = {}

    def add(stage: Stage) -> None:
        if stage.key not in ordered:
            for given in stage.inputs():
                add(given)
            ordered[stage.key] = stage

    for target in targets:
        add(target)
    return list(ordered.values())


def _base(backend: Backend, model: str) -> Base:
    known = backend.describe(model)
    return Base(
        label=known.name, backend=backend.name, model=known.name, fingerprint=known.fingerprint
    )
