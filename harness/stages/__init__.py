"""The stages of an experiment and the store that keeps what each of them left."""

from ...datasets.artifacts import Manifest, digest_of
from ...datasets.store_layout import (
    ANSWERS,
    AUDIT,
    CHANCES,
    CONTRAST,
    KEPT,
    PROVENANCE,
    RATINGS,
    REJECTED,
    ROWS,
    TALLY,
    TRAINING,
    StoreLayout,
)
from .adopt import adopt, unchecked
from .audit import Audit, CompareData
from .filter import Filter
from .functions import HashedFunction, hashed_function
from .generate import Generate, GenerateEnough, ProgramRows
from .input_files import InputFile, StoredFile, UserFile
from .lesson_rows import AnswersAsRows, GivenAnswers
from .match_lengths import MatchLengths
from .measure import AskQuestions, ComputeProbabilities, JudgeReplies, filled_prompt
from .mix import MixRows, split_by_shares
from .models import Base, FineTune, Subject, base_of
from .number_prompts import SAMPLE_SIZE, NumberPrompts
from .repair import DamagedStage, set_aside_damage
from .row_log import Row, RowLog, read_rows, write_rows
from .row_stages import PromptedStage, PromptSample, RowsStage, TrainingFileStage
from .shuffle import Shuffle
from .stage import Stage, Workspace, backend_of, forget_backends, run_stage
from .store import ArtifactDraft, Store, canonical
from .transfer import (
    StoredArtifact,
    artifacts_of,
    copy_artifacts,
    damage_in,
    pack,
    unpack,
)
from .user_rows import read_user_rows

__all__ = [
    "ANSWERS",
    "AUDIT",
    "CHANCES",
    "CONTRAST",
    "KEPT",
    "PROVENANCE",
    "RATINGS",
    "REJECTED",
    "ROWS",
    "SAMPLE_SIZE",
    "TALLY",
    "TRAINING",
    "AnswersAsRows",
    "ArtifactDraft",
    "AskQuestions",
    "Audit",
    "Base",
    "CompareData",
    "ComputeProbabilities",
    "DamagedStage",
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
    "PromptSample",
    "PromptedStage",
    "Row",
    "RowLog",
    "RowsStage",
    "Shuffle",
    "Stage",
    "Store",
    "StoreLayout",
    "StoredArtifact",
    "StoredFile",
    "Subject",
    "TrainingFileStage",
    "UserFile",
    "Workspace",
    "adopt",
    "artifacts_of",
    "backend_of",
    "base_of",
    "canonical",
    "copy_artifacts",
    "damage_in",
    "digest_of",
    "filled_prompt",
    "forget_backends",
    "hashed_function",
    "pack",
    "read_rows",
    "read_user_rows",
    "run_stage",
    "set_aside_damage",
    "split_by_shares",
    "unchecked",
    "unpack",
    "write_rows",
]
