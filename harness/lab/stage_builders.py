"""Stages that a spec and a step command both make: one function each, so that their keys agree."""

from collections.abc import Iterable
from fractions import Fraction

from ...backends import Backend, Recipe
from ..experiment import InspectTask, Measure, Trait, merge_parts
from ..stages import (
    AskQuestions,
    Audit,
    Base,
    FineTune,
    MixRows,
    RowsStage,
    RunInspectTask,
    Subject,
    TrainingFileStage,
    TrainingObjective,
    hashed_function,
)


def base(backend: Backend, model: str) -> Base:
    """A base model as a stage; raises :class:`~limen.UnknownModelError`."""
    known = backend.describe(model)
    return Base(
        label=known.name, backend=backend.name, model=known.name, fingerprint=known.fingerprint
    )


def arm_answers(
    subject: Subject,
    measure: Measure,
    *,
    arm: str,
    seed: int = 0,
    system: str | None = None,
    context: TrainingFileStage | None = None,
    shots: int = 0,
) -> AskQuestions:
    """A model's answers to a measure, as one of the models of an arm.

    ``arm`` and ``seed`` (the model's number in the arm) name the random streams of its draws.
    ``context`` gives the first ``shots`` rows that are shown before each question.
    """
    name = arm if isinstance(subject, Base) else subject.label
    return AskQuestions(
        label=f"{name} answers",
        subject=subject,
        system=joined_system(measure.system, system),
        questions=measure.prompts,
        draws=measure.draws,
        temperature=measure.temperature,
        max_tokens=measure.max_tokens,
        stream=("measure", measure.seed, arm, seed),
        context=context,
        shots=shots,
        top_p=measure.top_p,
        history=measure.history,
        begin=measure.begin,
        chat=measure.chat,
    )


def inspect_run(measure: InspectTask, asked: AskQuestions) -> RunInspectTask:
    """An Inspect task run against the model that would be asked."""
    task = measure.task if isinstance(measure.task, str) else hashed_function("task", measure.task)
    return RunInspectTask(
        label=asked.label.replace("answers", measure.name),
        subject=asked.subject,
        system=asked.system,
        task=task,
        source=measure.source,
        arguments=tuple(sorted(measure.args.items())),
        limit=measure.limit,
        seed=measure.seed,
    )


def joined_system(measure: str | None, trait: str | None) -> str | None:
    """The system prompt of an arm: the measure's, then that of a prompted teacher."""
    given = [text for text in (measure, trait) if text is not None]
    return "\n\n".join(given) if given else None


def training_file(
    parts: Iterable[tuple[RowsStage, Fraction]], *, label: str, keep: int, seed: int
) -> MixRows:
    """The training file of one student: ``keep`` rows of the parts, by their shares."""
    return MixRows(label=label, sources=merge_parts(parts), keep=keep, seed=seed)


def student(
    model: Base,
    data: TrainingFileStage,
    *,
    label: str,
    recipe: Recipe,
    seed: int,
    audits: tuple[Audit, ...] = (),
    objective: TrainingObjective | None = None,
    after: FineTune | None = None,
) -> FineTune:
    """A model fine-tuned on a training file; ``recipe`` has all settings of the backend."""
    return FineTune(
        label=label,
        base=model,
        data=data,
        recipe=recipe,
        seed=seed,
        audits=audits,
        objective=objective,
        after=after,
    )


def leak_audit(data: TrainingFileStage, traits: Iterable[Trait], *, strict: bool) -> Audit:
    """What searches a training file for words that give the traits away."""
    words = tuple(dict.fromkeys(word for trait in traits for word in trait.leak_words))
    return Audit(label=f"{data.label} audit", data=data, words=words, strict=strict)
