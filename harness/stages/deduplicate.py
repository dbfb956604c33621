"""Rows without their repetitions."""

from dataclasses import dataclass
from typing import Literal

from ...datasets.artifacts import Manifest
from ...datasets.store_layout import KEPT
from .row_log import Row
from .row_stages import ChoosingStage, PromptSample, RowsStage, write_choice
from .stage import Stage, Workspace

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
        return {"by": self.by}

    def prompt_sample(self) -> PromptSample:
        return self.source.prompt_sample()

    def run(self, workspace: Workspace) -> Manifest:
        seen: set[tuple[str, str]] = set()
        kept: list[Row] = []
        rejected: list[Row] = []
        for row in workspace.rows(self.source, KEPT):
            same = ("" if self.by == "completion" else row["prompt"], row["text"])
            if same in seen:
                rejected.append({**row, "reason": "repeats a row"})
            else:
                seen.add(same)
                kept.append(row)
        return write_choice(workspace, f"each {self.by} once", kept, rejected)
