"""What people read: a markdown report with figures, from finished results alone."""

from .markdown import write_report
from .model import (
    ArmRow,
    AuditRow,
    Claim,
    CostRow,
    DataRow,
    EffectRow,
    JudgeRow,
    ModelsRow,
    ReadingRow,
    Report,
    Result,
    result_from_json,
    result_to_json,
)

__all__ = [
    "ArmRow",
    "AuditRow",
    "Claim",
    "CostRow",
    "DataRow",
    "EffectRow",
    "JudgeRow",
    "ModelsRow",
    "ReadingRow",
    "Report",
    "Result",
    "result_from_json",
    "result_to_json",
    "write_report",
]
