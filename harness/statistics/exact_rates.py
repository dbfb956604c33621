"""Exact rates and their effects: no noise of sampling, and yet not all of the truth.

Spellings too improbable to follow are left out (see :class:`limen.backends.WordProbabilities`), so
an exact rate is a lower bound, and what it lacks at most is known. How much that is hangs on how
flat a model's answers are, so it may differ between arms: an effect has to hold whatever was left
out.
"""

from dataclasses import dataclass, replace
from functools import cached_property

from .effects import Effect
from .hypothesis_tests import ALPHA, UNBOUNDED
from .rates import Rate
from .samples import Sample
from .worst_case import WorstCase

DECIMALS = 3
"""Of percentages and points: more than draws could tell."""


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ExactRate(Rate):
    """How probable it is that an answer's first word is a word: a rate without sampling noise.

    What is left of noise is that of questions and seeds. It is of the first word alone, so it has
    no difference with a :class:`Rate`, which looks for the word anywhere.
    """

    missed: float
    """What the value lacks at most, from spellings too improbable to follow."""

    @property
    def what(self) -> str:
        return f"{self.word!r} exactly"

    @property
    def _draws_shown(self) -> str:
        return f", at most {self.show(self.missed)} more"

    @property
    def interval(self) -> tuple[float, float]:
        """95% interval over seeds or questions, up to what there may be more."""
        low, high = super().interval
        return low, min(1.0, high + self.missed)

    def show(self, value: float) -> str:
        return f"{value:.{DECIMALS}%}"

    def show_difference(self, value: float) -> str:
        return f"{100 * value:+.{DECIMALS}f} points" if abs(value) < UNBOUNDED else "unknown"

    @cached_property
    def sample(self) -> Sample:
        return replace(super().sample, exact=True, unseen=self.missed)

    def _draw_variance(self) -> float:
        return 0.0

    def __sub__(self, other: Rate) -> Effect:
        if not isinstance(other, ExactRate):
            return super().__sub__(other)  # which says why not
        self.check_same(other)
        return ExactEffect(treated=self, reference=other)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ExactEffect(Effect):
    """The difference of two exact rates, of which what was left out may be a part.

    The value is the difference of what was found. Interval, p-value and claim are those of the
    worst case: the control lacks all that it may, the treated arm nothing, or the other way round.
    """

    treated: ExactRate
    reference: ExactRate

    @property
    def note(self) -> str:
        """What is unusual, above all that what was left out decides."""
        comparison = self.comparison
        seen = comparison.as_seen if isinstance(comparison, WorstCase) else comparison
        decides = seen.p_value * self.correction < ALPHA <= self.corrected_p_value
        why = "what was left out of the exact rates may be all of the difference"
        return "; ".join(filter(None, (super().note, why if decides else "")))
