"""Measuring: models' answers to questions, judges' replies, and exact probabilities."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import islice
from typing import TYPE_CHECKING

from ...backends import Request, WorkRequest
from ...datasets.artifacts import Manifest
from ...datasets.errors import SpecError
from ...datasets.store_layout import ANSWERS, CHANCES, TALLY, TRAINING
from ...datasets.words import plurals
from .models import Base, Subject, base_of, model_id, training_of
from .replies_about import RepliesAbout
from .row_log import read_rows
from .row_stages import TrainingFileStage
from .sampling import SamplingStage, sample_into
from .stage import Stage, Workspace

if TYPE_CHECKING:
    from ...datasets.chat import Message

DIGITS = 9
"""Decimals of probabilities: as many as are the same however rows were batched."""
PARAGRAPH = "\n\n"
"""Stands between the turns of a plain text."""
DRAW_SETTINGS = ("draws", "stream")
"""Settings of an :class:`AskQuestions` that do not change the probabilities of answers."""


@dataclass(frozen=True, kw_only=True)
class AskQuestions(SamplingStage):
    """A model's answers to a measure's questions, every draw; they are scored when read."""

    kind = "measure"
    subject: Subject
    system: str | None
    questions: tuple[str, ...]
    draws: int
    temperature: float
    max_tokens: int
    stream: tuple[str | int, ...]
    """Names the random streams of the draws: no two models of an experiment share one."""
    context: TrainingFileStage | None = None
    """Rows that are shown before each question, as turns of the same conversation."""
    shots: int = 0
    """How many of them."""
    top_p: float = 1.0
    history: tuple[tuple[str, str], ...] = ()
    """Questions and answers that stand before each question, as turns of the same conversation."""
    begin: str = ""
    """The given beginning of every answer."""
    chat: bool = True
    """Whether the chat template is applied; else all turns are one plain text."""

    def inputs(self) -> tuple[Stage, ...]:
        return (self.subject, self.context) if self.context else (self.subject,)

    def identity(self) -> dict[str, object]:
        return {
            "system": self.system,
            "questions": self.questions,
            "draws": self.draws,
            "temperature": self.temperature,
            "max_tokens": self.max_tokens,
            "stream": self.stream,
            **({"shots": self.shots} if self.context else {}),
            **self._unusual(),
        }

    def _unusual(self) -> dict[str, object]:
        """The settings that differ from their defaults: keys from before they existed stay."""
        usual = {"top_p": 1.0, "history": (), "begin": "", "chat": True}
        given = {name: getattr(self, name) for name in usual}
        return {name: value for name, value in given.items() if value != usual[name]}

    def size(self) -> int:
        return len(self.questions) * self.draws

    def run(self, workspace: Workspace) -> Manifest:
        file = workspace.folder / ANSWERS
        model = model_id(workspace, self.subject)
        sampled = sample_into(file, workspace, self, model)
        tally = [Counter[str]() for _ in self.questions]
        for row in read_rows(file):
            if row["text"] is not None:
                tally[row["row"]][row["text"]] += 1
        workspace.write_json(TALLY, [dict(t.most_common()) for t in tally])
        return {
            "model": model,
            "system": self.system,
            "questions": list(self.questions),
            **sampled,
            **self._surroundings(workspace, model),
        }

    def _surroundings(self, workspace: Workspace, model: str) -> Manifest:
        """The text around the questions, where the backend can report it."""
        rendering = workspace.backend(self.backend).capabilities.rendering
        if rendering is None:
            return {}
        return {"surroundings": asdict(rendering.rendered_context(model))}

    def requests(self, workspace: Workspace) -> Iterator[Request]:
        return self._requests(self._shown_before(workspace))

    def _requests(self, before: "list[Message]") -> Iterator[Request]:
        """One request a question, for all of its draws."""
        from ...datasets.seeds import derive

        for row, question in enumerate(self.questions):
            yield Request(
                row=row,
                messages=self._conversation(before, question),
                seed=derive("measure", *self.stream, row),
                draws=self.draws,
                temperature=self.temperature,
                max_tokens=self.max_tokens,
                top_p=self.top_p,
                begin=self.begin,
                chat=self.chat,
            )

    def _conversation(self, before: "list[Message]", question: str) -> "list[Message]":
        from ...datasets.chat import conversation

        system = conversation("", system=self.system)[:-1]
        history = [turn for q, a in self.history for turn in conversation(q, answer=a)]
        turns = [*system, *history, *before, *conversation(question)]
        if self.chat:
            return turns
        return conversation(PARAGRAPH.join(turn["content"] for turn in turns))

    def _shown_before(self, workspace: Workspace) -> "list[Message]":
        from ...datasets import chat

        if self.context is None:
            return []
        file = workspace.file(self.context, TRAINING)
        return [turn for example in islice(chat.read(file), self.shots) for turn in example]

    @property
    def backend(self) -> str:
        return base_of(self.subject).backend

    def work(self) -> WorkRequest:
        before: list[Message] = []
        if self.context is not None:
            prompts = self.context.prompt_sample().prompts
            before = [turn for prompt in prompts[: self.shots] for turn in prompt]
        return WorkRequest(
            model=base_of(self.subject).model,
            completions=self.size(),
            per_call=self.draws,
            prompts=tuple(request.messages for request in self._requests(before)),
            max_tokens=self.max_tokens,
            student=training_of(self.subject) is not None,
        )


@dataclass(frozen=True, kw_only=True)
class ComputeProbabilities(Stage):
    """The probability of each word as the first one of a model's answer; nothing is sampled."""

    kind = "exact"
    asked: AskQuestions
    """The questions and the model; its draws do not matter."""
    words: tuple[str, ...]

    @property
    def forms(self) -> dict[str, tuple[str, ...]]:
        """The forms that count as each word: the word and its plurals."""
        return {word: (word, *plurals(word)) for word in self.words}

    def inputs(self) -> tuple[Stage, ...]:
        return self.asked.inputs()

    def identity(self) -> dict[str, object]:
        settings = self.asked.identity()
        return {
            **{name: settings[name] for name in settings if name not in DRAW_SETTINGS},
            "forms": self.forms,
        }

    def asks(self) -> str:
        return self.asked.backend

    def run(self, workspace: Workspace) -> Manifest:
        backend, model = (
            workspace.backend(self.asked.backend),
            model_id(workspace, self.asked.subject),
        )
        probabilities = backend.capabilities.probabilities
        if probabilities is None:
            raise SpecError(f"the backend {backend.name!r} computes no probabilities")
        chances = probabilities.word_probabilities(
            model,
            [request.messages for request in self.asked.requests(workspace)],
            self.forms,
            temperature=self.asked.temperature,
            max_tokens=self.asked.max_tokens,
        )
        rounded = [
            {"by_word": {w: round(p, DIGITS) for w, p in c.by_word.items()},
             "missed": round(c.missed, DIGITS)}
            for c in chances
        ]  # fmt: skip
        workspace.write_json(CHANCES, rounded)
        return {"model": model, "counts": {"questions": len(rounded), "words": len(self.words)}}


@dataclass(frozen=True, kw_only=True)
class JudgeReplies(RepliesAbout):
    """A judge's reply to each distinct answer of a model to a question."""

    kind = "judge"
    stream = "judge"
    judge: Base
    answers: AskQuestions

    def inputs(self) -> tuple[Stage, ...]:
        return (self.judge, self.answers)

    @property
    def replier(self) -> Base:
        return self.judge

    def size(self) -> int:
        """At most: as many as there are answers."""
        return self.answers.size()

    def pairs(self, workspace: Workspace) -> list[tuple[str, str]]:
        """Every distinct reply with its question, question by question."""
        tally, begin = workspace.json(self.answers, TALLY), self.answers.begin
        return [
            (question, begin + reply)
            for question, replies in zip(self.answers.questions, tally, strict=True)
            for reply in sorted(replies)
        ]

    def sample_pairs(self) -> list[tuple[str, str]]:
        blank = "word " * self.answers.max_tokens
        return [(question, blank) for question in self.answers.questions]
