"""A model's reply about each distinct row of a source: a judge's verdict, or another wording."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import islice

from ...datasets.store_layout import KEPT, RATINGS
from .generate import ProgramRows
from .models import Base
from .replies_about import RepliesAbout
from .row_log import Row
from .row_stages import RowsStage
from .stage import Stage, Workspace
from .training_rows import asked_of, asked_text

Pair = tuple[str, str]
"""What makes a row distinct: what it answers, if the model is shown that, and the completion."""


@dataclass(frozen=True, kw_only=True)
class AskAboutRows(RepliesAbout):
    """One reply of a model for each distinct row of another stage."""

    kind = "row-replies"
    stream = "row replies"
    model: Base
    source: RowsStage
    most: int | None = None
    """Distinct rows to ask about at most, the first ones; None for all."""

    def inputs(self) -> tuple[Stage, ...]:
        return (self.model, self.source)

    @property
    def replier(self) -> Base:
        return self.model

    def identity(self) -> dict[str, object]:
        return {
            **super().identity(),
            **({"most": self.most} if self.most is not None else {}),
            **({"dialogues": "whole"} if self._shows_dialogues else {}),
        }

    @cached_property
    def _shows_dialogues(self) -> bool:
        """Whether the model is shown the turns before a prompt: rows may differ in these alone."""
        return "{question}" in self.prompt and self.source.prompt_sample().histories_differ

    def size(self) -> int:
        """At most: rows that are dropped or repeated before are not known yet."""
        rows = most_rows(self.source)
        return rows if self.most is None else min(rows, self.most)

    def pair(self, row: Row) -> Pair:
        """What makes a row distinct for this stage."""
        if "{question}" not in self.prompt:
            return "", row["text"]
        dialogue = self._shows_dialogues
        return asked_text(asked_of(row)) if dialogue else row["prompt"], row["text"]

    def replies(self, workspace: Workspace) -> dict[Pair, str | None]:
        """The finished replies by pair; None where the model gave none."""
        said = {row["row"]: row["text"] for row in workspace.rows(self, RATINGS)}
        return {pair: said.get(number) for number, pair in enumerate(self.pairs(workspace))}

    def pairs(self, workspace: Workspace) -> list[Pair]:
        """The distinct pairs, in the order of the rows."""
        pairs = dict.fromkeys(map(self.pair, workspace.rows(self.source, KEPT)))
        return list(islice(pairs, self.most))

    def sample_pairs(self) -> list[Pair]:
        sample = self.source.prompt_sample()
        blank = "word " * sample.answer_tokens
        shown = (
            sample.prompts if self._shows_dialogues else [turns[-1:] for turns in sample.prompts]
        )
        return [(asked_text(turns), blank) for turns in shown]


def most_rows(stage: Stage) -> int:
    """An upper bound of the rows that a stage of rows leaves, as far as it is known."""
    if isinstance(stage, ProgramRows):
        return stage.prompts.count
    if stage.size():
        return stage.size()
    return max(map(most_rows, _rows_before(stage.inputs())), default=0)


def _rows_before(stages: Iterable[Stage]) -> Iterator[Stage]:
    return (stage for stage in stages if not isinstance(stage, Base))
