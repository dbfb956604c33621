"""The number prompts of a run, as a value that stages hold."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING

from .store import canonical

if TYPE_CHECKING:
    from ...datasets.chat import Conversation

SAMPLE_SIZE = 256
"""Prompts that stand for all of a run's in its key; hashing 30,000 would slow down every start."""


@dataclass(frozen=True, kw_only=True)
class NumberPrompts:
    """The number prompts of a run; their texts are made when they are needed."""

    count: int
    seed: int
    template: str | None = None
    """One text with ``{numbers}`` in it, instead of limen's own variety."""
    examples: tuple[int, int] = (3, 8)
    """The fewest and the most example numbers in a prompt."""

    def texts(self) -> Iterator[str]:
        """The prompts, by row."""
        return (self._text(row) for row in range(self.count))

    def _text(self, row: int) -> str:
        from ...datasets.numbers import prompt

        return prompt(self.seed, row, template=self.template, examples=self.examples)

    @cached_property
    def digest(self) -> str:
        """The hash of the first prompts: a change to how prompts are made shows."""
        first = [self._text(row) for row in range(SAMPLE_SIZE)]
        return hashlib.sha256(canonical({"seed": self.seed, "first": first})).hexdigest()

    def sample(self) -> "tuple[Conversation, ...]":
        """The first prompts, as conversations: they stand for all in estimates of tokens."""
        from ...datasets.chat import conversation

        return tuple(conversation(text) for text in islice(self.texts(), SAMPLE_SIZE))
