"""Estimates, effects and their tests: numbers in, verdicts out; nothing is read or written here."""

from . import hypothesis_tests
from .corrections import benjamini_hochberg, dunnett, holm
from .dose_response import Trend, dose_response
from .effects import Effect, difference
from .equivalence import Equivalence
from .estimates import Estimate
from .evidence import Evidence, EvidenceListener
from .exact_rates import DECIMALS, ExactEffect, ExactRate
from .hypothesis_tests import ALPHA, mean
from .power import (
    POWER,
    PUBLISHED,
    Criterion,
    Design,
    Spread,
    sampling_deviation,
    seed_deviation,
    seeds_needed,
)
from .quantities import explain_comparison
from .rank_tests import mann_whitney, spearman
from .rates import Rate
from .scores import ScoreEffect, Scores

__all__ = [
    "ALPHA",
    "DECIMALS",
    "POWER",
    "PUBLISHED",
    "Criterion",
    "Design",
    "Effect",
    "Equivalence",
    "Estimate",
    "Evidence",
    "EvidenceListener",
    "ExactEffect",
    "ExactRate",
    "Rate",
    "ScoreEffect",
    "Scores",
    "Spread",
    "Trend",
    "benjamini_hochberg",
    "difference",
    "dose_response",
    "dunnett",
    "explain_comparison",
    "holm",
    "hypothesis_tests",
    "mann_whitney",
    "mean",
    "sampling_deviation",
    "seed_deviation",
    "seeds_needed",
    "spearman",
]
