"""From experiments to results: the pipeline of stages, its scheduler, the gate, and the arms."""

from .answers import ModelAnswers
from .arm_mapping import ArmMapping
from .arms import Arm
from .gate import TraitCheck, check_trait
from .lab import Lab, Plan
from .pipeline import ModelStages, Pipeline, base, check_arm, in_order
from .scheduler import ProgressListener, execute, local_executor, thread_executor
from .settings import Settings

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
    "base",
    "check_arm",
    "check_trait",
    "execute",
    "in_order",
    "local_executor",
    "thread_executor",
]
