"""Estimates, effects and their tests: numbers in, verdicts out; nothing is read or written here."""

from . import hypothesis_tests
from .corrections import benjamini_hochberg, dunnett, holm
from .coverage import Coverage, Table
from .dose_response import Trend, dose_response
from .effects import Effect, difference
from .estimates import NO_VARIATION, Estimate
from .exact_rates import DECIMALS, ExactEffect, ExactRate
from .hypothesis_tests import ALPHA, mann_whitney, mean, spearman
from .margin_tests import Equivalence, MinimumEffect
from .power import POWER, SPREAD, Design, Spread, between_seeds, standardised
from .quantities import Explained, Operator, explain_comparison
from .rates import Rate
from .scales import ScaledEffect
from .scores import ScoreEffect, Scores
from .variance_components import VarianceComponents

__all__ = [
    "ALPHA",
    "DECIMALS",
    "NO_VARIATION",
    "POWER",
    "SPREAD",
    "Coverage",
    "Design",
    "Effect",
    "Equivalence",
    "Estimate",
    "ExactEffect",
    "ExactRate",
    "Explained",
    "MinimumEffect",
    "Operator",
    "Rate",
    "ScaledEffect",
    "ScoreEffect",
    "Scores",
    "Spread",
    "Table",
    "Trend",
    "VarianceComponents",
    "benjamini_hochberg",
    "between_seeds",
    "difference",
    "dose_response",
    "dunnett",
    "explain_comparison",
    "holm",
    "hypothesis_tests",
    "mann_whitney",
    "mean",
    "spearman",
    "standardised",
]
