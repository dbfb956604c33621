"""Shuffled rows: controls for what the order of numbers carries, and what prompts do."""

from dataclasses import dataclass
from typing import Literal

from ...datasets.artifacts import Manifest
from ...datasets.store_layout import KEPT
from .row_log import write_rows
from .row_stages import PromptSample, RowsStage
from .stage import Stage, Workspace

Shuffling = Literal["within", "across", "prompts"]


@dataclass(frozen=True, kw_only=True)
class Shuffle(RowsStage):
    """Filtered rows with their numbers in another order, or their texts at other prompts."""

    kind = "shuffle"
    source: RowsStage
    how: Shuffling
    seed: int

    def inputs(self) -> tuple[Stage, ...]:
        return (self.source,)

    def identity(self) -> dict[str, object]:
        return {"how": self.how, "seed": self.seed}

    def prompt_sample(self) -> PromptSample:
        return self.source.prompt_sample()

    def shortage(self, workspace: Workspace) -> str:
        return self.source.shortage(workspace)

    def run(self, workspace: Workspace) -> Manifest:
        given = list(workspace.rows(self.source, KEPT))
        texts = self._shuffled([row["text"] for row in given])
        changed = ({**row, "text": text} for row, text in zip(given, texts, strict=True))
        count = write_rows(workspace.folder / KEPT, changed)
        return {"how": self.how, "counts": {"kept": count}}

    def _shuffled(self, texts: list[str]) -> list[str]:
        from ...datasets.shuffling import at_other_prompts, shuffled

        if self.how == "prompts":
            return at_other_prompts(texts, seed=self.seed)
        return shuffled(texts, across=self.how == "across", seed=self.seed)
