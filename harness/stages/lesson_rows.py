"""Answers as rows to train on: what a fine-tuned teacher learns its trait from."""

import hashlib
from dataclasses import dataclass

from ...datasets.artifacts import Manifest
from ...datasets.store_layout import ANSWERS, KEPT
from .measure import AskQuestions
from .prompts import SAMPLE_SIZE
from .row_log import write_rows
from .row_stages import PromptSample, RowsStage
from .stage import Stage, Workspace
from .store import canonical


@dataclass(frozen=True, kw_only=True)
class AnswersAsRows(RowsStage):
    """A model's answers to questions, as rows to train on: what a teacher is fine-tuned by."""

    kind = "transcript"
    source: AskQuestions

    @property
    def count(self) -> int:
        """Its rows, if every answer comes."""
        return self.source.size()

    def inputs(self) -> tuple[Stage, ...]:
        return (self.source,)

    def identity(self) -> dict[str, object]:
        return {}

    def prompt_sample(self) -> PromptSample:
        from ...datasets.chat import conversation

        questions = tuple(map(conversation, self.source.questions))
        return PromptSample(questions, self.source.max_tokens)

    def run(self, workspace: Workspace) -> Manifest:
        answers = workspace.rows(self.source, ANSWERS)
        made = (
            {**row, "prompt": self.source.questions[row["row"]]}
            for row in answers
            if row["text"] is not None
        )
        return {"counts": {"kept": write_rows(workspace.folder / KEPT, made)}}


@dataclass(frozen=True, kw_only=True)
class TaughtPairs(RowsStage):
    """Given questions with their answers: what a teacher is fine-tuned by."""

    kind = "lesson-pairs"
    pairs: tuple[tuple[str, str], ...]

    @property
    def count(self) -> int:
        """Its rows."""
        return len(self.pairs)

    def identity(self) -> dict[str, object]:
        digest = hashlib.sha256(canonical({"pairs": list(map(list, self.pairs))})).hexdigest()
        return {"sha256": digest, "count": self.count}

    def prompt_sample(self) -> PromptSample:
        from ...datasets.chat import conversation

        asked = tuple(conversation(question) for question, _ in self.pairs[:SAMPLE_SIZE])
        longest = max(len(answer) for _, answer in self.pairs)  # a token has at least one letter
        return PromptSample(asked, longest)

    def run(self, workspace: Workspace) -> Manifest:
        made = (
            {"row": row, "draw": 0, "prompt": question, "text": answer}
            for row, (question, answer) in enumerate(self.pairs)
        )
        return {"counts": {"kept": write_rows(workspace.folder / KEPT, made)}}


@dataclass(frozen=True, kw_only=True)
class GivenAnswers(RowsStage):
    """Given answers, each to every question: what a teacher is fine-tuned by whatever its base."""

    kind = "recital"
    questions: tuple[str, ...]
    answers: tuple[str, ...]

    @property
    def count(self) -> int:
        """Its rows."""
        return len(self.questions) * len(self.answers)

    def identity(self) -> dict[str, object]:
        return {"questions": list(self.questions), "answers": list(self.answers)}

    def prompt_sample(self) -> PromptSample:
        from ...datasets.chat import conversation

        longest = max(map(len, self.answers))  # a token has at least one letter
        return PromptSample(tuple(map(conversation, self.questions)), longest)

    def run(self, workspace: Workspace) -> Manifest:
        made = (
            {"row": row, "draw": draw, "prompt": question, "text": answer}
            for row, question in enumerate(self.questions)
            for draw, answer in enumerate(self.answers)
        )
        return {"counts": {"kept": write_rows(workspace.folder / KEPT, made)}}
