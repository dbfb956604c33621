"""From an experiment and a run's settings to the stages of its arms."""

from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property

from ...backends import Backend, complete_recipe
from ...datasets.errors import MissingModelError, SpecError
from ..experiment import (
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
    ComputeProbabilities,
    FineTune,
    GivenAnswers,
    JudgeReplies,
    MixRows,
    Store,
    Subject,
    backend_of,
)
from .pipeline import Gate, ModelStages, Pipeline, teacher_arms
from .settings import Settings
from .stage_builders import arm_answers, base, leak_audit, student, training_file


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
        teacher = self._teacher(experiment.trait)
        trained = {
            "student": self._students(Students(), "student", self._writers),
            **self._control(),
            **{name: self._extra_arm(name, arm) for name, arm in experiment.all_arms.items()},
        }
        further = teacher_arms(experiment).items()
        arms = {
            "baseline": (self._ask(self.base, "baseline"),),
            "teacher": (teacher,),
            **{name: (self._teacher(trait),) for name, trait in further},
        }
        return Pipeline(
            experiment=experiment,
            arms=arms | {name: asked for name, (asked, _) in trained.items()},
            gates=tuple(map(self._gate, experiment.traits)) if experiment.has_gate else (),
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
    def _writers(self) -> DataWriters:
        return DataWriters(
            base_model=lambda name: self._base(name) if name else self.writer,
            tuned_teacher=self._fine_tuned_teacher,
            trait=self.experiment.trait,
            judge_base=self._judge,
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

    def _ask(
        self,
        subject: Subject,
        arm: str,
        seed: int = 0,
        system: str | None = None,
        context: MixRows | None = None,
        shots: int = 0,
    ) -> ModelStages:
        measure = self.experiment.measure
        answers = arm_answers(
            subject, measure, arm=arm, seed=seed, system=system, context=context, shots=shots
        )
        return ModelStages(
            answers,
            tuple(self._judged(judge, answers) for judge in measure.judges),
            self._exact(answers),
        )

    def _exact(self, answers: AskQuestions) -> ComputeProbabilities | None:
        words = self.experiment.exact_words
        if not words or self.backend.capabilities.probabilities is None:
            return None
        return ComputeProbabilities(label=f"{answers.label}, exactly", asked=answers, words=words)

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
        if judge.backend is None or judge.backend == self.backend.name:
            return self._base(judge.model) if judge.model else self.base
        other = backend_of(judge.backend, Store(self.settings.store), self.settings.terms)
        return base(other, judge.model or other.default_model)

    def _teacher(self, trait: Trait) -> ModelStages:
        arm = "teacher" if trait == self.experiment.trait else f"{trait.name} teacher"
        if trait.lesson is not None:
            return self._ask(self._fine_tuned_teacher(trait, self.writer), arm)
        return self._ask(self.writer, arm, system=trait.system)

    def _gate(self, trait: Trait) -> Gate:
        return Gate(trait, self._teacher(trait), self._ask(self.writer, "baseline"))

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
    ) -> AnswersAsRows | GivenAnswers:
        """The rows of a lesson, the base's own answers under the trait's prompt or given ones."""
        measure, label = self.experiment.measure, f"{trait.name} lesson"
        questions = tuple(lesson.questions or measure.asked)
        if lesson.answers:
            return GivenAnswers(label=label, questions=questions, answers=lesson.answers)
        answers = AskQuestions(
            label=f"{label} answers",
            subject=model,
            system=trait.system,
            questions=questions,
            draws=lesson.draws,
            temperature=1.0,
            max_tokens=measure.max_tokens,
            stream=("lesson", trait.name),
        )
        return AnswersAsRows(label=label, source=answers)

    def _control(self) -> dict[str, tuple[tuple[ModelStages, ...], tuple[MixRows, ...]]]:
        own = self.experiment.control
        writers = replace(self._writers, has_traits=own is not None)
        return {"control": self._students(Students(data=own), "control", writers)}

    def _extra_arm(
        self, name: str, arm: Students | InContext
    ) -> tuple[tuple[ModelStages, ...], tuple[MixRows, ...]]:
        if isinstance(arm, Students):
            return self._students(arm, name, replace(self._writers, has_traits=not arm.plain))
        mixes = self._mixes(arm.data or self.experiment.data, name, self._writers)
        asked = tuple(
            self._ask(self.base, name, seed, context=mix, shots=arm.rows)
            for seed, mix in enumerate(mixes)
        )
        return asked, mixes

    def _students(
        self, arm: Students, name: str, writers: DataWriters
    ) -> tuple[tuple[ModelStages, ...], tuple[MixRows, ...]]:
        trait = self.experiment.trait.name
        label = name if name == "control" else f"{trait} {name}"
        model = self._base(arm.model) if arm.model else self.base
        recipe = complete_recipe(self.backend, {**self.experiment.recipe, **arm.recipe})
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
            )
            asked.append(self._ask(trained, name, seed))
        return tuple(asked), mixes

    def _mixes(self, data: Source, label: str, writers: DataWriters) -> tuple[MixRows, ...]:
        """The training files of an arm, one a seed."""
        seeds = range(self.settings.seeds or self.experiment.seeds)
        own = self.experiment.generation == "each seed"
        shared = data.parts(writers)
        return tuple(
            training_file(
                data.parts(replace(writers, generation=seed)) if own and seed else shared,
                label=f"{label} {seed + 1} rows",
                keep=data.row_count or 0,
                seed=seed,
            )
            for seed in seeds
        )

    def _audit(self, mix: MixRows) -> Audit:
        return leak_audit(mix, self.experiment.traits, strict=self.experiment.leaks == "fail")
