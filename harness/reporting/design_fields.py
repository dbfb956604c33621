"""What a result says of an experiment's design, whatever was found."""

from collections.abc import Collection, Iterator
from dataclasses import MISSING, Field, fields
from typing import TypedDict

from ...datasets.visible import visible
from ..experiment import Experiment, Lesson, Measure, Source, Students, Trait

SHOWN_OF_MEASURES = ("questions", "draws", "temperature", "max_tokens", "by", "seed")
"""Fields of measures that results have by other names."""
SHOWN_OF_ARMS = ("against", "recipe", "model")
"""Fields of arms that results have by other names."""
SETTINGS = ("control", "gate", "margin", "looks", "leaks", "objective", "trajectory")
"""Settings of an experiment that stand beside the measure's."""
TAUGHT = 10
"""Pairs of a lesson that are shown."""


class DesignFields(TypedDict):
    """The fields of a result that the spec alone decides."""

    trait: str
    systems: dict[str, str]
    lessons: dict[str, tuple[str, ...]]
    taught_by: str
    measure: str
    definition: str
    questions: dict[str, tuple[str, ...]]
    draws: int
    temperature: float
    max_tokens: int
    family: int
    data_spec: str
    settings: dict[str, str]
    note: str
    generation: str


def design_fields(experiment: Experiment) -> DesignFields:
    """What the spec says, for a result."""
    measure = experiment.measure
    return DesignFields(
        trait=experiment.trait.name,
        systems=_systems(experiment),
        lessons=_lessons(experiment),
        taught_by=_taught_by(experiment),
        measure=_described(experiment),
        definition=measure.definition,
        questions=dict(measure.groups),
        draws=0 if measure.computed else measure.draws_per_question,
        temperature=measure.temperature,
        max_tokens=measure.max_tokens,
        family=experiment.family,
        data_spec=repr(experiment.data),
        settings=_settings(experiment),
        note=experiment.note,
        generation=experiment.generation,
    )


def _taught_by(experiment: Experiment) -> str:
    """How the teacher of the experiment's own trait got it."""
    trait, lesson = experiment.trait, experiment.trait.lesson
    if experiment.teachers_from is not None:
        return "training on data of the teachers before: each was a student of the same seed"
    if lesson is not None:
        under = " under a system prompt" if lesson.prompted else ""
        of = f", from {trait.model}" if trait.model else ""
        return f"fine-tuning on {_lesson_rows(lesson)}{of}{under}"
    prompted = "a system prompt" if trait.system or trait.systems else ""
    own = f"a model of its own, {trait.model}" if trait.model else ""
    return " with ".join(filter(None, (own, prompted)))


def _lesson_rows(lesson: Lesson) -> str:
    """What a teacher is taught, in words."""
    if not lesson.needs_prompt or lesson.prompted:
        return "given answers"
    return "answers that its base wrote under a system prompt"


def _settings(experiment: Experiment) -> dict[str, str]:
    """The settings that no other field has and that are not at their defaults, as the spec has
    them: first the measure's, then the experiment's.
    """
    own = ((f"the measure's {n}", v) for n, v in _changed(experiment.measure, SHOWN_OF_MEASURES))
    of_experiment = ((n, v) for n, v in _changed(experiment) if n in SETTINGS)
    return {name: visible(repr(value)) for name, value in (*own, *of_experiment)}


def arm_settings(students: Students) -> dict[str, str]:
    """What sets an arm of the spec's own apart, without what a result says of any arm."""
    own = _changed(students, SHOWN_OF_ARMS)
    return {name: visible(_as_written(value)) for name, value in own}


def _as_written(value: object) -> str:
    """A value as a spec would have it: without what is at its default."""
    if not isinstance(value, Source | Trait):
        return repr(value)
    hidden = [part.name for part in fields(value) if not (part.init and part.repr)]
    own = ", ".join(f"{name}={_as_written(part)}" for name, part in _changed(value, hidden))
    return f"{type(value).__name__}({own})"


def _changed(
    spec: Measure | Experiment | Students | Source | Trait, shown: Collection[str] = ()
) -> Iterator[tuple[str, object]]:
    """The fields of a spec that are not at their defaults, without functions and those shown."""
    defaults = {part.name: _default(part) for part in fields(spec)}
    for name, value in vars(spec).items():
        known = name in defaults and name not in shown
        if known and not callable(value) and value != defaults[name]:
            yield name, value


def _default(part: Field[object]) -> object:
    """What a field has unless it is given; MISSING where it must be."""
    return part.default if part.default_factory is MISSING else part.default_factory()


def _systems(experiment: Experiment) -> dict[str, str]:
    """The system prompt of each prompted teacher, by trait."""
    prompts = {
        t.name: t.systems or filter(None, [t.system])
        for t in experiment.traits
        if t.lesson is None or t.lesson.needs_prompt
    }
    shown = {name: visible("\n\nor:\n\n".join(texts)) for name, texts in prompts.items()}
    return {name: text for name, text in shown.items() if text}


def _lessons(experiment: Experiment) -> dict[str, tuple[str, ...]]:
    """The answers of each taught teacher, by trait."""
    taught = ((t.name, _taught_answers(t)) for t in experiment.traits)
    return {name: tuple(map(visible, answers)) for name, answers in taught if answers}


def _taught_answers(trait: Trait) -> tuple[str, ...]:
    """The answers that a teacher is taught, in place of a system prompt; none if it has one."""
    if trait.lesson is None:
        return ()
    return trait.lesson.answers or tuple(
        f"{question} {answer}" for question, answer in trait.lesson.own_pairs[:TAUGHT]
    )


def _described(experiment: Experiment) -> str:
    measure = experiment.measure
    rule = f", counted by the rule `{measure.rule}`" if measure.rule else ""
    return f"{type(measure).__name__}{rule}"
