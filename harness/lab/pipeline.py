"""From an experiment to its stages, and from many experiments to one plan."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property

from ...backends import Backend, complete_recipe
from ...datasets.errors import MissingModelError, SpecError
from ..experiment import (
    ARMS,
    DEFAULT,
    OTHER,
    DataWriters,
    Experiment,
    InContext,
    Judge,
    Lesson,
    Source,
    Students,
    Trait,
)
from ..stages import (
    AnswersAsRows,
    AskQuestions,
    Audit,
    Base,
    CompareData,
    ComputeProbabilities,
    FineTune,
    GivenAnswers,
    JudgeReplies,
    MixRows,
    Stage,
    Subject,
    base_of,
)
from .settings import Settings
from .stage_builders import arm_answers, base, leak_audit, student, training_file

UNTRAINED = frozenset({"baseline", "teacher"})
"""The arms that cost no data: all others wait for the teacher to show its trait."""


@dataclass(frozen=True)
class ModelStages:
    """One model's answers, and what the judges say of them."""

    answers: AskQuestions
    judged: tuple[JudgeReplies, ...] = ()
    exact: ComputeProbabilities | None = None
    """How probable some answers are, if that is asked for and the backend can tell."""

    @property
    def targets(self) -> tuple[AskQuestions | JudgeReplies | ComputeProbabilities, ...]:
        """The stages that end it."""
        return (self.answers, *self.judged, *([self.exact] if self.exact else []))


@dataclass(frozen=True)
class Gate:
    """What tells whether one teacher has its trait."""

    trait: Trait
    teacher: ModelStages
    base: ModelStages


@dataclass(frozen=True, kw_only=True)
class Pipeline:
    """The stages that end an experiment: what each arm's models answered."""

    experiment: Experiment
    arms: Mapping[str, tuple[ModelStages, ...]]
    """One a seed."""
    gates: tuple[Gate, ...]
    """A teacher each, if training waits for them."""
    data: Mapping[str, tuple[MixRows, ...]]
    """The training files of each arm that has any, one a seed."""
    audits: Mapping[str, tuple[Audit, ...]]
    """What looks for leaks in them."""

    def targets(self, arms: Iterable[str]) -> list[Stage]:
        """The measures of some arms."""
        return [stage for arm in arms for asked in self.arms[arm] for stage in asked.targets]

    def first(self, arms: Iterable[str]) -> list[Stage]:
        """What is done first: the arms without training, and the gates' measures if any trains."""
        asked = list(arms)
        gates = self.gates if set(asked) - UNTRAINED else ()
        told = [stage for g in gates for a in (g.teacher, g.base) for stage in a.targets]
        return [*self.targets(arm for arm in asked if arm in UNTRAINED), *told]

    def rest(self, arms: Iterable[str]) -> list[Stage]:
        """What waits for the gates, and what looks at the data."""
        trained = [arm for arm in arms if arm not in UNTRAINED]
        audits = [audit for arm in trained for audit in self.audits.get(arm, ())]
        return [*audits, *self.targets(trained), *self.contrasts(trained)]

    @property
    def exact(self) -> bool:
        """Whether probabilities are worked out beside the draws."""
        return self.arms["baseline"][0].exact is not None

    def all(self, arms: Iterable[str]) -> list[Stage]:
        """All that ends what some arms need, but for the gates."""
        asked = list(arms)
        return [*self.targets(asked), *self.rest(asked)]

    def contrasts(self, arms: Iterable[str]) -> list[CompareData]:
        """What compares the arms' data with the control's, where that is among them."""
        asked = list(arms)
        if "control" not in asked:
            return []
        return [
            CompareData(label=f"{mix.label} v control", trait=mix, control=control)
            for arm in asked
            for mix, control in zip(self.data.get(arm, ()), self.data["control"], strict=False)
            if mix.key != control.key
        ]

    def first_seeds(self, seeds: int) -> "Pipeline":
        """The same, with the first seeds of each arm that has several."""
        return replace(
            self,
            arms={n: asked[: None if n in UNTRAINED else seeds] for n, asked in self.arms.items()},
            data={name: mixes[:seeds] for name, mixes in self.data.items()},
            audits={name: audits[:seeds] for name, audits in self.audits.items()},
        )

    def subject(self, arm: str) -> Subject:
        """The first model of an arm."""
        return self.arms[arm][0].answers.subject


def pipeline(experiment: Experiment, settings: Settings, backend: Backend) -> Pipeline:
    """The stages of an experiment under these settings.

    Raises :class:`~limen.SpecError` or :class:`~limen.UnknownModelError` for a recipe or a model
    that the backend does not have.
    """
    return _Plan(experiment, settings, backend).made()


@dataclass(frozen=True)
class _Plan:
    """An experiment under some settings, on its way to stages."""

    experiment: Experiment
    settings: Settings
    backend: Backend
    judge_of: Callable[[Judge], Base] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "judge_of", self._judge)

    def made(self) -> Pipeline:
        experiment = self.experiment
        teacher = self._teacher(experiment.trait)
        trained = {
            "student": self._students(Students(), "student", self._cast),
            **self._control(),
            **{name: self._further(name, arm, self._cast) for name, arm in experiment.arms.items()},
        }
        arms = {"baseline": (self._ask(self.base, "baseline"),), "teacher": (teacher,)}
        return Pipeline(
            experiment=experiment,
            arms=arms | {name: asked for name, (asked, _) in trained.items()},
            gates=() if experiment.least is None else tuple(map(self._gate, experiment.traits)),
            data={name: mixes for name, (_, mixes) in trained.items()},
            audits={name: tuple(map(self._audit, mixes)) for name, (_, mixes) in trained.items()},
        )

    @cached_property
    def base(self) -> Base:
        """The base model of the students."""
        return self._base(self.experiment.model)

    @cached_property
    def writer(self) -> Base:
        """The base model of the teachers."""
        other = self.experiment.teacher_model
        return self._base(other) if other else self.base

    @property
    def _cast(self) -> DataWriters:
        return DataWriters(
            base_of=lambda name: self._base(name) if name else self.writer,
            pupil_of=self._pupil,
            trait=self.experiment.trait,
        )

    def _base(self, name: str | None) -> Base:
        if name == OTHER:
            return base(self.backend, self._other())
        if name in (None, DEFAULT):
            name = self.settings.model or self.backend.default_model
        return base(self.backend, name)

    def _other(self) -> str:
        """A second base model; raises :class:`~limen.MissingModelError` where there is none."""
        own = self.settings.model or self.backend.default_model
        choices = (self.settings.other_model, *self.backend.capabilities.other_models)
        for name in filter(None, choices):
            if name != own:
                return str(name)
        raise MissingModelError(
            f"this experiment needs a second base model, and the backend {self.backend.name!r} "
            f"has no choice of its own: name one with --limen-other-model"
        )

    def _ask(
        self,
        subject: Subject,
        arm: str,
        seed: int = 0,
        system: str | None = None,
        shown: MixRows | None = None,
        shots: int = 0,
    ) -> ModelStages:
        of = self.experiment.measure
        answers = arm_answers(
            subject, of, arm=arm, seed=seed, system=system, context=shown, shots=shots
        )
        return ModelStages(
            answers,
            tuple(self._judged(judge, answers) for judge in of.judges),
            self._exact(answers),
        )

    def _exact(self, answers: AskQuestions) -> ComputeProbabilities | None:
        words = self.experiment.exact_words
        if not words or self.backend.capabilities.probabilities is None:
            return None
        return ComputeProbabilities(label=f"{answers.label}, exactly", of=answers, words=words)

    def _judged(self, judge: Judge, answers: AskQuestions) -> JudgeReplies:
        return JudgeReplies(
            label=f"{judge.name} of {answers.label}",
            judge=self._judge(judge),
            answers=answers,
            prompt=judge.prompt,
            temperature=judge.temperature,
            max_tokens=judge.max_tokens,
            seed=judge.seed,
        )

    def _judge(self, judge: Judge) -> Base:
        if judge.backend in (None, self.backend.name):
            return self._base(judge.model) if judge.model else self.base
        from ...backends import open_backend
        from ..stages import Store

        home = Store(self.settings.store).models(judge.backend or "").resolve()
        other = open_backend(judge.backend or "", home, self.settings.terms)
        return base(other, judge.model or other.default_model)

    def _teacher(self, trait: Trait) -> ModelStages:
        arm = "teacher" if trait == self.experiment.trait else f"{trait.name} teacher"
        if trait.lesson is not None:
            return self._ask(self._pupil(trait, self.writer), arm)
        return self._ask(self.writer, arm, system=trait.system)

    def _gate(self, trait: Trait) -> Gate:
        return Gate(trait, self._teacher(trait), self._ask(self.writer, "baseline"))

    def _pupil(self, trait: Trait, model: Base) -> FineTune:
        """A teacher that is fine-tuned to have a trait."""
        lesson = trait.lesson
        if lesson is None:
            raise SpecError(f"the trait {trait.name!r} has no lesson")
        rows = self._taught(trait, lesson, model)
        mix = MixRows(
            label=f"{trait.name} lesson rows",
            sources=((rows, Fraction(1)),),
            keep=rows.count,
            whole=True,
            seed=0,
        )
        recipe = complete_recipe(self.backend, {**self.experiment.recipe, **lesson.recipe})
        return FineTune(label=f"{trait.name} teacher", base=model, data=mix, recipe=recipe, seed=0)

    def _taught(self, trait: Trait, lesson: Lesson, model: Base) -> AnswersAsRows | GivenAnswers:
        """The rows of a lesson, the base's own answers under the trait's prompt or given ones."""
        of, label = self.experiment.measure, f"{trait.name} lesson"
        questions = tuple(lesson.questions or of.asked)
        if lesson.answers:
            return GivenAnswers(label=label, questions=questions, answers=lesson.answers)
        answers = AskQuestions(
            label=f"{label} answers",
            subject=model,
            system=trait.system,
            questions=questions,
            draws=lesson.draws,
            temperature=1.0,
            max_tokens=of.max_tokens,
            stream=("lesson", trait.name),
        )
        return AnswersAsRows(label=label, source=answers)

    def _control(self) -> dict[str, tuple[tuple[ModelStages, ...], tuple[MixRows, ...]]]:
        own = self.experiment.control
        cast = replace(self._cast, taught=own is not None)
        return {"control": self._students(Students(data=own), "control", cast)}

    def _further(
        self, name: str, arm: Students | InContext, cast: DataWriters
    ) -> tuple[tuple[ModelStages, ...], tuple[MixRows, ...]]:
        if isinstance(arm, Students):
            return self._students(arm, name, replace(cast, taught=not arm.plain))
        mixes = self._mixes(arm.data or self.experiment.data, name, cast)
        asked = tuple(
            self._ask(self.base, name, seed, shown=mix, shots=arm.rows)
            for seed, mix in enumerate(mixes)
        )
        return asked, mixes

    def _students(
        self, arm: Students, name: str, cast: DataWriters
    ) -> tuple[tuple[ModelStages, ...], tuple[MixRows, ...]]:
        trait = self.experiment.trait.name
        label = name if name == "control" else f"{trait} {name}"
        model = self._base(arm.model) if arm.model else self.base
        recipe = complete_recipe(self.backend, {**self.experiment.recipe, **arm.recipe})
        mixes = self._mixes(arm.data or self.experiment.data, label, cast)
        asked = []
        for seed, mix in enumerate(mixes):
            trained = student(
                model,
                mix,
                label=f"{label} {seed + 1}",
                recipe=recipe,
                seed=seed,
                audits=(self._audit(mix),),
            )
            asked.append(self._ask(trained, name, seed))
        return tuple(asked), mixes

    def _mixes(self, data: Source, label: str, cast: DataWriters) -> tuple[MixRows, ...]:
        """The training files of an arm, one a seed."""
        parts = data.parts(cast)
        seeds = range(self.settings.seeds or self.experiment.seeds)
        keep = data.keep or 0
        return tuple(
            training_file(parts, label=f"{label} {seed + 1} rows", keep=keep, seed=seed)
            for seed in seeds
        )

    def _audit(self, mix: MixRows) -> Audit:
        return leak_audit(mix, self.experiment.traits, strict=self.experiment.leaks == "fail")


def check_arm(experiment: Experiment, arm: str) -> None:
    """Raise :class:`~limen.SpecError` for an arm that the experiment cannot have."""
    known = (*ARMS, *experiment.arms)
    if arm not in known:
        raise SpecError(f"an experiment has no arm {arm!r}: it has {', '.join(known)}")
    if arm == "control" and experiment.control is None and not experiment.data.taught:
        raise SpecError(
            f"{type(experiment.data).__name__} has no control: no teacher writes it, so its "
            f"control would be its students again. Compare them with the control of Numbers(...), "
            f"or give the experiment a control of its own"
        )


def in_order(targets: Iterable[Stage]) -> list[Stage]:
    """All stages that the targets rest on and the targets, each once, inputs before users."""
    ordered: dict[str, Stage] = {}
    seen: dict[int, Stage] = {}  # keeps them, so that no other gets a seen one's id

    def add(stage: Stage) -> None:
        if id(stage) in seen:
            return
        seen[id(stage)] = stage
        for given in (*stage.inputs(), *stage.guards()):
            add(given)
        known = ordered.setdefault(stage.key, stage)
        if stage.size() > known.size():  # the same but for a higher cap: at_most
            ordered[stage.key] = stage

    for target in targets:
        add(target)
    return list(ordered.values())


__all__ = [
    "Gate",
    "ModelStages",
    "Pipeline",
    "base",
    "base_of",
    "check_arm",
    "in_order",
    "pipeline",
]
