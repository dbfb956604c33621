"""Estimates, effects and their tests: numbers in, verdicts out; nothing is read or written here."""

from . import hypothesis_tests
from .computed_scores import ComputedScores, in_unit
from .contrasts import Combinable, Contrast
from .corrections import benjamini_hochberg, dunnett, holm
from .coverage import Coverage, Table
from .distances import Distance, complete_questions
from .dose_response import Trend, dose_response
from .effects import Effect, difference
from .estimates import NO_VARIATION, Estimate
from .evidence import Evidence, EvidenceListener
from .exact_rates import DECIMALS, ExactEffect, ExactRate
from .grids import Diagonal, GridCell, GridEffects, read_grid
from .hypothesis_tests import ALPHA, mean
from .margin_tests import Equivalence, MinimumEffect
from .power import (
    POWER,
    PUBLISHED,
    RATING_WIDTH,
    TOY,
    TOY_LOG_ODDS,
    Criterion,
    Design,
    Spread,
    sampling_deviation,
    seed_deviation,
    seeds_needed,
)
from .quantities import Explained, explain_comparison
from .rank_tests import mann_whitney, spearman
from .rates import Rate
from .scales import ScaledEffect
from .scores import ScoreEffect, Scores
from .shares import Share
from .trends import trend
from .variance_components import VarianceComponents

__all__ = [
    "ALPHA",
    "DECIMALS",
    "NO_VARIATION",
    "POWER",
    "PUBLISHED",
    "RATING_WIDTH",
    "TOY",
    "TOY_LOG_ODDS",
    "Combinable",
    "ComputedScores",
    "Contrast",
    "Coverage",
    "Criterion",
    "Design",
    "Diagonal",
    "Distance",
    "Effect",
    "Equivalence",
    "Estimate",
    "Evidence",
    "EvidenceListener",
    "ExactEffect",
    "ExactRate",
    "Explained",
    "GridCell",
    "GridEffects",
    "MinimumEffect",
    "Rate",
    "ScaledEffect",
    "ScoreEffect",
    "Scores",
    "Share",
    "Spread",
    "Table",
    "Trend",
    "VarianceComponents",
    "benjamini_hochberg",
    "complete_questions",
    "difference",
    "dose_response",
    "dunnett",
    "explain_comparison",
    "holm",
    "hypothesis_tests",
    "in_unit",
    "mann_whitney",
    "mean",
    "read_grid",
    "sampling_deviation",
    "seed_deviation",
    "seeds_needed",
    "spearman",
    "trend",
]
