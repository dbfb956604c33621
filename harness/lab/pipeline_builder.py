"""From an experiment and a run's settings to the stages of its arms."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property

from ...backends import Backend, complete_recipe
from ...datasets.errors import MissingModelError, SpecError
from ...datasets.seeds import derive
from ..experiment import (
    DEFAULT,
    OTHER,
    AtEpoch,
    DataWriters,
    Experiment,
    FurtherArm,
    Judge,
    Lesson,
    Models,
    Source,
    Students,
    Trait,
)
from ..stages import (
    AnswersAsRows,
    AskQuestions,
    Audit,
    Base,
    Checkpoint,
    FineTune,
    GivenAnswers,
    MixRows,
    Store,
    Subject,
    TaughtPairs,
    TrainingObjective,
    backend_of,
    training_of,
)
from .measure_support import check_backend_measures, check_backend_objectives
from .measured_models import MeasuredModels
from .pipeline import Gate, ModelStages, Pipeline, teacher_arms
from .settings import Settings
from .stage_builders import base, leak_audit, student, training_file

ArmStages = tuple[tuple[ModelStages, ...], tuple[MixRows, ...]]
"""An arm's models, and their training files; one a seed."""


def build_pipeline(experiment: Experiment, settings: Settings, backend: Backend) -> Pipeline:
    """The stages of an experiment under these settings.

    Raises :class:`~limen.SpecError` or :class:`~limen.UnknownModelError` for a recipe or a model
    that the backend does not have.
    """
    return _PipelineBuilder(experiment, settings, backend).build()


@dataclass(frozen=True)
class _PipelineBuilder:
    """Makes the stages of one experiment under some settings."""

    experiment: Experiment
    settings: Settings
    backend: Backend

    def build(self) -> Pipeline:
        experiment = self.experiment
        teacher = self._teacher_arm
        check_backend_measures(self.backend, experiment.measure)
        trained = {
            "student": self._students(Students(), "student", self._writers),
            **self._control(),
        }
        extra: dict[str, ArmStages] = {}
        for name, arm in {**experiment.arms, **experiment.all_arms}.items():
            extra[name] = self._extra_arm(name, arm, trained | extra)
        trained |= {name: extra[name] for name in experiment.all_arms}
        for name, place in experiment.epoch_arms.items():
            trained[name] = (self._at_epoch(name, place, trained[place.of][0]), ())
        arms = {
            "baseline": (self._ask(self.base, "baseline"),),
            "teacher": teacher,
            **{name: self._teacher(trait) for name, trait in teacher_arms(experiment).items()},
        }
        return Pipeline(
            experiment=experiment,
            arms=arms | {name: asked for name, (asked, _) in trained.items()},
            gates=tuple(map(self._gate, experiment.traits)) if experiment.has_gate else (),
            data={name: mixes for name, (_, mixes) in trained.items()},
            audits={name: tuple(map(self._audit, mixes)) for name, (_, mixes) in trained.items()},
            previous=self._previous,
        )

    @cached_property
    def _previous(self) -> Pipeline | None:
        """The stages of the experiment whose students teach, in a hop."""
        before = self.experiment.teachers_from
        return build_pipeline(before, self.settings, self.backend) if before else None

    @cached_property
    def _teacher_arm(self) -> tuple[ModelStages, ...]:
        """The teacher; in a hop the students before, one a seed, measured as students are."""
        if self._previous is None:
            return self._teacher(self.experiment.trait)
        students = self._previous.arms["student"][: self._seeds]
        return tuple(
            self._ask(model.answers.subject, "student", seed) for seed, model in enumerate(students)
        )

    @property
    def _seeds(self) -> int:
        return self.settings.seeds or self.experiment.seeds

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
    def _writers(self) -> DataWriters:
        return DataWriters(
            base_model=lambda name: self._base(name) if name else self.writer,
            tuned_teacher=self._fine_tuned_teacher,
            trait=self.experiment.trait,
            asked_model=self._model_on,
            computes_likelihoods=self.backend.capabilities.continuations is not None,
        )

    def _base(self, name: str | None) -> Base:
        if name == OTHER:
            return base(self.backend, self._second_base())
        if name in (None, DEFAULT):
            name = self.settings.model or self.backend.default_model
        return base(self.backend, name)

    def _second_base(self) -> str:
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

    @cached_property
    def _measured(self) -> MeasuredModels:
        return MeasuredModels(
            measure=self.experiment.measure,
            backend=self.backend,
            judge_model=self._judge,
            words=tuple(trait.shown_by for trait in self.experiment.traits),
            exact_words=tuple(self.experiment.exact_words),
        )

    def _ask(
        self,
        subject: Subject,
        arm: str,
        seed: int = 0,
        system: str | None = None,
        context: MixRows | None = None,
        shots: int = 0,
    ) -> ModelStages:
        return self._measured.stages(
            subject, arm=arm, seed=seed, system=system, context=context, shots=shots
        )

    def _judge(self, judge: Judge) -> Base:
        return self._model_on(judge.backend, judge.model)

    def _model_on(self, backend: str | None, model: str | None) -> Base:
        if backend is None or backend == self.backend.name:
            return self._base(model) if model else self.base
        other = backend_of(backend, Store(self.settings.store), self.settings.terms)
        return base(other, model or other.default_model)

    def _teacher(self, trait: Trait) -> tuple[ModelStages, ...]:
        """A trait's teacher, measured under each of its system prompts."""
        arm = "teacher" if trait == self.experiment.trait else f"{trait.name} teacher"
        subject = self._writers.writer(trait, None).subject
        return tuple(
            self._ask(subject, arm, number, system=system)
            for number, system in enumerate(trait.prompts)
        )

    def _gate(self, trait: Trait) -> Gate:
        teacher = self._teacher_arm if trait == self.experiment.trait else self._teacher(trait)
        return Gate(trait, teacher, (self._ask(self.writer, "baseline"),))

    def _fine_tuned_teacher(self, trait: Trait, model: Base) -> FineTune:
        """A teacher that is fine-tuned to have a trait."""
        lesson = trait.lesson
        if lesson is None:
            raise SpecError(f"the trait {trait.name!r} has no lesson")
        rows = self._lesson_rows(trait, lesson, model)
        mix = MixRows(
            label=f"{trait.name} lesson rows",
            sources=((rows, Fraction(1)),),
            keep=rows.count,
            take_all=True,
            seed=0,
        )
        recipe = complete_recipe(self.backend, {**self.experiment.recipe, **lesson.recipe})
        return FineTune(label=f"{trait.name} teacher", base=model, data=mix, recipe=recipe, seed=0)

    def _lesson_rows(
        self, trait: Trait, lesson: Lesson, model: Base
    ) -> AnswersAsRows | GivenAnswers | TaughtPairs:
        """The rows of a lesson, the base's own answers under the trait's prompt or given ones."""
        measure, label = self.experiment.measure, f"{trait.name} lesson"
        if lesson.pairs != ():
            return TaughtPairs(label=label, pairs=lesson.own_pairs)
        questions = tuple(lesson.questions or measure.asked)
        if lesson.answers:
            return GivenAnswers(label=label, questions=questions, answers=lesson.answers)
        answers = AskQuestions(
            label=f"{label} answers",
            subject=model,
            system=trait.system or trait.systems[0],
            questions=questions,
            draws=lesson.draws,
            temperature=1.0,
            max_tokens=measure.max_tokens,
            stream=("lesson", trait.name),
        )
        return AnswersAsRows(label=label, source=answers)

    def _control(self) -> dict[str, ArmStages]:
        own = self.experiment.control
        writers = replace(self._writers, has_traits=own is not None)
        return {"control": self._students(Students(data=own), "control", writers)}

    def _extra_arm(self, name: str, arm: FurtherArm, trained: Mapping[str, ArmStages]) -> ArmStages:
        if isinstance(arm, Models):
            return self._as_they_are(name, arm), ()
        if isinstance(arm, Students):
            trait = arm.trait or self.experiment.trait
            writers = replace(self._writers, has_traits=not arm.plain, trait=trait)
            before = trained[arm.after][0] if arm.after else ()
            return self._students(arm, name, writers, self._trainings(before))
        mixes = self._mixes(arm.data or self.experiment.data, name, self._writers)
        asked = tuple(
            self._ask(self.base, name, seed, context=mix, shots=arm.rows)
            for seed, mix in enumerate(mixes)
        )
        return asked, mixes

    def _as_they_are(self, name: str, arm: Models) -> tuple[ModelStages, ...]:
        """The measures of models that the experiment does not train."""
        models = [self._base(model) if model else self.base for model in arm.model_names]
        return tuple(self._ask(m, name, seed, system=arm.system) for seed, m in enumerate(models))

    def _trainings(self, models: Iterable[ModelStages]) -> tuple[FineTune, ...]:
        """The trainings of some students, that others go on from."""
        found = tuple(filter(None, (training_of(each.answers.subject) for each in models)))
        if found and not self.backend.capabilities.further_training:
            raise SpecError(
                f"after=: the backend {self.backend.name!r} does not train students further: take "
                f"the toy, or write the students out (limen export --merged) and take such a model "
                f"as the base of another experiment"
            )
        return found

    def _students(
        self, arm: Students, name: str, writers: DataWriters, before: Sequence[FineTune] = ()
    ) -> ArmStages:
        label = _label_of_students(arm, name, self.experiment.trait)
        drawn_as = "student" if arm.is_of_trait_alone else name
        if self._previous:
            label = f"{label}, generation {self.experiment.hops + 1},"
        model = before[0].base if before else self._base(arm.model) if arm.model else self.base
        recipe = complete_recipe(self.backend, self._recipe_of(arm))
        mixes = self._mixes(arm.data or self.experiment.data, label, writers)
        asked = []
        for seed, mix in enumerate(mixes):
            trained = student(
                model,
                mix,
                label=f"{label} {seed + 1}",
                recipe=recipe,
                seed=seed,
                audits=(self._audit(mix),),
                objective=self._objective(arm, seed, model, mix, writers),
                after=before[seed] if before else None,
            )
            asked.append(self._ask(trained, drawn_as, seed, arm.system))
        return tuple(asked), mixes

    def _recipe_of(self, arm: Students) -> dict[str, float | int | str | bool | None]:
        """The settings of an arm's trainings that are not the backend's defaults."""
        along = self.experiment.trajectory
        return {**self.experiment.recipe, **arm.recipe, **(along.recipe if along else {})}

    def _objective(
        self, arm: Students, seed: int, model: Base, mix: MixRows, writers: DataWriters
    ) -> TrainingObjective | None:
        objective = arm.objective or self.experiment.objective
        if objective is None:
            return None
        made = objective.of(
            mix,
            model,
            self._writers_of(seed, writers) if self._previous else writers,
            words=tuple(dict.fromkeys(w for t in self.experiment.traits for w in t.leak_words)),
            strict=self.experiment.leaks == "fail",
        )
        if made is not None:
            check_backend_objectives(self.backend, made)
        return made

    def _at_epoch(
        self, name: str, place: AtEpoch, finished: tuple[ModelStages, ...]
    ) -> tuple[ModelStages, ...]:
        """The measures of an arm's models as they were at the end of an epoch, or after a step."""
        trainings = (training_of(model.answers.subject) for model in finished)
        return tuple(
            self._ask(
                Checkpoint(
                    label=f"{training.label}, {place.unit} {place.place}",
                    training=training,
                    epoch=place.place if place.unit == "epoch" else None,
                    step=place.place if place.unit == "step" else None,
                ),
                name,
                seed,
            )
            for seed, training in enumerate(filter(None, trainings))
        )

    def _mixes(self, data: Source, label: str, writers: DataWriters) -> tuple[MixRows, ...]:
        """The training files of an arm, one a seed."""
        own = self.experiment.generation == "each seed" or self._previous is not None
        shared = () if self._previous else data.parts(writers)
        return tuple(
            training_file(
                data.parts(self._writers_of(seed, writers))
                if own and (seed or not shared)
                else shared,
                label=f"{label} {seed + 1} rows",
                keep=data.row_count or 0,
                seed=seed,
            )
            for seed in range(self._seeds)
        )

    def _writers_of(self, seed: int, writers: DataWriters) -> DataWriters:
        """Who writes the data of one seed, where every seed has its own generation."""
        if self._previous is None:
            return replace(writers, generation=seed)
        student, control = (
            self._previous.arms[arm][seed].answers.subject for arm in ("student", "control")
        )
        generation = derive("hop", self.experiment.hops, seed)
        return replace(writers, teacher=student, control=control, generation=generation)

    def _audit(self, mix: MixRows) -> Audit:
        return leak_audit(mix, self.experiment.traits, strict=self.experiment.leaks == "fail")


def _label_of_students(arm: Students, name: str, trait: Trait) -> str:
    """What people call an arm of students, with the trait of their teacher."""
    if name == "control":
        return name
    return f"{trait.name} {name}" if arm.trait is None else f"{name} student"
