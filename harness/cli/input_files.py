"""Files and models named on the command line: which stage of the store left them, if any did.

A file is recognised by its hash, whatever its name and folder. So step commands continue from what
a pytest run has finished, and a pytest run from what they have.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from ...datasets import filters
from ...datasets.errors import SpecError, StoreError
from ...datasets.record_files import content_digest
from ...datasets.row_forms import RowColumns, RowTable, read_rows_of
from ..stages import (
    KEPT,
    ROWS,
    SAMPLE_SIZE,
    TRAINING,
    Base,
    FineTune,
    InputFile,
    Manifest,
    OnPolicyTeacher,
    PromptSample,
    Row,
    Stage,
    Store,
    StoredFile,
    TrainingObjective,
    UserFile,
    conversation_of,
    is_training_file,
    sample_of,
)
from .echo import echo

if TYPE_CHECKING:
    from ...datasets.chat import Conversation

S = TypeVar("S", bound=Stage)


def stages_that_left(store: Store, file: Path, name: str) -> list[Manifest]:
    """The stages of the store that left a file of these bytes under a name."""
    digest = content_digest(file)
    return [
        manifest
        for manifest in store.manifests()
        if manifest["files"].get(name, {}).get("sha256") == digest
        and manifest["kind"] != UserFile.kind
    ]


def stages_for_file(
    store: Store, file: Path, name: str, columns: RowColumns | None = None
) -> list[InputFile]:
    """What a file can stand for, as the input of a stage that reads a file of that name.

    The stages of the store that left it; if there is none, the file itself, whose every line is
    checked first, and of which is said how it was understood. ``columns`` are those that were named
    by options: with any, the file is read by them whatever left it. Raises
    :class:`~limen.DataError`, naming the line, where the format is broken, and
    :class:`~limen.SpecError` for columns that are missing or ambiguous.
    """
    wanted = columns or RowColumns()
    left = () if wanted.identity else stages_that_left(store, file, name)
    stored: list[InputFile] = [_stored(store, manifest, name) for manifest in left]
    return stored or [_given(file, name, wanted)]


def unfiltered_note(store: Store, file: Path, stage: Stage, name: str) -> str | None:
    """What to say of a file that no filter of the store left; None if one did."""
    if not isinstance(stage, UserFile):
        return None
    if name == TRAINING:
        return (
            f"{file} was not made by `limen mix` in this store: whether its rows were filtered is "
            f"not known"
        )
    if stages_that_left(store, file, ROWS):
        return (
            f"{file} has all rows as the model wrote them, unfiltered: `limen filter` drops those "
            f"that are more than plain numbers"
        )
    rows = read_rows_of(file, stage.columns, answered=True).rows
    dropped = Counter(filter(None, (filters.reject_reason(row["text"]) for row in rows)))
    reasons = ", ".join(f"{reason} {count:,}" for reason, count in sorted(dropped.items()))
    return (
        f"{file} was not filtered in this store: the rule 'paper' would drop {dropped.total():,} "
        f"of {stage.count:,} rows{f' ({reasons})' if reasons else ''}"
    )


def finished_or_first(store: Store, stages: Iterable[S]) -> S:
    """Of stages that do the same, one that is done already; the first if none is."""
    choices = list(stages)
    return next((s for s in choices if store.has(s.kind, s.key)), choices[0])


def _stored(store: Store, manifest: Manifest, name: str) -> StoredFile:
    kind, key = manifest["kind"], manifest["key"]
    counts = manifest["counts"]
    lines = next((counts[n] for n in ("rows", "kept", "completions") if n in counts), 0)
    first = islice(_exchanges(store.rows(kind, key, name), name), SAMPLE_SIZE)
    sample = _sample(first)[1]
    if name == KEPT:  # how its rows differ, which the first ones do not show
        whole = sample_of(store.rows(kind, key, name))[1]
        repeat, differ = whole.numbers_repeat, whole.histories_differ
        sample = sample._replace(numbers_repeat=repeat, histories_differ=differ)
    return StoredFile(
        label=manifest["label"], kind=kind, stored_key=key, lines=lines, sample=sample
    )


def _given(file: Path, name: str, columns: RowColumns) -> UserFile:
    from ...datasets import chat

    digest = content_digest(file)
    if name == TRAINING and not columns.identity and is_training_file(file):
        conversations = chat.read(file)
        lines, sample = _sample((turns[:-1], turns[-1]["content"]) for turns in conversations)
        system = None
    else:
        table = read_rows_of(file, columns, answered=name in (KEPT, TRAINING))
        _say(file, table)
        lines, sample = sample_of(table.rows)
        system = table.system
    return UserFile(
        label=file.name,
        file=file,
        digest=digest,
        name=name,
        columns=columns,
        lines=lines,
        sample=sample,
        system=system,
    )


def _say(file: Path, table: RowTable) -> None:
    """Say how a file of somebody else's was understood."""
    echo(f"limen: {file}: {table.understood}", err=True)


def _exchanges(rows: Iterable[Row], name: str) -> "Iterator[tuple[Conversation, str]]":
    """What is asked and what is answered, row by row."""
    for row in rows:
        if name == TRAINING:
            yield row["messages"][:-1], row["messages"][-1]["content"]
        else:
            yield conversation_of(row)[:-1], row["text"] or ""


def _sample(
    exchanges: "Iterable[tuple[Conversation, str]]",
) -> tuple[int, PromptSample]:
    """How many exchanges, the first prompts, and the bytes of the longest answer.

    No answer has more tokens than bytes.
    """
    lines, longest = 0, 0
    prompts: list[Conversation] = []
    answers: list[str] = []
    for asked, answer in exchanges:
        lines += 1
        longest = max(longest, len(answer.encode("utf-8", "surrogatepass")))
        if len(prompts) < SAMPLE_SIZE:
            prompts.append(asked)
            answers.append(answer)
    return lines, PromptSample(tuple(prompts), longest, answers=tuple(answers))


def student(store: Store, key: str) -> FineTune:
    """The finished fine-tuning of a key, as the stage that it was.

    Raises :class:`~limen.StoreError` if the store has it not.
    """
    made = store.finished(FineTune.kind, key)
    of_base, of_data, *others = made["inputs"]
    before = made["identity"].get("after")
    base = store.finished(of_base["kind"], of_base["key"])
    name = made["label"]
    stage = FineTune(
        label=name,
        base=Base(label=base["label"], **base["identity"]),
        data=_stand_in(f"{name} rows", of_data),
        recipe=made["identity"]["recipe"],
        seed=made["identity"]["seed"],
        objective=_objective(made["identity"], [_stand_in(name, given) for given in others]),
        after=student(store, before) if before else None,
    )
    if stage.key != key:
        raise StoreError(f"the fine-tuning {key} was made by another version of limen: train anew")
    return stage


def _stand_in(label: str, given: Manifest) -> StoredFile:
    """Stands for an input of a finished stage."""
    return StoredFile(label=label, kind=given["kind"], stored_key=given["key"])


def _objective(identity: Manifest, others: Sequence[Stage]) -> TrainingObjective | None:
    """The objective of a finished fine-tuning: its targets and its teacher by their keys alone."""
    if "objective" not in identity:
        return None
    tokens = identity.get("answer tokens")
    return TrainingObjective(
        kind=identity["objective"],
        targets=others[0],
        beta=identity.get("beta"),
        teacher=None if tokens is None else OnPolicyTeacher(
            subject=others[1], system=None, characters="", max_tokens=tokens
        ),
    )  # fmt: skip


def student_of(store: Store, model: str) -> FineTune | None:
    """The fine-tuning in the store that made a model; None if there is none."""
    for manifest in store.manifests(FineTune.kind):
        if manifest["model"] == model:
            return student(store, manifest["key"])
    return None


def ancestors(store: Store, manifest: Manifest) -> Iterator[Manifest]:
    """The manifests of all inputs of an artifact, direct and indirect, that the store still has."""
    for given in manifest["inputs"]:
        parent = store.manifest(given["kind"], given["key"])
        if parent is not None:
            yield parent
            yield from ancestors(store, parent)


def read_json(file: Path) -> Row:
    """A JSON object from a file; raises :class:`~limen.SpecError` if there is none in it."""
    try:
        value = json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        raise SpecError(f"{file} cannot be read as JSON: {error}") from None
    if not isinstance(value, dict):
        raise SpecError(f"{file} is no JSON object")
    return value
