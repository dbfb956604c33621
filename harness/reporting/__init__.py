"""What a report, a plan and a terminal say of experiments, worked out from finished stages."""

from .assertions import EffectAssertion, effect_assertions
from .claim_source import source_tree
from .estimates import estimate_of, spent_on, unfinished
from .experiment_digest import experiment_digest
from .gate_lines import gate_lines
from .plan_overview import experiment_table, overview_lines, plan_as_data
from .plan_text import plan_lines
from .power_warnings import design_lines, planned_design
from .registration import (
    SUFFIX,
    Registration,
    StatedClaim,
    read_registrations,
    stated_claim,
    write_registration,
)
from .registration_facts import registration_rows
from .registration_marks import marked, with_untested
from .runs import make_run
from .seed_spread import known_spread
from .stage_facts import audit_rows, times_and_cost
from .summary import ClaimList, headline_of, measured_since, result_of, stages_of

__all__ = [
    "SUFFIX",
    "ClaimList",
    "EffectAssertion",
    "Registration",
    "StatedClaim",
    "audit_rows",
    "design_lines",
    "effect_assertions",
    "estimate_of",
    "experiment_digest",
    "experiment_table",
    "gate_lines",
    "headline_of",
    "known_spread",
    "make_run",
    "marked",
    "measured_since",
    "overview_lines",
    "plan_as_data",
    "plan_lines",
    "planned_design",
    "read_registrations",
    "registration_rows",
    "result_of",
    "source_tree",
    "spent_on",
    "stages_of",
    "stated_claim",
    "times_and_cost",
    "unfinished",
    "with_untested",
    "write_registration",
]
