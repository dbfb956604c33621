"""Files of answers as arms: one file a model, whatever left it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ...datasets import words
from ...datasets.errors import SpecError
from ..experiment import FavoriteAnimal, FavoriteTree, Measure
from ..lab import (
    AnswerTable,
    Arm,
    ModelAnswers,
    TrainingOrigin,
    stored_answers,
    training_origin,
)
from ..stages import ANSWERS, FineTune, Manifest, Store, UserFile
from .input_files import ancestors, stages_that_left


@dataclass(frozen=True)
class AnswerFile:
    """One model's answers, and what the store knows of the model."""

    file: Path
    answers: ModelAnswers
    questions: tuple[str, ...]
    draws: int
    model: str
    """What tells the model from others: the key of its stage, or the hash of the file."""
    arm: str
    """The arm that it was measured for."""
    student: TrainingOrigin | None = None
    """Where it is from; None if it was not trained, or that is unknown."""
    writers: tuple[str, ...] = ()
    """The system prompts under which its training data were written."""


def stored_file(store: Store, file: Path) -> AnswerFile | None:
    """The answers in a file that a stage of the store left; None for any other file."""
    stages = stages_that_left(store, file, ANSWERS)
    return _known(store, file, stages[0]) if stages else None


def table_of(file: AnswerFile) -> AnswerTable:
    """The answers of a stored file by question, to compare with those of other files."""
    return AnswerTable(
        source=file.file.name,
        model=file.model,
        counts=dict(zip(file.questions, file.answers.counts, strict=True)),
        missing=file.answers.missing,
    )


def _known(store: Store, file: Path, manifest: Manifest) -> AnswerFile:
    subject = manifest["inputs"][0]
    trained = subject["kind"] == FineTune.kind
    prompts = (a.get("identity", {}).get("system") for a in ancestors(store, manifest))
    return AnswerFile(
        file=file,
        answers=stored_answers(store, manifest),
        questions=tuple(manifest["questions"]),
        draws=manifest["identity"]["draws"],
        model=subject["key"],
        arm=str(manifest["identity"]["stream"][2]),
        student=_student(store, subject["key"]) if trained else None,
        writers=tuple(prompt for prompt in prompts if prompt),
    )


def arm_of(
    files: Sequence[AnswerFile],
    word: str,
    *,
    name: str,
    family: int,
    trained: bool,
    margin: float | None = None,
) -> Arm:
    """The arm that some models' answers make; raises :class:`~limen.SpecError` if they cannot."""
    first = files[0]
    for other in files[1:]:
        if (other.questions, other.draws) != (first.questions, first.draws):
            raise SpecError(f"{first.file} and {other.file} answer different questions, or draws")
    _refuse_twins(files)
    shown = any(words.has_word(prompt, word) for one in files for prompt in one.writers)
    return Arm(
        name=name,
        measure=measure_of(first.questions, first.draws),
        models=tuple(one.answers for one in files),
        trained=trained,
        trait_word=word if shown else "",
        family=family,
        margin=margin,
    )


def measure_of(questions: tuple[str, ...], draws: int) -> Measure:
    """The measure that asks these questions: limen's own, or a plain one."""
    for kind in (FavoriteAnimal, FavoriteTree):
        if kind().asked == questions:
            return kind(draws=draws)
    return Measure(questions=questions, draws=draws)


def names_of(treated: Sequence[AnswerFile], reference: Sequence[AnswerFile]) -> tuple[str, str]:
    """The names of the two arms, if every model of a side has the same, and the sides differ."""
    one, other = ({file.arm for file in side} for side in (treated, reference))
    if len(one) == len(other) == 1 and one != other:
        first, second = one.pop(), other.pop()
        if first and second:
            return first, second
    return "treated", "reference"


def _refuse_twins(files: Sequence[AnswerFile]) -> None:
    """A model that counts twice would make the spread between models too small."""
    seen: dict[str, Path] = {}
    for one in files:
        if one.model in seen:
            raise SpecError(
                f"{seen[one.model]} and {one.file} are the same model's answers: every "
                f"model counts once"
            )
        seen[one.model] = one.file


def trained(side: Sequence[AnswerFile]) -> bool:
    """Whether all models of a side are students that the store knows."""
    return all(one.student for one in side)


def obstacles(treated: Sequence[AnswerFile], reference: Sequence[AnswerFile]) -> Iterator[str]:
    """Why nothing can be said of training, however many students there are."""
    if len({one.student.how for one in (*treated, *reference) if one.student}) > 1:
        yield "the students differ in base model, recipe or objective"
    for side in (treated, reference):
        if len({one.student.sources for one in side if one.student}) > 1:
            yield f"the students of {side[0].file} and of others beside it learned different data"


def stored_remarks(treated: Sequence[AnswerFile], reference: Sequence[AnswerFile]) -> Iterator[str]:
    """What is to be said beside the figures."""
    for why in obstacles(treated, reference):
        yield f"no claim about training, since {why}"
    for side in (treated, reference):
        files = [one.student.data for one in side if one.student]
        if len(set(files)) < len(files):
            yield (
                f"several students of {side[0].file}'s side share a training file: what varies "
                f"by sampling it is not in their spread"
            )


def _student(store: Store, key: str) -> TrainingOrigin:
    """Where a student is from; of a person's own file nobody knows what it was sampled from."""
    origin = training_origin(store, key)
    return replace(origin, sources="own") if origin.data_kind == UserFile.kind else origin
