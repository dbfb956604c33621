"""What people read, from finished results alone: reports, figures, run records, data frames."""

from .answer_frames import answer_batches, answers
from .frames import arms, claims, effects, models, stages
from .model import (
    ArmRow,
    AuditRow,
    Claim,
    CostRow,
    DataRow,
    EffectRow,
    Example,
    JudgeRow,
    ModelsRow,
    ReadingRow,
    Report,
    Result,
    Run,
    Times,
    result_from_json,
    result_to_json,
)
from .records import keep_run, read_run, report_of, run_files, runs_of
from .write import write_report, write_runs

__all__ = [
    "ArmRow",
    "AuditRow",
    "Claim",
    "CostRow",
    "DataRow",
    "EffectRow",
    "Example",
    "JudgeRow",
    "ModelsRow",
    "ReadingRow",
    "Report",
    "Result",
    "Run",
    "Times",
    "answer_batches",
    "answers",
    "arms",
    "claims",
    "effects",
    "keep_run",
    "models",
    "read_run",
    "report_of",
    "result_from_json",
    "result_to_json",
    "run_files",
    "runs_of",
    "stages",
    "write_report",
    "write_runs",
]
