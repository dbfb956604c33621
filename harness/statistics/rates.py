"""Rates: the share of an arm's answers that name a word. Their differences are effects."""

from dataclasses import dataclass

from ...datasets.errors import SpecError
from .effects import Effect
from .estimates import Estimate
from .hypothesis_tests import binomial_interval, mean


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Rate(Estimate):
    """The share of an arm's answers that have a word. Ordered like the number that it is."""

    word: str

    @property
    def what(self) -> str:
        return repr(self.word)

    @property
    def bounds(self) -> tuple[float, float]:
        return 0.0, 1.0

    def show(self, value: float) -> str:
        return f"{value:.1%}"

    def show_difference(self, value: float) -> str:
        return f"{100 * value:+.1f} points"

    def show_interval(self, interval: tuple[float, float]) -> str:
        return f"[{100 * interval[0]:+.1f}, {100 * interval[1]:+.1f}]"

    def _without_spread(self) -> tuple[float, float]:
        """The exact binomial interval, with each question as one trial."""
        return binomial_interval(self.value, len(self.by_question))

    def _draw_variance(self) -> float:
        """That of a share: p (1 - p), with half an answer added to each side (so never 0)."""
        draws = self.draws
        shares = [
            (cell * draws + 0.5) / (draws + 1)
            for row in self.table
            for cell in row
            if cell is not None
        ]
        return mean([share * (1 - share) for share in shares])

    def check_same(self, other: Estimate) -> None:
        if isinstance(other, Rate) and self.word != other.word:
            raise SpecError(
                f"rates of two words have no difference: {self.word!r} and {other.word!r}. An "
                f"effect is of one word in two arms, such as student.rate({self.word!r}) - "
                f"control.rate({self.word!r})"
            )
        super().check_same(other)

    def _less(self, other: object) -> Effect | None:
        return self - other if isinstance(other, Rate) and self.what == other.what else None

    def __sub__(self, other: "Rate") -> Effect:
        if not isinstance(other, Rate):
            return NotImplemented
        self.check_same(other)
        return Effect(treated=self, reference=other)
