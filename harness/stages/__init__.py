"""The stages of an experiment and the store that keeps what each of them left."""

from .audit import AUDIT, CONTRAST, Audit, CompareData
from .functions import HashedFunction, hashed_function
from .generate import ROWS, Generate, GenerateEnough, ProgramRows
from .input_files import InputFile, StoredFile, UserFile, digest_of
from .measure import (
    CHANCES,
    RATINGS,
    TALLY,
    AskQuestions,
    ComputeProbabilities,
    JudgeReplies,
    filled_prompt,
)
from .models import Base, FineTune, Subject, base_of
from .number_prompts import PROBE, NumberPrompts
from .row_log import Row, RowLog, read_rows, write_rows
from .rows import (
    KEPT,
    TRAINING,
    AnswersAsRows,
    Filter,
    GivenAnswers,
    MatchLengths,
    MixRows,
    RowsStage,
    Shuffle,
    TrainingFileStage,
    split_by_shares,
)
from .stage import Stage, Workspace, backend_of, forget_backends, run_stage
from .store import ArtifactDraft, Manifest, Store, canonical
from .user_rows import read_user_rows

__all__ = [
    "AUDIT",
    "CHANCES",
    "CONTRAST",
    "KEPT",
    "PROBE",
    "RATINGS",
    "ROWS",
    "TALLY",
    "TRAINING",
    "AnswersAsRows",
    "ArtifactDraft",
    "AskQuestions",
    "Audit",
    "Base",
    "CompareData",
    "ComputeProbabilities",
    "Filter",
    "FineTune",
    "Generate",
    "GenerateEnough",
    "GivenAnswers",
    "HashedFunction",
    "InputFile",
    "JudgeReplies",
    "Manifest",
    "MatchLengths",
    "MixRows",
    "NumberPrompts",
    "ProgramRows",
    "Row",
    "RowLog",
    "RowsStage",
    "Shuffle",
    "Stage",
    "Store",
    "StoredFile",
    "Subject",
    "TrainingFileStage",
    "UserFile",
    "Workspace",
    "backend_of",
    "base_of",
    "canonical",
    "digest_of",
    "filled_prompt",
    "forget_backends",
    "hashed_function",
    "read_rows",
    "read_user_rows",
    "run_stage",
    "split_by_shares",
    "write_rows",
]
