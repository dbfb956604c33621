"""What a finished training has made: its models, and its losses."""

from .. import records
from ..base import Checkpoint, FineTuned, Job, Recipe
from ..recipes import steps_of
from .students import job_digest
from .training import Epoch


def fine_tuned(job: Job, recipe: Recipe, finished: records.Record) -> FineTuned:
    """The result of a job, from the record of its training."""
    model = f"ft:{job.model}:{job_digest(job)}"
    epochs = [Epoch(**epoch) for epoch in finished["epochs"]]
    kept = epochs if recipe["method"] == "lora" else []
    after = tuple(
        Checkpoint(model=f"{model}:s{step}", step=step, loss=None) for step in steps_of(recipe)
    )
    ends = tuple(
        Checkpoint(
            model=model if number == len(epochs) else f"{model}:{number}",
            step=epoch.step,
            loss=epoch.loss,
            validation_loss=epoch.validation_loss,
        )
        for number, epoch in enumerate(kept, start=1)
    )
    return FineTuned(
        model=model,
        examples=finished["examples"],
        tokens=finished["tokens"],
        losses=tuple(epoch.loss for epoch in epochs if epoch.loss is not None),
        checkpoints=(*after, *ends[-1:]) if after else ends,
    )
