"""Shuffled numbers: a control for what the order of the numbers carries."""

from dataclasses import dataclass
from typing import Literal

from ...datasets.artifacts import Manifest
from ...datasets.store_layout import KEPT
from .row_log import write_rows
from .row_stages import PromptSample, RowsStage
from .stage import Stage, Workspace


@dataclass(frozen=True, kw_only=True)
class Shuffle(RowsStage):
    """Filtered rows with their numbers put in another order: a control for what order carries."""

    kind = "shuffle"
    source: RowsStage
    how: Literal["within", "across"]
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
        from ...datasets.shuffling import shuffled

        given = list(workspace.rows(self.source, KEPT))
        texts = shuffled(
            [row["text"] for row in given], across=self.how == "across", seed=self.seed
        )
        changed = ({**row, "text": text} for row, text in zip(given, texts, strict=True))
        count = write_rows(workspace.folder / KEPT, changed)
        return {"how": self.how, "counts": {"kept": count}}
