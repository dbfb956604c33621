"""Talking to several models side by side: the base, the base with a trait, trained ones."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ...backends import Backend, Completion, Request

if TYPE_CHECKING:
    from ...datasets.chat import Message


@dataclass
class ChatSide:
    """A model in a conversation of its own."""

    name: str
    system: str | None
    model: str
    """The id to sample by."""
    turns: "list[Message]" = field(default_factory=list)


@dataclass
class SideBySideChat:
    """What is said to all sides, and what each of them answers."""

    backend: Backend
    sides: Sequence[ChatSide]
    temperature: float = 1.0
    max_tokens: int = 256
    seed: int = 0
    said: int = 0
    """Turns so far, those before a new start too: no two answers share a random stream."""

    def ask(self, text: str) -> list[str]:
        """What each side answers; where there is no answer, why, and it does not count as said."""
        self.said += 1
        return [self._answered(side, text) for side in self.sides]

    def anew(self) -> None:
        """Forget what was said."""
        for side in self.sides:
            side.turns.clear()

    def _answered(self, side: ChatSide, text: str) -> str:
        from ...datasets.chat import conversation
        from ...datasets.seeds import derive

        asked = conversation(text)
        request = Request(
            row=0,
            messages=[*conversation("", system=side.system)[:-1], *side.turns, *asked],
            seed=derive("chat", self.seed, side.name, self.said),
            temperature=self.temperature,
            max_tokens=self.max_tokens,
        )
        answer = self._sampled(side.model, request)
        if answer.text is None:
            return f"(no answer: {answer.error})"
        side.turns += conversation(text, answer=answer.text)
        return answer.text

    def _sampled(self, model: str, request: Request) -> Completion:
        (completion,) = (c for batch in self.backend.sample(model, [request]) for c in batch)
        return completion
