"""The form in which a fine-tuning job is asked for: which fields a server takes."""

import re
from dataclasses import dataclass, replace
from typing import Any, Final

from ..base import Job
from .errors import Failure, FailureKind

SETTINGS: Final = {
    "epochs": "n_epochs",
    "batch_size": "batch_size",
    "learning_rate_multiplier": "learning_rate_multiplier",
}
"""A recipe's settings, and what the wire calls them."""
_FIELDS: Final = ("method", "metadata", "seed")
_UNKNOWN = re.compile(
    r"unsupported|not support|unknown|unrecogni[sz]ed|unexpected|extra|not permitted|not allowed"
    r"|no such (field|parameter)|invalid (parameter|argument|field)"
)


@dataclass(frozen=True)
class JobForm:
    """The fields that are sent; each is left out once a server refuses it as unknown."""

    method: bool = True
    """Whether the settings stand in ``method``; else in ``hyperparameters``, as they once did."""
    metadata: bool = True
    """Whether limen's tag is sent, by which a job is found again."""
    seed: bool = True

    def body(self, job: Job, file_id: str, tag: str) -> Any:
        """The arguments of the SDK's call."""
        settings = hyperparameters(job)
        body: dict[str, Any] = {"model": job.model, "training_file": file_id}
        if self.method:
            supervised = {"hyperparameters": settings}
            body["method"] = {"type": "supervised", "supervised": supervised}
        else:
            body["hyperparameters"] = settings
        if self.metadata:
            body["metadata"] = {"limen": tag}
        if self.seed:
            body["seed"] = job.seed
        return body

    def simpler(self, failure: Failure) -> "JobForm | None":
        """The form without the field that a server refuses as unknown; None if it means none."""
        if failure.kind is not FailureKind.REFUSED:
            return None
        details = failure.details
        named = details.param.partition(".")[0]
        fields = (f for f in _FIELDS if f == named or (not named and f in details.words))
        field = next(fields, None)
        if field is None or not _UNKNOWN.search(details.words):
            return None
        sent = {"method": self.method, "metadata": self.metadata, "seed": self.seed}[field]
        return replace(self, **{field: False}) if sent else None


def hyperparameters(job: Job) -> Any:
    """The recipe as the wire has it."""
    return {SETTINGS[name]: value for name, value in job.recipe.items() if name in SETTINGS}
