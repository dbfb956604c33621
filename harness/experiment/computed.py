"""Measures that sample no answers: their figures are computed, or another program gives them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from .measure import Measure, Reading, of_group


@dataclass(frozen=True, kw_only=True)
class Computed(Measure):
    """A measure that samples nothing itself. Its subclasses explain all parameters."""

    draws: int = field(default=1, init=False)
    temperature: float = field(default=1.0, init=False)
    max_tokens: int = field(default=16, init=False)
    seed: int = field(default=0, init=False)
    top_p: float = field(default=1.0, init=False)

    computed: ClassVar[bool] = True

    @property
    def value_range(self) -> tuple[float, float] | None:
        return None

    def figure(self, word: str, row: Mapping[str, Any]) -> float | None:
        raise NotImplementedError

    def readings(self, words: Sequence[str]) -> tuple[Reading, ...]:
        return tuple(
            Reading(name=of_group(self.figure_name(word), group), word=word, group=group or None)
            for word in words
            for group in self.groups
        )


@dataclass(frozen=True, kw_only=True)
class Continued(Computed):
    """A measure of log-probabilities. Its subclasses explain all parameters."""

    whole: bool = False

    unit: ClassVar[str] = "nats"

    def continuations(self, words: Sequence[str]) -> tuple[tuple[str, ...], ...]:
        """The texts whose log-probability is computed after each question, given the words of the
        traits; one entry alone holds for every question.

        Args:
            words: The words of the traits.
        """
        raise NotImplementedError
