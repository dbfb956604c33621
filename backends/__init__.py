"""What samples and trains.

``open_backend("toy", home)`` gives a :class:`Backend`; its module is imported only then. Other
packages add backends by an entry point of the group ``limen.backends``.
"""

from .base import (
    Backend,
    BackendFactory,
    BatchSampling,
    Capabilities,
    Checkpoint,
    Completion,
    ContextRendering,
    Engine,
    ExactProbabilities,
    FineTuned,
    FineTuning,
    Job,
    Model,
    Progress,
    Quote,
    Recipe,
    Request,
    Service,
    ServiceTerms,
    Token,
    Usage,
    WordProbabilities,
    WorkRequest,
)
from .continuations import ContinuationRequest, ContinuationScorer, LogProbability
from .discovery import ENGINES, ENTRY_POINTS, backend_names, open_backend, open_engine
from .needs import Needs
from .objectives import (
    AnswerDistributions,
    DistributionRequest,
    OnPolicy,
    TokenObjective,
    TokenTraining,
)
from .recipes import (
    POSITIVE,
    POSITIVE_WHOLE,
    Accepts,
    check_recipe,
    complete_recipe,
    training_steps,
)
from .rendering import RenderedContext

__all__ = [
    "ENGINES",
    "ENTRY_POINTS",
    "POSITIVE",
    "POSITIVE_WHOLE",
    "Accepts",
    "AnswerDistributions",
    "Backend",
    "BackendFactory",
    "BatchSampling",
    "Capabilities",
    "Checkpoint",
    "Completion",
    "ContextRendering",
    "ContinuationRequest",
    "ContinuationScorer",
    "DistributionRequest",
    "Engine",
    "ExactProbabilities",
    "FineTuned",
    "FineTuning",
    "Job",
    "LogProbability",
    "Model",
    "Needs",
    "OnPolicy",
    "Progress",
    "Quote",
    "Recipe",
    "RenderedContext",
    "Request",
    "Service",
    "ServiceTerms",
    "Token",
    "TokenObjective",
    "TokenTraining",
    "Usage",
    "WordProbabilities",
    "WorkRequest",
    "backend_names",
    "check_recipe",
    "complete_recipe",
    "open_backend",
    "open_engine",
    "training_steps",
]
