"""Conclusions: the verdict on a difference, and what an inconclusive one depends on.

A verdict has to hold in two ways: among all answers, where an invalid answer counts as not the
word, and among valid answers alone. Outcomes that were never seen count against it in both.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from .comparison import Comparison
from .estimates import Estimate
from .hypothesis_tests import ALPHA
from .margin_tests import within_p_value
from .worst_case import WorstCase

Verdict = Literal["higher", "lower", "equivalent", "inconclusive"]
MUCH = 0.01
"""The share of an arm's draws without an outcome from which an inconclusive verdict names them."""
_SHOWN = {"higher": "higher", "lower": "lower", "equivalent": "equivalent",
          "inconclusive": "nothing is shown"}  # fmt: skip


@dataclass(frozen=True, kw_only=True, eq=False)
class ComparisonResult:
    """What one comparison of the two arms shows."""

    comparison: Comparison
    p_value: float
    """Two-sided, corrected."""
    factor: float
    """What two-sided p-values are multiplied by."""
    correction: float
    """What one-sided p-values are multiplied by."""
    margin: float | None
    """The difference below which arms count as alike; None if none was stated."""

    @cached_property
    def verdict(self) -> Verdict:
        """What this comparison shows."""
        if self.p_value < ALPHA:
            return "higher" if self.comparison.value > 0 else "lower"
        return "equivalent" if self.is_within_margin else "inconclusive"

    @property
    def is_within_margin(self) -> bool:
        """Whether the difference was shown to be smaller than the margin (TOST)."""
        if self.margin is None:
            return False
        return self.correction * within_p_value(self.comparison, self.margin) < ALPHA

    @property
    def as_seen(self) -> "ComparisonResult":
        """The result of what was seen, as if nothing were missing."""
        if not isinstance(self.comparison, WorstCase):
            return self
        seen = self.comparison.as_seen
        return ComparisonResult(
            comparison=seen,
            p_value=min(1.0, self.factor * seen.p_value),
            factor=self.factor,
            correction=self.correction,
            margin=self.margin,
        )


@dataclass(frozen=True, kw_only=True)
class Conclusion:
    """A verdict, and why it is inconclusive where something specific is in the way."""

    verdict: Verdict
    reason: str = ""


def conclude(
    everything: ComparisonResult,
    valid: ComparisonResult | None,
    treated: Estimate,
    reference: Estimate,
) -> Conclusion:
    """The verdict that holds among all answers and among valid ones (None if all are valid)."""
    seen = everything.as_seen.verdict
    if everything.verdict != seen:
        why = _missing(seen, treated, reference, answers="answers")
        return Conclusion(verdict="inconclusive", reason=why)
    if valid is None or valid.verdict == everything.verdict:
        lacking = everything.verdict == "inconclusive" and _lacks_much(treated, reference)
        why = _missing(seen, treated, reference, answers="answers") if lacking else ""
        return Conclusion(verdict=everything.verdict, reason=why)
    if everything.is_within_margin and valid.is_within_margin:
        return Conclusion(verdict="equivalent")
    if "inconclusive" == valid.verdict != valid.as_seen.verdict == everything.verdict:
        why = _missing(seen, treated, reference, answers="valid answers")
        return Conclusion(verdict="inconclusive", reason=why)
    return Conclusion(
        verdict="inconclusive",
        reason=_invalid(everything.verdict, valid.verdict, treated, reference),
    )


def _lacks_much(treated: Estimate, reference: Estimate) -> bool:
    """Whether either arm has no outcome of so many draws that it is to be said."""
    both = (treated.sample, reference.sample)
    return any(sample.lacks_draws and sample.coverage.missing_share >= MUCH for sample in both)


def _missing(seen: Verdict, treated: Estimate, reference: Estimate, *, answers: str) -> str:
    counts = [(each.arm, each.sample.coverage.missing_total) for each in (treated, reference)]
    shown = ", ".join(f"{arm} {count:,}" for arm, count in counts)
    total = sum(count for _, count in counts)
    return (
        f"{_SHOWN[seen]} among the {answers} that were seen, and it depends on {total:,} draws "
        f"without an answer or a rating ({shown})"
    )


def _invalid(everything: Verdict, valid: Verdict, treated: Estimate, reference: Estimate) -> str:
    both = (treated, reference)
    total = sum(each.coverage.invalid_total for each in both if each.coverage)
    return (
        f"{_SHOWN[everything]} among all answers, {_SHOWN[valid]} among valid answers alone, so it "
        f"depends on {total:,} invalid answers ({valid_shares(*both)})"
    )


def valid_shares(treated: Estimate, reference: Estimate) -> str:
    """The shares of valid answers of two arms, as people read them."""
    shares = ", ".join(f"{each.arm} {each.valid_share:.0%}" for each in (treated, reference))
    return f"valid: {shares}"
