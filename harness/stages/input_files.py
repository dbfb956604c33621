"""Input files: those that a stage of the store left, and files from elsewhere."""

import shutil
from dataclasses import dataclass, field
from pathlib import Path

from ...datasets.artifacts import Manifest, digest_of
from ...datasets.errors import DataError, StoreError
from ...datasets.store_layout import KEPT, TRAINING
from .row_log import write_rows
from .row_stages import PromptSample, RowsStage, TrainingFileStage, filter_summary
from .stage import Workspace
from .user_rows import read_user_rows


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

    def identity(self) -> dict[str, object]:
        return {"sha256": self.digest, "name": self.name}

    def run(self, workspace: Workspace) -> Manifest:
        copy = workspace.folder / self.name
        shutil.copyfile(self.file, copy)
        if digest_of(copy) != self.digest:
            raise DataError(f"{self.file} has been changed since it was read: run this again")
        if self.name != TRAINING:
            write_rows(copy, list(read_user_rows(copy, answered=self.name == KEPT)))
        return {"counts": {"rows": self.lines}, "from": self.file.name}
