"""Rates: the share of an arm's answers that name a word. Their differences are effects."""

from dataclasses import dataclass

from ...datasets.errors import SpecError
from .effects import Effect
from .estimates import Estimate
from .hypothesis_tests import UNBOUNDED, binomial_interval, mean


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Rate(Estimate):
    """The share of an arm's answers that have a word. Ordered like the number that it is.

    Args:
        arm: The name of the arm.
        questions: The questions that were asked.
        table: (seeds, questions), each a mean over draws; None where there was no answer.
        draws: Answers to each question of each model.
        valid: The share of answers that are valid, as the measure says.
        missing: Draws without an answer (failed or refused); no part of the value.
        unrated: Answers that a judge or a function could not rate; no part of the value. Default:
            0.
        trained: Whether the arm's models were fine-tuned, one a seed.
        shows_trait: Whether this is what shows the trait of the arm's experiment. Default: True.
        lowers: Whether less of this shows the trait. Default: False.
        family: Traits that are tried together: p-values and intervals are corrected for as many.
            Default: 1.
        looks: How often the results may be looked at before all seeds are in; corrected for
            likewise. Default: 1.
        margin: The difference below which arms count as alike, as the experiment says. Default:
            None.
        listener: Receives the comparisons that are made with the estimate and its effects. Default:
            None.
        coverage: What became of every draw, where that is known by seed and question. Default:
            None.
        absence: That no arm of the experiment, the teacher included, ever gives this outcome, and
            what they give; empty if one does. A null about such an outcome shows nothing. Default:
            empty.
        copied_models: Models whose draws are copies: the same answer to a question again and again,
            although the temperature is above 0. Such draws say nothing about how much the value
            varies. Default: 0.
        models: What names the arm's models, one a seed; empty where that is not known. Default:
            none.
        word: The word that is counted.

    Raises:
        SpecError: From comparisons with what it cannot be compared with.

    Examples:
        >>> rate = student.rate("owl")
        >>> rate > 0.1, rate.interval
    """

    word: str

    @property
    def what(self) -> str:
        return repr(self.word)

    @property
    def is_rate(self) -> bool:
        return True

    @property
    def bounds(self) -> tuple[float, float]:
        return 0.0, 1.0

    def show(self, value: float) -> str:
        return f"{value:.1%}"

    def show_difference(self, value: float) -> str:
        return f"{100 * value:+.1f} points" if abs(value) < UNBOUNDED else "unknown"

    def show_interval(self, interval: tuple[float, float]) -> str:
        shown = (self.show_difference(end).removesuffix(" points") for end in interval)
        return "[{}, {}]".format(*shown)

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
