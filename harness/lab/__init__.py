"""From experiments to results: the pipeline of stages, its scheduler, the gate, and the arms."""

from .answers import ModelAnswers, stored_answers
from .arm_mapping import ArmMapping
from .arms import Arm
from .gate import TraitCheck, check_trait
from .lab import Lab, Plan
from .pipeline import ModelStages, Pipeline, check_arm, in_order
from .scheduler import ProgressListener, execute, local_executor, thread_executor
from .settings import Settings
from .stage_builders import arm_answers, base, leak_audit, student, training_file

__all__ = [
    "Arm",
    "ArmMapping",
    "Lab",
    "ModelAnswers",
    "ModelStages",
    "Pipeline",
    "Plan",
    "ProgressListener",
    "Settings",
    "TraitCheck",
    "arm_answers",
    "base",
    "check_arm",
    "check_trait",
    "execute",
    "in_order",
    "leak_audit",
    "local_executor",
    "stored_answers",
    "student",
    "thread_executor",
    "training_file",
]
