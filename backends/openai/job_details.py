"""Reading fine-tuning jobs and lists: tolerant of what servers name in another way or leave out."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from .responses import whole_number

if TYPE_CHECKING:
    from openai.types.fine_tuning import FineTuningJob

SUCCEEDED, FAILED, CANCELLED = "succeeded", "failed", "cancelled"
STATES: Mapping[str, str] = {
    **dict.fromkeys(("complete", "completed", "done", "finished", "success"), SUCCEEDED),
    **dict.fromkeys(("error", "errored", "fail", "failure", "invalid"), FAILED),
    **dict.fromkeys(("aborted", "canceled", "stopped", "terminated"), CANCELLED),
}
"""Other names of the states in which a job has ended."""
MODEL_NAMES = ("model_output_name", "output_name", "output_model", "result_model", "model_id")
"""Other names of the field with the model that was made."""


def state_name(status: object) -> str:
    """A job's or a file's state in OpenAI's words, or as it is in lower case."""
    word = str(status).strip().lower().removeprefix("job_state_")
    return STATES.get(word, word)


def normalized(job: "FineTuningJob") -> "FineTuningJob":
    """The job with its state, its model and its counts under the usual names."""
    extra = job.model_extra or {}
    job.status = cast(Any, state_name(job.status))
    if not job.fine_tuned_model:
        names = (extra.get(name) for name in MODEL_NAMES)
        job.fine_tuned_model = next((n for n in names if isinstance(n, str) and n), None)
    trained = whole_number(job.trained_tokens)
    job.trained_tokens = None if trained is None or trained < 0 else trained
    return job


def tag_of(item: object) -> str | None:
    """Limen's tag in the metadata of a job or batch; servers may leave metadata out."""
    metadata = cast(Any, item).metadata
    tag = metadata.get("limen") if isinstance(metadata, dict) else None
    return tag if isinstance(tag, str) else None
