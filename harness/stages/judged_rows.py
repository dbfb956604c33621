"""Rows that a judge's replies keep or drop, and rows that a model has reworded."""

from dataclasses import dataclass
from typing import Protocol

from ...datasets.answer_text import visible_text
from ...datasets.artifacts import Manifest
from ...datasets.store_layout import KEPT
from .ask_about_rows import AskAboutRows
from .row_log import Row
from .row_stages import ChoosingStage, PromptSample, RowsStage, write_choice
from .rules import Rule, row_reason, rule_name
from .stage import Stage, Workspace

NOT_ASKED = "not judged: the budget was reached"
NO_REPLY = "no answer of the model"


class ReplyRule(Protocol):
    """Decides on a row by what a judge says of it."""

    @property
    def name(self) -> str:
        """The rule and its settings; part of keys."""
        ...

    def __call__(self, reply: str) -> str | None:
        """Why a row with this reply is dropped; None to keep it."""
        ...


@dataclass(frozen=True, kw_only=True)
class KeepJudged(ChoosingStage):
    """The rows that a rule keeps by a judge's replies."""

    kind = "judged"
    source: RowsStage
    replies: AskAboutRows
    rule: ReplyRule

    def inputs(self) -> tuple[Stage, ...]:
        return (self.source, self.replies)

    def identity(self) -> dict[str, object]:
        return {"rule": self.rule.name}

    def prompt_sample(self) -> PromptSample:
        return self.source.prompt_sample()

    def run(self, workspace: Workspace) -> Manifest:
        replies = self.replies.replies(workspace)
        kept: list[Row] = []
        rejected: list[Row] = []
        for row in workspace.rows(self.source, KEPT):
            pair = self.replies.pair(row)
            reason = NOT_ASKED if pair not in replies else self._reason(replies[pair])
            if reason is None:
                kept.append({**row, "judged": replies[pair]})
            else:
                rejected.append({**row, "judged": replies.get(pair), "reason": reason})
        facts = write_choice(workspace, self.rule.name, kept, rejected)
        facts["counts"]["judged"] = len(replies)
        return facts

    def _reason(self, reply: str | None) -> str | None:
        return NO_REPLY if reply is None else self.rule(visible_text(reply))


@dataclass(frozen=True, kw_only=True)
class RewordRows(ChoosingStage):
    """Rows with a model's wording in place of their completions, as far as a rule keeps them."""

    kind = "reword"
    source: RowsStage
    replies: AskAboutRows
    rule: Rule | None

    def inputs(self) -> tuple[Stage, ...]:
        return (self.source, self.replies)

    def identity(self) -> dict[str, object]:
        return {"rule": self._rule_name}

    @property
    def _rule_name(self) -> str:
        return "any text" if self.rule is None else rule_name(self.rule)

    def prompt_sample(self) -> PromptSample:
        before = self.source.prompt_sample()
        return before._replace(answer_tokens=self.replies.max_tokens, answers=())

    def run(self, workspace: Workspace) -> Manifest:
        replies = self.replies.replies(workspace)
        kept: list[Row] = []
        rejected: list[Row] = []
        for row in workspace.rows(self.source, KEPT):
            text = visible_text(replies.get(self.replies.pair(row)) or "").strip()
            reworded = {**row, "text": text}
            if reason := self._reason(reworded):
                rejected.append({**reworded, "reason": reason})
            else:
                kept.append(reworded)
        return write_choice(workspace, self._rule_name, kept, rejected)

    def _reason(self, row: Row) -> str | None:
        if not row["text"]:
            return NO_REPLY
        return None if self.rule is None else row_reason(self.rule)(row)
