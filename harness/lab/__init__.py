"""From experiments to results: pipelines of stages, running them, the gate, and the arms."""

from .arm_mapping import ArmMapping
from .arms import Arm, ModelAnswers
from .executors import local_executor, thread_executor
from .gate import TraitCheck, check_trait
from .lab import Lab
from .pipeline import ModelStages, Pipeline, in_order
from .pipeline_builder import base
from .plan import Plan
from .progress import ProgressListener, progress_on
from .scheduler import execute
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
    "check_trait",
    "execute",
    "in_order",
    "local_executor",
    "progress_on",
    "thread_executor",
]
