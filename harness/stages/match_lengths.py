"""Rows as long as those of another set: a control for what their length carries."""

from dataclasses import dataclass
from typing import Literal

from ...datasets.artifacts import Manifest
from ...datasets.store_layout import KEPT
from .row_log import write_rows
from .row_stages import PromptSample, RowsStage
from .stage import Stage, Workspace

LengthUnit = Literal["numbers", "words", "characters"]


@dataclass(frozen=True, kw_only=True)
class MatchLengths(RowsStage):
    """One set's rows, cut and joined so that each is as long as a row of another set."""

    kind = "match"
    source: RowsStage
    like: RowsStage
    seed: int
    unit: LengthUnit = "numbers"

    def inputs(self) -> tuple[Stage, ...]:
        return (self.source, self.like)

    def identity(self) -> dict[str, object]:
        unit = {} if self.unit == "numbers" else {"unit": self.unit}
        return {"seed": self.seed, **unit}

    def prompt_sample(self) -> PromptSample:
        return self.source.prompt_sample()

    def shortage(self, workspace: Workspace) -> str:
        return self.source.shortage(workspace)

    def run(self, workspace: Workspace) -> Manifest:
        from ...datasets.matching import matched
        from ...datasets.seeds import derive

        given = list(workspace.rows(self.source, KEPT))
        wanted = [row["text"] for row in workspace.rows(self.like, KEPT)]
        texts, joined = matched(
            [row["text"] for row in given], wanted, derive("match", self.seed), unit=self.unit
        )
        made = ({**given[place], "text": text} for place, text in texts)
        count = write_rows(workspace.folder / KEPT, made)
        name = "joined" if self.unit == "numbers" else "short"
        return {"counts": {"kept": count, name: joined}}
