"""How to run: everything that a command line decides and an experiment does not."""

import os
from dataclasses import dataclass, field
from pathlib import Path

from . import checks


def cores() -> int:
    """The processor cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Which backend, which model, where the store lies, and how much runs side by side."""

    backend: str = "toy"
    model: str | None = None
    """The base model of experiments that name none; the backend's own choice unless given."""
    seeds: int | None = None
    """Seeds an arm, in place of the experiments' own."""
    store: Path = Path(".limen")
    workers: int = field(default_factory=cores)

    def __post_init__(self) -> None:
        checks.count("workers", self.workers)
        if self.seeds is not None:
            checks.count("seeds", self.seeds)
