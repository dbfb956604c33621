"""Files of answers as models: what the store knows of a file, else what the file itself says."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ...datasets import words
from ..answers import AnswerColumns, AnsweredModel, QuestionIds, read_models
from ..lab import stored_answers
from ..stages import FineTune, Manifest, Store, UserFile
from .input_files import ancestors, stages_that_left

ANSWERS = "answers.jsonl"


@dataclass(frozen=True)
class StudentOrigin:
    """Where a student is from."""

    how: str
    """Its base model and recipe."""
    data: str
    """The key of its training file."""
    sources: str
    """What that file was sampled from; of a person's own file nobody knows."""


@dataclass(frozen=True, kw_only=True)
class AnswerFile:
    """One model's answers, and what the store knows of the model."""

    file: Path
    model: AnsweredModel
    arm: str | None = None
    """The arm that it was measured for; None of a file that is not the store's."""
    student: StudentOrigin | None = None
    """Where it is from; None if it was not trained, or that is unknown."""
    writers: tuple[str, ...] = ()
    """The system prompts under which its training data were written."""


@dataclass(frozen=True, kw_only=True)
class AnswerReader:
    """Reads files of answers, all of one comparison with the same columns and ids."""

    store: Store
    columns: AnswerColumns
    ids: QuestionIds
    by_model: bool = True
    """Whether a column of models tells models apart; else every file is one model."""

    def read(self, file: Path, where: Mapping[str, str]) -> tuple[list[AnswerFile], str]:
        """The models of a file, and a line that says how it was understood.

        Raises :class:`~limen.DataError` for a file without answers.
        """
        plain = not where and self.columns == AnswerColumns()
        stages = stages_that_left(self.store, file, ANSWERS) if plain else []
        if stages:
            known = _known(self.store, file, stages[0])
            questions, draws = len(known.model.questions), known.model.draws_a_question
            line = f"{file}: {known.arm} of this store, {questions} questions x {draws} draws"
            return [known], line
        models, line = read_models(
            file, str(file), self.columns, where, self.ids, by_model=self.by_model
        )
        return [AnswerFile(file=file, model=model) for model in models], line


def _known(store: Store, file: Path, manifest: Manifest) -> AnswerFile:
    subject = manifest["inputs"][0]
    trained = subject["kind"] == FineTune.kind
    prompts = (a.get("identity", {}).get("system") for a in ancestors(store, manifest))
    stored = stored_answers(store, manifest)
    return AnswerFile(
        file=file,
        model=AnsweredModel(
            source=str(file),
            name=subject["key"],
            answers=dict(zip(manifest["questions"], stored.counts, strict=True)),
            missing=stored.missing,
        ),
        arm=str(manifest["identity"]["stream"][2]),
        student=_student(store, subject["key"]) if trained else None,
        writers=tuple(prompt for prompt in prompts if prompt),
    )


def names_of(treated: Sequence[AnswerFile], reference: Sequence[AnswerFile]) -> tuple[str, str]:
    """The names of the two arms, if every model of a side has the same, and the sides differ."""
    one, other = ({file.arm for file in side} for side in (treated, reference))
    if len(one) == len(other) == 1 and one != other:
        first, second = one.pop(), other.pop()
        if first and second:
            return first, second
    return "treated", "reference"


def trait_word(side: Sequence[AnswerFile], word: str | None) -> str:
    """The word, if it shows a trait that the training data of a side were written with."""
    prompts = [prompt for file in side for prompt in file.writers]
    return word if word and any(words.has_word(prompt, word) for prompt in prompts) else ""


def trained(side: Sequence[AnswerFile]) -> bool:
    """Whether all models of a side are students that the store knows."""
    return all(one.student for one in side)


def obstacles(treated: Sequence[AnswerFile], reference: Sequence[AnswerFile]) -> Iterator[str]:
    """Why nothing can be said of training, however many students there are."""
    if len({one.student.how for one in (*treated, *reference) if one.student}) > 1:
        yield "the students differ in base model or recipe"
    for side in (treated, reference):
        if len({one.student.sources for one in side if one.student}) > 1:
            yield f"the students of {side[0].file} and of others beside it learned different data"


def remarks(treated: Sequence[AnswerFile], reference: Sequence[AnswerFile]) -> Iterator[str]:
    """What is to be said beside the figures."""
    for why in obstacles(treated, reference):
        yield f"no claim about training, since {why}"
    for side in (treated, reference):
        strangers = [one.file for one in side if one.arm is None]
        if strangers:
            yield f"no claim about training, since {strangers[0]} is no file of this store's"
        files = [one.student.data for one in side if one.student]
        if len(set(files)) < len(files):
            yield (
                f"several students of {side[0].file}'s side share a training file: what varies "
                f"by sampling it is not in their spread"
            )


def _student(store: Store, key: str) -> StudentOrigin:
    """Where a student is from."""
    made = store.manifest(FineTune.kind, key) or {}
    base, data = made["inputs"]
    mix = store.manifest(data["kind"], data["key"]) or {}
    sampled = {name: value for name, value in mix.get("identity", {}).items() if name != "seed"}
    own = data["kind"] == UserFile.kind
    return StudentOrigin(
        how=json.dumps([base["key"], made["identity"]["recipe"]], sort_keys=True),
        data=data["key"],
        sources="own" if own else json.dumps([sampled, mix.get("inputs")], sort_keys=True),
    )
