"""From experiments to results: pipelines of stages, running them, the gate, and the arms."""

from .answer_tables import AnswerTable, Columns, read_tables
from .answers import ModelAnswers, stored_answers
from .arm_mapping import ArmMapping
from .arm_reading import read_model
from .arms import Arm
from .compared_answers import (
    arm_of_tables,
    beside_each_other,
    compare_answers,
    distance_of,
    effect_of,
    remarks,
)
from .durations import TimeEstimate, estimated_time, service_time
from .environment import (
    dollars_from,
    from_environment,
    model_for,
    names_from,
    retries_from,
    whole_number_from,
)
from .executors import local_executor, thread_executor
from .gate import TraitCheck, check_trait, most_frequent_answers
from .grids import GridResults, grid_arms, grid_of
from .interruption import interruptible, kept_in
from .lab import Lab, Wanted
from .measure_support import check_backend_measures, check_backend_objectives
from .measured_models import MeasuredModels
from .notebook_progress import default_listener
from .pipeline import ModelStages, Pipeline, in_order, teacher_arms, with_previous
from .plan import Plan
from .progress import ProgressListener, progress_on
from .scheduler import execute
from .settings import Settings, cores
from .stage_builders import arm_answers, base, leak_audit, student, training_file
from .training_checks import check_trainings
from .training_origins import TrainingOrigin, training_origin
from .trajectories import TrajectoryResults, mean_over_training

__all__ = [
    "AnswerTable",
    "Arm",
    "ArmMapping",
    "Columns",
    "GridResults",
    "Lab",
    "MeasuredModels",
    "ModelAnswers",
    "ModelStages",
    "Pipeline",
    "Plan",
    "ProgressListener",
    "Settings",
    "TimeEstimate",
    "TrainingOrigin",
    "TraitCheck",
    "TrajectoryResults",
    "Wanted",
    "arm_answers",
    "arm_of_tables",
    "base",
    "beside_each_other",
    "check_backend_measures",
    "check_backend_objectives",
    "check_trainings",
    "check_trait",
    "compare_answers",
    "cores",
    "default_listener",
    "distance_of",
    "dollars_from",
    "effect_of",
    "estimated_time",
    "execute",
    "from_environment",
    "grid_arms",
    "grid_of",
    "in_order",
    "interruptible",
    "kept_in",
    "leak_audit",
    "local_executor",
    "mean_over_training",
    "model_for",
    "most_frequent_answers",
    "names_from",
    "progress_on",
    "read_model",
    "read_tables",
    "remarks",
    "retries_from",
    "service_time",
    "stored_answers",
    "student",
    "teacher_arms",
    "thread_executor",
    "training_file",
    "training_origin",
    "whole_number_from",
    "with_previous",
]
