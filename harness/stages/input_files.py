"""Files that a person hands over: those that a stage of the store left, and any others."""

import hashlib
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ...datasets.errors import DataError, StoreError
from .row_log import write_rows
from .rows import KEPT, TRAINING, RowsStage, TrainingFileStage
from .stage import Workspace
from .store import Manifest
from .user_rows import read_user_rows

if TYPE_CHECKING:
    from ...datasets.chat import Conversation


@dataclass(frozen=True, kw_only=True)
class InputFile(RowsStage, TrainingFileStage):
    """Rows or a training file from a person's hand."""

    lines: int = field(default=0, compare=False)
    sample: "tuple[tuple[Conversation, ...], int]" = field(default=((), 0), compare=False)
    """Some prompts that stand for all, and tokens an answer at most."""

    @property
    def count(self) -> int:
        return self.lines

    def probe(self) -> "tuple[tuple[Conversation, ...], int]":
        return self.sample


@dataclass(frozen=True, kw_only=True)
class StoredFile(InputFile):
    """Stands for a finished stage of the store: it has that one's kind and key."""

    kind = "known"
    of: str
    """The kind of the stage it stands for."""
    known: str
    """The key of it."""

    def __post_init__(self) -> None:
        self.__dict__.update(kind=self.of, key=self.known)  # the class's own give way

    def told(self, workspace: Workspace) -> str:
        manifest = workspace.manifest(self)
        if "reasons" not in manifest:
            return ""
        reasons = ", ".join(f"{name} {count:,}" for name, count in manifest["reasons"].items())
        return (
            f"of {manifest['counts']['read']:,} rows the filter {manifest['rule']!r} kept "
            f"{manifest['counts']['kept']:,} (dropped: {reasons or 'none'})"
        )

    def run(self, workspace: Workspace) -> Manifest:
        raise StoreError(
            f"the {self.kind} {self.label!r} ({self.key}) is no longer in the store: "
            f"make its file again"
        )


@dataclass(frozen=True, kw_only=True)
class UserFile(InputFile):
    """A file that no stage of the store left; it is taken over into the store."""

    kind = "given"
    file: Path = field(compare=False)
    digest: str
    name: str
    """What the stage that reads it takes it for: ``rows.jsonl``, say."""

    def identity(self) -> dict[str, str]:
        return {"sha256": self.digest, "name": self.name}

    def run(self, workspace: Workspace) -> Manifest:
        copy = workspace.folder / self.name
        shutil.copyfile(self.file, copy)
        if digest_of(copy) != self.digest:
            raise DataError(f"{self.file} has been changed since it was read: run this again")
        if self.name != TRAINING:
            write_rows(copy, list(read_user_rows(copy, answered=self.name == KEPT)))
        return {"counts": {"rows": self.lines}, "from": self.file.name}


def digest_of(file: Path) -> str:
    """The SHA-256 of a file, as manifests have it."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
