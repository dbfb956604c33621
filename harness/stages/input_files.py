"""Input files: those that a stage of the store left, and files from elsewhere."""

import shutil
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ...datasets.artifacts import Manifest
from ...datasets.errors import DataError, StoreError
from ...datasets.record_files import content_digest
from ...datasets.row_forms import RECOGNISED, RowColumns, read_rows_of
from ...datasets.row_reader import Row
from ...datasets.store_layout import KEPT, TRAINING
from .prompts import SAMPLE_SIZE
from .row_log import write_rows
from .row_stages import PromptSample, RowsStage, TrainingFileStage, filter_summary
from .stage import Workspace
from .training_rows import conversation_of, write_training_rows

if TYPE_CHECKING:
    from ...datasets.chat import Conversation


@dataclass(frozen=True, kw_only=True)
class InputFile(RowsStage, TrainingFileStage):
    """Rows or a training file that a step command was given."""

    lines: int = field(default=0, compare=False)
    sample: PromptSample = field(default=PromptSample((), 0), compare=False)
    """Some prompts that stand for all, and tokens of an answer at most."""

    @property
    def count(self) -> int:
        return self.lines

    def prompt_sample(self) -> PromptSample:
        return self.sample


@dataclass(frozen=True, kw_only=True)
class StoredFile(InputFile):
    """Stands for a finished stage of the store, with the kind and the key of that stage."""

    kind: str
    stored_key: str
    """The key of the stage that it stands for."""

    @property
    def key(self) -> str:
        return self.stored_key

    def identity(self) -> dict[str, object]:
        raise StoreError(f"the {self.kind} {self.key} is known by its key alone")

    def shortage(self, workspace: Workspace) -> str:
        return filter_summary(workspace.manifest(self))

    def run(self, workspace: Workspace) -> Manifest:
        raise StoreError(
            f"the {self.kind} {self.label!r} ({self.key}) is no longer in the store: "
            f"make its file again"
        )


@dataclass(frozen=True, kw_only=True)
class UserFile(InputFile):
    """A file that no stage of the store left; it is copied into the store."""

    kind = "given"
    file: Path = field(compare=False)
    digest: str
    name: str
    """The name of the artifact's file that it stands for, such as ``rows.jsonl``."""
    columns: RowColumns = RECOGNISED
    """Where its prompts and answers stand, as far as that was given."""
    system: str | None = None
    """The column of system prompts that the rows are under, if earlier versions left it out."""

    def identity(self) -> dict[str, object]:
        given = self.columns.identity
        known = {"columns": given, "system": self.system}
        return {
            "sha256": self.digest,
            "name": self.name,
            **{name: value for name, value in known.items() if value},
        }

    def run(self, workspace: Workspace) -> Manifest:
        copy = workspace.folder / self.name
        plain = self.name == TRAINING and is_training_file(self.file)
        if plain:
            shutil.copyfile(self.file, copy)
        table = None if plain else read_rows_of(
            self.file, self.columns, answered=self.name in (KEPT, TRAINING)
        )  # fmt: skip
        if content_digest(self.file) != self.digest:
            raise DataError(f"{self.file} has been changed since it was read: run this again")
        if table is not None and self.name == TRAINING:
            write_training_rows(copy, table.rows)
        elif table is not None:
            write_rows(copy, table.rows)
        return {"counts": {"rows": self.lines}, "from": self.file.name}


def sample_of(rows: Iterable[Row]) -> tuple[int, PromptSample]:
    """How many rows, the first prompts, the bytes of the longest answer, and how rows differ.

    No answer has more tokens than bytes.
    """
    lines, longest = 0, 0
    prompts: list[Conversation] = []
    answers: list[str] = []
    numbers: set[tuple[int, int]] = set()
    first: object = None
    differ = False
    for row in rows:
        before = row.get("history") or []
        first = before if lines == 0 else first
        differ = differ or before != first
        lines += 1
        numbers.add((row["row"], row["draw"]))
        longest = max(longest, len((row["text"] or "").encode("utf-8", "surrogatepass")))
        if len(prompts) < SAMPLE_SIZE:
            prompts.append(conversation_of(row)[:-1])
            answers.append(row["text"] or "")
    repeat = len(numbers) < lines
    return lines, PromptSample(tuple(prompts), longest, differ, repeat, tuple(answers))


def is_training_file(file: Path) -> bool:
    """Whether a file is chat JSONL already, with nothing but conversations."""
    from ...datasets import chat

    try:
        return file.is_file() and sum(1 for _ in chat.read(file)) > 0
    except (DataError, UnicodeDecodeError):
        return False
