"""A model's reply about each distinct row of a source: a judge's verdict, or another wording."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from ...backends import Request, WorkRequest
from ...datasets.artifacts import Manifest
from ...datasets.store_layout import KEPT, RATINGS
from .generate import ProgramRows
from .measure import filled_prompt
from .models import Base
from .row_log import Row
from .row_stages import RowsStage
from .sampling import SamplingStage, sample_into
from .stage import Stage, Workspace

Pair = tuple[str, str]
"""What makes a row distinct: the prompt, if the model is shown it, and the completion."""


@dataclass(frozen=True, kw_only=True)
class AskAboutRows(SamplingStage):
    """One reply of a model for each distinct row of another stage."""

    kind = "row-replies"
    model: Base
    source: RowsStage
    prompt: str
    """With ``{reply}`` in it for the completion, and ``{question}`` where the prompt goes."""
    temperature: float
    max_tokens: int
    seed: int
    most: int | None = None
    """Distinct rows to ask about at most, the first ones; None for all."""

    def inputs(self) -> tuple[Stage, ...]:
        return (self.model, self.source)

    def identity(self) -> dict[str, object]:
        return {
            "prompt": self.prompt,
            "temperature": self.temperature,
            "max_tokens": self.max_tokens,
            "seed": self.seed,
            **({"most": self.most} if self.most is not None else {}),
        }

    def size(self) -> int:
        """At most: rows that are dropped or repeated before are not known yet."""
        rows = most_rows(self.source)
        return rows if self.most is None else min(rows, self.most)

    def run(self, workspace: Workspace) -> Manifest:
        total = len(self._pairs(workspace))
        file = workspace.folder / RATINGS
        sampled = sample_into(file, workspace, self, self.model.model, size=total)
        return {"model": self.model.model, "prompt": self.prompt, **sampled}

    def requests(self, workspace: Workspace) -> Iterator[Request]:
        from ...datasets.chat import conversation
        from ...datasets.seeds import derive

        for row, (question, reply) in enumerate(self._pairs(workspace)):
            yield Request(
                row=row,
                messages=conversation(filled_prompt(self.prompt, question, reply)),
                seed=derive("row replies", self.seed, row),
                temperature=self.temperature,
                max_tokens=self.max_tokens,
            )

    def pair(self, row: Row) -> Pair:
        """What makes a row distinct for this stage."""
        return row["prompt"] if "{question}" in self.prompt else "", row["text"]

    def replies(self, workspace: Workspace) -> dict[Pair, str | None]:
        """The finished replies by pair; None where the model gave none."""
        said = {row["row"]: row["text"] for row in workspace.rows(self, RATINGS)}
        return {pair: said.get(number) for number, pair in enumerate(self._pairs(workspace))}

    def _pairs(self, workspace: Workspace) -> list[Pair]:
        """The distinct pairs, in the order of the rows."""
        pairs = dict.fromkeys(map(self.pair, workspace.rows(self.source, KEPT)))
        return list(islice(pairs, self.most))

    @property
    def backend(self) -> str:
        return self.model.backend

    def row_fields(self, request: Request) -> dict[str, str]:
        return {"prompt": request.messages[-1]["content"]}

    def work(self) -> WorkRequest:
        from ...datasets.chat import conversation

        sample = self.source.prompt_sample()
        blank = "word " * sample.answer_tokens
        return WorkRequest(
            model=self.model.model,
            completions=self.size(),
            prompts=tuple(
                conversation(filled_prompt(self.prompt, turns[-1]["content"], blank))
                for turns in sample.prompts
            ),
            max_tokens=self.max_tokens,
        )


def most_rows(stage: Stage) -> int:
    """An upper bound of the rows that a stage of rows leaves, as far as it is known."""
    if isinstance(stage, ProgramRows):
        return stage.prompts.count
    if stage.size():
        return stage.size()
    return max(map(most_rows, _rows_before(stage.inputs())), default=0)


def _rows_before(stages: Iterable[Stage]) -> Iterator[Stage]:
    return (stage for stage in stages if not isinstance(stage, Base))
