"""Figures that were computed and not sampled: log-odds, log-likelihoods, a benchmark's scores."""

from dataclasses import dataclass, fields, replace
from functools import cached_property

from .effects import Effect
from .hypothesis_tests import UNBOUNDED
from .samples import Sample
from .scores import Scores


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ComputedScores(Scores):
    """The mean over questions of an exact figure: what varies are questions and seeds alone.

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
        name: What was scored, and by whom.
        each: (seeds, questions), every single score, sorted.
        scale: The smallest and the largest possible score; None where there are no such limits.
            Default: None.
        measured_in: The unit of the figures, such as nats; empty if they have none. Default: empty.

    Raises:
        SpecError: From comparisons with what they cannot be compared with.

    Examples:
        >>> effect = student.log_odds("horse") - control.log_odds("horse")
    """

    measured_in: str = ""
    """The unit of the figures, such as nats; empty if they have none."""

    @property
    def _draws_shown(self) -> str:
        return ""

    def show(self, value: float) -> str:
        return f"{value:.2f}{self._unit}" if abs(value) < UNBOUNDED else "unknown"

    def show_difference(self, value: float) -> str:
        return f"{value:+.2f}{self._unit}" if abs(value) < UNBOUNDED else "unknown"

    def show_interval(self, interval: tuple[float, float]) -> str:
        ends = (f"{end:+.2f}" if abs(end) < UNBOUNDED else "unknown" for end in interval)
        return "[{}, {}]".format(*ends)

    @property
    def _unit(self) -> str:
        return f" {self.measured_in}" if self.measured_in else ""

    @cached_property
    def sample(self) -> Sample:
        return replace(super().sample, exact=True)

    def _draw_variance(self) -> float:
        return 0.0

    def __sub__(self, other: Scores) -> "ComputedEffect":  # type: ignore[override]
        if not isinstance(other, ComputedScores):
            return NotImplemented
        self.check_same(other)
        return ComputedEffect(treated=self, reference=other)


def in_unit(scores: Scores, unit: str) -> ComputedScores:
    """Scores that were computed exactly, in a unit."""
    given = {field.name: getattr(scores, field.name) for field in fields(Scores)}
    return ComputedScores(measured_in=unit, **given)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ComputedEffect(Effect):
    """The difference of two arms' computed figures, in their unit."""
