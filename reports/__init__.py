"""What people read: a markdown report with figures, from finished results alone."""

from .markdown import write_report
from .model import (
    ArmRow,
    Claim,
    CostRow,
    DataRow,
    EffectRow,
    Report,
    Result,
    result_from_json,
    result_to_json,
)

__all__ = [
    "ArmRow",
    "Claim",
    "CostRow",
    "DataRow",
    "EffectRow",
    "Report",
    "Result",
    "result_from_json",
    "result_to_json",
    "write_report",
]
