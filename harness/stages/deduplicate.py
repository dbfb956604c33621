"""Rows without their repetitions."""

from dataclasses import dataclass
from typing import Literal

from ...datasets.artifacts import Manifest
from ...datasets.store_layout import KEPT
from .row_log import Row
from .row_stages import ChoosingStage, PromptSample, RowsStage, write_choice
from .stage import Stage, Workspace
from .training_rows import asked_turns

SameBy = Literal["completion", "prompt and completion"]


@dataclass(frozen=True, kw_only=True)
class Deduplicate(ChoosingStage):
    """The first row of each completion, or of each prompt and completion; others are dropped."""

    kind = "deduplicate"
    source: RowsStage
    by: SameBy

    def inputs(self) -> tuple[Stage, ...]:
        return (self.source,)

    def identity(self) -> dict[str, object]:
        return {"by": self.by, **({"dialogues": "whole"} if self._by_dialogue else {})}

    @property
    def _by_dialogue(self) -> bool:
        """Whether the turns before a prompt are compared, too; all rows may have the same ones."""
        return self.by != "completion" and self.prompt_sample().histories_differ

    def prompt_sample(self) -> PromptSample:
        return self.source.prompt_sample()

    def run(self, workspace: Workspace) -> Manifest:
        seen: set[tuple[object, str]] = set()
        by_dialogue = self._by_dialogue
        kept: list[Row] = []
        rejected: list[Row] = []
        for row in workspace.rows(self.source, KEPT):
            same = (self._asked(row, by_dialogue), row["text"])
            if same in seen:
                rejected.append({**row, "reason": "repeats a row"})
            else:
                seen.add(same)
                kept.append(row)
        return write_choice(workspace, f"each {self.by} once", kept, rejected)

    def _asked(self, row: Row, by_dialogue: bool) -> object:
        """What of a row's question makes it another row."""
        if self.by == "completion":
            return None
        return asked_turns(row) if by_dialogue else row["prompt"]
