"""The number prompts of a run, as a value that stages hold."""

import hashlib
from dataclasses import dataclass, replace
from functools import lru_cache

from .prompts import SAMPLE_SIZE, Prompts
from .store import canonical


@dataclass(frozen=True, kw_only=True)
class NumberPrompts(Prompts):
    """The number prompts of a run."""

    template: str | None = None
    """One text with ``{numbers}`` in it, instead of limen's own variety."""
    examples: tuple[int, int] = (3, 8)
    """The fewest and the most example numbers in a prompt."""
    values: tuple[int, int] = (100, 999)
    """The lowest and the highest example number."""

    def text(self, row: int) -> str:
        return _text(self.seed, row, self.template, self.examples, self.values)

    @property
    def digest(self) -> str:
        """The hash of the first prompts: a change to how prompts are made shows."""
        return _digest(replace(self, count=1))


@lru_cache(maxsize=1 << 15)  # the teacher and the control of an experiment answer the same
def _text(
    seed: int, row: int, template: str | None, examples: tuple[int, int], values: tuple[int, int]
) -> str:
    from ...datasets.numbers import prompt

    return prompt(seed, row, template=template, examples=examples, values=values)


@lru_cache(maxsize=1024)
def _digest(prompts: NumberPrompts) -> str:
    """Many stages of a run have the same prompts, and building them takes milliseconds."""
    first = [prompts.text(row) for row in range(SAMPLE_SIZE)]
    return hashlib.sha256(canonical({"seed": prompts.seed, "first": first})).hexdigest()
