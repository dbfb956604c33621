"""How to run: everything that a command line decides and an experiment does not."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ...datasets import validation as checks

if TYPE_CHECKING:
    from ...backends import ServiceTerms


WAITING = 512
"""Stages that wait for a service side by side."""


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
    other_model: str | None = None
    """A second base model, for experiments that need one; the backend's own choice unless given."""
    seeds: int | None = None
    """Seeds an arm, in place of the experiments' own."""
    store: Path = Path(".limen")
    workers: int | None = None
    """Stages side by side: unless given one a core, or 512 that wait for a service."""
    wait: bool = True
    """Wait for a service's fine-tuning jobs and batches; else their arms are pending."""
    batch: bool = False
    """Sample through the service's batch interface."""
    budget: float | None = None
    """US dollars that the run may spend at a service."""
    share: int = 1
    """Processes that do the run together (pytest-xdist's workers): they divide cores and budget."""
    prices: Path | None = None
    """A file of prices that go before those that limen knows."""

    def __post_init__(self) -> None:
        if self.workers is not None:
            checks.count("workers", self.workers)
        checks.budget(self.budget)
        if self.seeds is not None:
            checks.count("seeds", self.seeds)

    @property
    def terms(self) -> "ServiceTerms":
        """What the run allows a service to do."""
        from ...backends import ServiceTerms

        budget = None if self.budget is None else self.budget / self.share
        return ServiceTerms(wait=self.wait, batch=self.batch, budget=budget, prices=self.prices)

    def side_by_side(self, *, waiting: bool, most: int | None = None) -> int:
        """Stages to do at a time, where they work on this machine or wait for a service.

        ``most`` is what the backend can do at a time on this machine, unless the run says.
        """
        if self.workers is not None:
            return self.workers
        if waiting:
            return WAITING
        return max(1, min(cores() // self.share, most or cores()))
