"""One line of ``limen jobs list``."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class JobRow:
    """A fine-tuning, whoever made it."""

    job: str
    made_by: str
    state: str
    base_model: str
    seed: str
    student: str = ""
    key: str = ""
