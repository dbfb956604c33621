"""What a report, a plan and a terminal say of experiments, worked out from finished stages."""

from .assertions import EffectAssertion, effect_assertions
from .plan_text import plan_lines
from .power_warnings import design_lines
from .seed_spread import known_spread
from .stage_facts import audit_rows, times_and_cost
from .summary import ClaimList, headline_of, make_run, result_of, stages_of

__all__ = [
    "ClaimList",
    "EffectAssertion",
    "audit_rows",
    "design_lines",
    "effect_assertions",
    "headline_of",
    "known_spread",
    "make_run",
    "plan_lines",
    "result_of",
    "stages_of",
    "times_and_cost",
]
