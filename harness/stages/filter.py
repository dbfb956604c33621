"""Filtering: the rows that a rule keeps, and those that it drops."""

from collections import Counter
from dataclasses import dataclass

from ...datasets.artifacts import Manifest
from ...datasets.store_layout import KEPT, REJECTED, ROWS
from .functions import HashedFunction, rule_name
from .row_log import Row, write_rows
from .row_stages import PromptedStage, PromptSample, RowsStage, filter_summary
from .stage import Stage, Workspace


@dataclass(frozen=True, kw_only=True)
class Filter(RowsStage):
    """The completions that a filter rule keeps, and those it drops, each with its reason."""

    kind = "filter"
    source: PromptedStage
    """Leaves ``rows.jsonl``."""
    rule: str | HashedFunction

    def inputs(self) -> tuple[Stage, ...]:
        return (self.source,)

    def identity(self) -> dict[str, object]:
        return {"rule": rule_name(self.rule)}

    def prompt_sample(self) -> PromptSample:
        return self.source.prompt_sample()

    def run(self, workspace: Workspace) -> Manifest:
        from ...datasets.filters import judge

        reason_of = judge(self.rule)
        reasons: Counter[str] = Counter()
        kept: list[Row] = []
        rejected: list[Row] = []
        for row in workspace.rows(self.source, ROWS):
            reason = "no answer" if row["text"] is None else reason_of(row["text"])
            if reason is None:
                kept.append(row)
            else:
                reasons[reason] += 1
                rejected.append({**row, "reason": reason})
        write_rows(workspace.folder / KEPT, kept)
        write_rows(workspace.folder / REJECTED, rejected)
        counts = {"read": len(kept) + len(rejected), "kept": len(kept)}
        return {
            "rule": rule_name(self.rule),
            "counts": counts,
            "reasons": dict(sorted(reasons.items())),
        }

    def shortage(self, workspace: Workspace) -> str:
        return filter_summary(workspace.manifest(self))
