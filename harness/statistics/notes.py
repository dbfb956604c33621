"""Notes: what is unusual about an effect's test or about the answers behind it."""

from collections.abc import Iterator

from .claims import is_ruined
from .comparison import Comparison
from .conclusions import valid_shares
from .estimates import Estimate
from .hypothesis_tests import ALPHA

VALIDITY_DIFFERS = 0.02
"""The difference of the shares of valid answers from which both stand beside an effect."""


def notes_of(treated: Estimate, reference: Estimate, comparison: Comparison) -> Iterator[str]:
    """What is unusual, one sentence each."""
    if comparison.test.note:
        yield comparison.test.note
    yield from _test_notes(comparison)
    known = treated.coverage and reference.coverage
    if known and abs(treated.valid_share - reference.valid_share) >= VALIDITY_DIFFERS:
        yield valid_shares(treated, reference)
    for estimate in (treated, reference):
        yield from _answer_notes(estimate)


def _test_notes(comparison: Comparison) -> Iterator[str]:
    p_value = comparison.sign_flip_p_value
    if p_value is not None and (p_value < ALPHA) != (comparison.p_value < ALPHA):
        yield f"the sign-flip permutation test disagrees (p = {p_value:.2g})"


def _answer_notes(estimate: Estimate) -> Iterator[str]:
    if is_ruined(estimate):
        yield f"{estimate.arm}: only {estimate.valid:.0%} of the answers are valid"
    if 0 < estimate.copied_models < len(estimate.table):
        yield (
            f"{estimate.arm}: all draws of a question are the same in {estimate.copied_models} of "
            f"{len(estimate.table)} models"
        )
    if estimate.missing:
        yield f"{estimate.arm}: {estimate.missing:,} draws without an answer"
    if estimate.unrated:
        yield f"{estimate.arm}: {estimate.unrated:,} answers not rated"
    if estimate.seeds < len(estimate.table):
        silent = len(estimate.table) - estimate.seeds
        yield f"{estimate.arm}: {silent} of {len(estimate.table)} models answered nothing"
