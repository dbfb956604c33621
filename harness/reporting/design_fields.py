"""What a result says of an experiment's design, whatever was found."""

from typing import TypedDict

from ...datasets.visible import visible
from ..experiment import Experiment, Trait

TAUGHT = 10
"""Pairs of a lesson that are shown."""


class DesignFields(TypedDict):
    """The fields of a result that the spec alone decides."""

    trait: str
    systems: dict[str, str]
    lessons: dict[str, tuple[str, ...]]
    measure: str
    definition: str
    questions: dict[str, tuple[str, ...]]
    draws: int
    temperature: float
    max_tokens: int
    family: int
    data_spec: str
    note: str
    generation: str


def design_fields(experiment: Experiment) -> DesignFields:
    """What the spec says, for a result."""
    measure = experiment.measure
    return DesignFields(
        trait=experiment.trait.name,
        systems=_systems(experiment),
        lessons=_lessons(experiment),
        measure=_described(experiment),
        definition=measure.definition,
        questions=dict(measure.groups),
        draws=0 if measure.computed else measure.draws_per_question,
        temperature=measure.temperature,
        max_tokens=measure.max_tokens,
        family=experiment.family,
        data_spec=repr(experiment.data),
        note=experiment.note,
        generation=experiment.generation,
    )


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
