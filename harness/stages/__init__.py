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
    TARGET_AUDIT,
    TRAINING,
    VALUES,
    StoreLayout,
)
from .adopt import adopt, unchecked
from .ask_about_rows import AskAboutRows
from .audit import Audit, CompareData
from .continue_chat import ContinueChat
from .deduplicate import Deduplicate, SameBy
from .filter import Filter
from .function_source import is_users
from .functions import HashedFunction, hashed_function
from .generate import Generate, GenerateEnough, ProgramRows
from .given_rows import GivenRows
from .input_files import (
    InputFile,
    StoredFile,
    UserFile,
    is_training_file,
    sample_of,
)
from .inspect_process import end_evaluations
from .inspect_task import RunInspectTask
from .judged_rows import KeepJudged, ReplyRule, RewordRows
from .lesson_rows import AnswersAsRows, GivenAnswers, TaughtPairs
from .map_rows import MapRows
from .match_lengths import MatchLengths
from .measure import AskQuestions, ComputeProbabilities, JudgeReplies
from .mix import MixRows, split_by_shares
from .models import (
    WEIGHTS,
    Base,
    Checkpoint,
    FineTune,
    Subject,
    base_of,
    check_student,
    model_of,
    training_of,
)
from .number_prompts import NumberPrompts
from .preference_pairs import PairByScore, PairByWriter, RejectedAnswers, ScoreByJudge
from .probabilities import ScoreContinuations
from .prompts import (
    SAMPLE_SIZE,
    EndedPrompts,
    FilledPrompts,
    ListedPrompts,
    Prompts,
    WrittenPrompts,
)
from .remaining_work import remaining_work
from .repair import DamagedStage, set_aside_damage
from .replies_about import filled_prompt
from .row_changes import (
    FirstNumbers,
    FirstWords,
    PermuteDigits,
    PermuteNumbers,
    Prefix,
    RowChange,
    SystemPrompt,
)
from .row_functions import row_function
from .row_log import Row, RowLog, read_rows, write_rows
from .row_rules import (
    Finished,
    Paraphrase,
    PythonCode,
    RightAnswer,
    RowRule,
    Without,
    WordCount,
)
from .row_stages import ChoosingStage, PromptedStage, PromptSample, RowsStage, TrainingFileStage
from .rules import Rule, checked_rule
from .sampling import answers_in_store, usage_in_store
from .score_by_likelihood import PromptedModel, ScoreByLikelihood
from .select_rows import RowScores, ScoreByColumn, ScoreByFunction, SelectRows, Which
from .shuffle import Shuffle, Shuffling
from .side_effects import watched_calls
from .stage import DECIDING, Stage, Workspace, backend_of, forget_backends, run_stage
from .store import ArtifactDraft, Store, canonical
from .token_targets import DivergenceWeights, SoftTargets, TargetsStage, WeightsByFunction
from .training_objective import OnPolicyTeacher, TrainingObjective
from .training_rows import conversation_of, write_training_rows
from .trainings import trainings_in
from .transfer import (
    StoredArtifact,
    artifacts_of,
    copy_artifacts,
    damage_in,
    of_other_backends,
    pack,
    unpack,
)
from .user_calls import (
    SHOWN,
    TIMEOUT_VARIABLE,
    call_on_text,
    record_calls,
    set_function_timeout,
    shown,
    timeout_from,
    try_on_texts,
)
from .user_functions import calls_user_function
from .user_trials import without_trials

__all__ = [
    "ANSWERS",
    "AUDIT",
    "CHANCES",
    "CONTRAST",
    "DECIDING",
    "KEPT",
    "PROVENANCE",
    "RATINGS",
    "REJECTED",
    "ROWS",
    "SAMPLE_SIZE",
    "SHOWN",
    "TALLY",
    "TARGET_AUDIT",
    "TIMEOUT_VARIABLE",
    "TRAINING",
    "VALUES",
    "WEIGHTS",
    "AnswersAsRows",
    "ArtifactDraft",
    "AskAboutRows",
    "AskQuestions",
    "Audit",
    "Base",
    "Checkpoint",
    "ChoosingStage",
    "CompareData",
    "ComputeProbabilities",
    "ContinueChat",
    "DamagedStage",
    "Deduplicate",
    "DivergenceWeights",
    "EndedPrompts",
    "FilledPrompts",
    "Filter",
    "FineTune",
    "Finished",
    "FirstNumbers",
    "FirstWords",
    "Generate",
    "GenerateEnough",
    "GivenAnswers",
    "GivenRows",
    "HashedFunction",
    "InputFile",
    "JudgeReplies",
    "KeepJudged",
    "ListedPrompts",
    "Manifest",
    "MapRows",
    "MatchLengths",
    "MixRows",
    "NumberPrompts",
    "OnPolicyTeacher",
    "PairByScore",
    "PairByWriter",
    "Paraphrase",
    "PermuteDigits",
    "PermuteNumbers",
    "Prefix",
    "ProgramRows",
    "PromptSample",
    "PromptedModel",
    "PromptedStage",
    "Prompts",
    "PythonCode",
    "RejectedAnswers",
    "ReplyRule",
    "RewordRows",
    "RightAnswer",
    "Row",
    "RowChange",
    "RowLog",
    "RowRule",
    "RowScores",
    "RowsStage",
    "Rule",
    "RunInspectTask",
    "SameBy",
    "ScoreByColumn",
    "ScoreByFunction",
    "ScoreByJudge",
    "ScoreByLikelihood",
    "ScoreContinuations",
    "SelectRows",
    "Shuffle",
    "Shuffling",
    "SoftTargets",
    "Stage",
    "Store",
    "StoreLayout",
    "StoredArtifact",
    "StoredFile",
    "Subject",
    "SystemPrompt",
    "TargetsStage",
    "TaughtPairs",
    "TrainingFileStage",
    "TrainingObjective",
    "UserFile",
    "WeightsByFunction",
    "Which",
    "Without",
    "WordCount",
    "Workspace",
    "WrittenPrompts",
    "adopt",
    "answers_in_store",
    "artifacts_of",
    "backend_of",
    "base_of",
    "call_on_text",
    "calls_user_function",
    "canonical",
    "check_student",
    "checked_rule",
    "conversation_of",
    "copy_artifacts",
    "damage_in",
    "digest_of",
    "end_evaluations",
    "filled_prompt",
    "forget_backends",
    "hashed_function",
    "is_training_file",
    "is_users",
    "model_of",
    "of_other_backends",
    "pack",
    "read_rows",
    "record_calls",
    "remaining_work",
    "row_function",
    "run_stage",
    "sample_of",
    "set_aside_damage",
    "set_function_timeout",
    "shown",
    "split_by_shares",
    "timeout_from",
    "training_of",
    "trainings_in",
    "try_on_texts",
    "unchecked",
    "unpack",
    "usage_in_store",
    "watched_calls",
    "without_trials",
    "write_rows",
    "write_training_rows",
]
