"""Files that a person hands over: those that a stage of the store left, and any others."""

import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..stage import Bench
from ..store import Manifest
from .rowsets import Rows, TrainingFile

if TYPE_CHECKING:
    from ...datasets.chat import Conversation


@dataclass(frozen=True, kw_only=True)
class _Handed(Rows, TrainingFile):
    """Rows or a training file from a person's hand."""

    lines: int = field(default=0, compare=False)
    sample: "tuple[tuple[Conversation, ...], int]" = field(default=((), 0), compare=False)

    @property
    def count(self) -> int:
        return self.lines

    def probe(self) -> "tuple[tuple[Conversation, ...], int]":
        return self.sample


@dataclass(frozen=True, kw_only=True)
class Known(_Handed):
    """Stands for a finished stage of the store, found by the hash of its file."""

    kind: str = "known"  # type: ignore[misc]
    known: str = ""
    """The key of the stage it stands for."""

    @property
    def key(self) -> str:
        return self.known

    def run(self, bench: Bench) -> Manifest:
        raise LookupError(f"{self.kind} {self.known} is gone from the store")


@dataclass(frozen=True, kw_only=True)
class Given(_Handed):
    """A file that no stage of the store left; it is copied there."""

    kind = "given"
    file: Path = field(compare=False)
    digest: str
    name: str
    """What the stage that reads it takes it for: ``rows.jsonl``, say."""

    def identity(self) -> dict[str, Any]:
        return {"sha256": self.digest, "name": self.name}

    def run(self, bench: Bench) -> Manifest:
        shutil.copyfile(self.file, bench.folder / self.name)
        return {"counts": {"rows": self.lines}, "from": self.file.name}
