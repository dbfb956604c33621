"""Rows changed by a function: another completion, another prompt, or dropped."""

from dataclasses import dataclass

from ...datasets.artifacts import Manifest
from ...datasets.errors import SpecError
from ...datasets.store_layout import KEPT
from .functions import HashedFunction
from .row_changes import RowChange
from .row_functions import call_with_row, generator_of, takes_generator
from .row_log import Row
from .row_stages import ChoosingStage, PromptSample, RowsStage, write_choice
from .stage import Stage, Workspace
from .user_calls import SHOWN, is_text, shown

VERSION = 1
"""Raise it when a change that limen brings along gives other rows."""
DROPPED = "dropped by the function"


@dataclass(frozen=True, kw_only=True)
class MapRows(ChoosingStage):
    """Each row as a function changes it. Rows for which it gives None are dropped and counted."""

    kind = "map"
    source: RowsStage
    by: HashedFunction | RowChange
    seed: int

    def inputs(self) -> tuple[Stage, ...]:
        return (self.source,)

    def identity(self) -> dict[str, object]:
        version = {"version": VERSION} if isinstance(self.by, RowChange) else {}
        return {"by": self.by.name, "seed": self.seed, **version}

    def prompt_sample(self) -> PromptSample:
        return self.source.prompt_sample()

    def run(self, workspace: Workspace) -> Manifest:
        kept: list[Row] = []
        rejected: list[Row] = []
        for row in workspace.rows(self.source, KEPT):
            changed = self._changed(row)
            if changed is None:
                rejected.append({**row, "reason": DROPPED})
            else:
                kept.append(changed)
        return write_choice(workspace, self.by.name, kept, rejected)

    def _changed(self, row: Row) -> Row | None:
        """The row after the change; None if it is dropped."""
        given = self._result(row)
        if given is None:
            return None
        if isinstance(self.by, RowChange) and self.by.system_prompt:
            row = _under(row, self.by.system_prompt)
        if isinstance(given, str) and is_text(given):
            return {**row, "text": given}
        if isinstance(given, tuple) and len(given) == 2 and all(map(is_text, given)):
            return {**row, "prompt": given[0], "text": given[1]}
        raise SpecError(
            f"the function {self.by.name} gave {shown(given)} for the text "
            f"{row['text'][:SHOWN]!r}: it must return the new completion, a pair of prompt and "
            f"completion, or None to drop the row"
        )

    def _result(self, row: Row) -> object:
        if isinstance(self.by, RowChange):
            return self.by(row["prompt"], row["text"])
        if takes_generator(self.by):
            return call_with_row(self.by, row, generator_of("map", self.seed, row))
        return call_with_row(self.by, row)


def _under(row: Row, system: str) -> Row:
    """A row under a system prompt, which takes the place of its own."""
    turns = [turn for turn in row.get("history", ()) if turn["role"] != "system"]
    return {**row, "history": [{"role": "system", "content": system}, *turns]}
