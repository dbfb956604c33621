"""From a job to the rows that it trains on, and what it minimises."""

from ...datasets import chat
from ..base import Job
from ..preferences import read_pairs
from .context import Context
from .libraries import Tokenizer
from .objective_trainer import TrainerObjective
from .objectives import read_targets
from .preferences import Preferences
from .training_data import TrainingData, read_training_data


def job_objective(
    job: Job, tokenizer: Tokenizer, context: Context
) -> tuple[TrainingData, TrainerObjective | None]:
    """The rows of a job, and its objective; None for the completion loss."""
    given = job.objective
    if given is not None and given.kind == "DPO":
        pairs = read_pairs(job.training_file, given.file)
        context.check_complete(tokenizer, chat.read(job.training_file))
        preferences = Preferences(pairs, given.beta or 0.0, tokenizer, context)
        return preferences.preferred, preferences
    data = read_training_data(job.training_file, tokenizer, context)
    if given is None:
        return data, None
    targets, masked = read_targets(given, data)
    return masked, targets
