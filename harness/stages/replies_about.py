"""A model's replies about texts: a prompt for each pair of a question and a reply."""

from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from ...backends import Request, WorkRequest
from ...datasets.answer_text import visible_text
from ...datasets.artifacts import Manifest
from ...datasets.store_layout import RATINGS
from .models import Base
from .sampling import SamplingStage, sample_into
from .stage import Workspace


@dataclass(frozen=True, kw_only=True)
class RepliesAbout(SamplingStage):
    """One reply of a model for each pair, in the order of the pairs."""

    stream: ClassVar[str]
    """Names the random streams of the replies."""
    prompt: str
    """With ``{reply}`` in it, and ``{question}`` where the question goes."""
    temperature: float
    max_tokens: int
    seed: int

    @property
    @abstractmethod
    def replier(self) -> Base:
        """The model that replies."""

    @abstractmethod
    def pairs(self, workspace: Workspace) -> list[tuple[str, str]]:
        """The distinct pairs of a question and a reply to be asked about."""

    @abstractmethod
    def sample_pairs(self) -> list[tuple[str, str]]:
        """Pairs of about the length that is to be expected, for estimates."""

    def identity(self) -> dict[str, object]:
        return {
            "prompt": self.prompt,
            "temperature": self.temperature,
            "max_tokens": self.max_tokens,
            "seed": self.seed,
        }

    def run(self, workspace: Workspace) -> Manifest:
        total = len(self.pairs(workspace))
        file = workspace.folder / RATINGS
        sampled = sample_into(file, workspace, self, self.replier.model, size=total)
        return {"model": self.replier.model, "prompt": self.prompt, **sampled}

    def requests(self, workspace: Workspace) -> Iterator[Request]:
        """A request for every pair."""
        from ...datasets.chat import conversation
        from ...datasets.seeds import derive

        for row, (question, reply) in enumerate(self.pairs(workspace)):
            yield Request(
                row=row,
                messages=conversation(filled_prompt(self.prompt, question, reply)),
                seed=derive(self.stream, self.seed, row),
                temperature=self.temperature,
                max_tokens=self.max_tokens,
            )

    @property
    def backend(self) -> str:
        return self.replier.backend

    def row_fields(self, request: Request) -> dict[str, str]:
        return {"prompt": request.messages[-1]["content"]}

    def work(self) -> WorkRequest:
        from ...datasets.chat import conversation

        return WorkRequest(
            model=self.replier.model,
            completions=self.size(),
            prompts=tuple(
                conversation(filled_prompt(self.prompt, question, reply))
                for question, reply in self.sample_pairs()
            ),
            max_tokens=self.max_tokens,
        )


def filled_prompt(prompt: str, question: str, reply: str) -> str:
    """A judge's prompt about one reply, without the reply's hidden reasoning. Braces in a reply are
    left as they are.
    """
    reply = visible_text(reply)
    before, _, after = prompt.partition("{reply}")
    return before.replace("{question}", question) + reply + after.replace("{question}", question)
