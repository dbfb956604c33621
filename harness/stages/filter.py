"""Filtering: the rows that a rule keeps, and those that it drops."""

from dataclasses import dataclass

from ...datasets.artifacts import Manifest
from ...datasets.store_layout import ROWS
from .row_log import Row
from .row_stages import ChoosingStage, PromptedStage, PromptSample, write_choice
from .rules import Rule, row_reason, rule_name
from .stage import Stage, Workspace


@dataclass(frozen=True, kw_only=True)
class Filter(ChoosingStage):
    """The completions that a filter rule keeps, and those it drops, each with its reason."""

    kind = "filter"
    source: PromptedStage
    """Leaves ``rows.jsonl``."""
    rule: Rule

    def inputs(self) -> tuple[Stage, ...]:
        return (self.source,)

    def identity(self) -> dict[str, object]:
        return {"rule": rule_name(self.rule)}

    def prompt_sample(self) -> PromptSample:
        return self.source.prompt_sample()

    @property
    def title(self) -> str:
        return self.source.label

    def run(self, workspace: Workspace) -> Manifest:
        reason_of = row_reason(self.rule)
        kept: list[Row] = []
        rejected: list[Row] = []
        for row in workspace.rows(self.source, ROWS):
            reason = reason_of(row)
            if reason is None:
                kept.append(row)
            else:
                rejected.append({**row, "reason": reason})
        return write_choice(workspace, rule_name(self.rule), kept, rejected)
