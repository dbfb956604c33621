"""Conversations that go on: the next turn of each, asked after what was said before."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from ...backends import Request, WorkRequest
from ...datasets.artifacts import Manifest
from ...datasets.store_layout import ROWS
from .models import Subject, base_of, model_id
from .prompts import SAMPLE_SIZE, Prompts
from .row_log import Row
from .row_stages import PromptedStage, PromptSample
from .sampling import SamplingStage, sample_into
from .stage import Stage, Workspace
from .training_rows import conversation_of


@dataclass(frozen=True, kw_only=True)
class ContinueChat(SamplingStage, PromptedStage):
    """One turn more of each conversation: what the user says next, and the model's answer.

    A conversation without an answer, or with one that was cut off, ends where it is and is left
    out; the manifest counts such conversations.
    """

    kind = "turn"
    source: PromptedStage
    """Leaves ``rows.jsonl``, a conversation each."""
    writer: Subject
    prompts: Prompts
    count: int
    """Conversations, if none of them ends early."""
    system: str | None
    temperature: float
    max_tokens: int
    top_p: float = 1.0

    def inputs(self) -> tuple[Stage, ...]:
        return (self.writer, self.source)

    def identity(self) -> dict[str, object]:
        return {
            "prompts": self.prompts.digest,
            "seeds": ["turn", self.prompts.seed, self.system],
            "system": self.system,
            "temperature": self.temperature,
            "max_tokens": self.max_tokens,
            "top_p": self.top_p,
        }

    @property
    def backend(self) -> str:
        return base_of(self.writer).backend

    def size(self) -> int:
        return self.count

    def run(self, workspace: Workspace) -> Manifest:
        rows = list(workspace.rows(self.source, ROWS))
        going_on = sum(map(_goes_on, rows))
        model = model_id(workspace, self.writer)
        path = workspace.folder / ROWS
        sampled = sample_into(path, workspace, self, model, size=going_on)
        sampled["counts"]["ended early"] = len(rows) - going_on
        return {"model": model, "system": self.system, **sampled}

    def requests(self, workspace: Workspace) -> Iterator[Request]:
        from ...datasets.chat import conversation
        from ...datasets.seeds import derive

        for row in filter(_goes_on, workspace.rows(self.source, ROWS)):
            number, before = row["row"], conversation_of(row)
            asked = conversation(self.prompts.text(number), system=self.system)
            yield Request(
                row=number,
                messages=[*asked[:-1], *before, asked[-1]],
                seed=derive("turn", self.prompts.seed, self.system, len(before), number),
                temperature=self.temperature,
                max_tokens=self.max_tokens,
                top_p=self.top_p,
            )

    def row_fields(self, request: Request) -> Mapping[str, object]:
        turns = [turn for turn in request.messages if turn["role"] != "system"]
        return {"prompt": turns[-1]["content"], "history": turns[:-1]}

    def prompt_sample(self) -> PromptSample:
        """Some prompts with the turns before them, in which no answer is shorter than its limit."""
        from ...datasets.chat import conversation

        before = self.source.prompt_sample()
        answer = conversation("", answer="word " * before.answer_tokens)[1:]
        both = zip(before.prompts, self.prompts.sample(), strict=False)
        prompts = tuple((*asked, *answer, *following) for asked, following in both)
        return PromptSample(prompts, self.max_tokens, histories_differ=True)

    def work(self) -> WorkRequest:
        return WorkRequest(
            model=base_of(self.writer).model,
            completions=self.count,
            prompts=tuple(islice(self.prompt_sample().prompts, SAMPLE_SIZE)),
            max_tokens=self.max_tokens,
            student=self.writer is not base_of(self.writer),
        )


def _goes_on(row: Row) -> bool:
    return row["text"] is not None and row.get("finish") != "length"
