"""How to run: everything that a command line decides and an experiment does not."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ...datasets import validation as checks
from ...datasets.errors import SpecError
from ...datasets.store_layout import DEFAULT_FOLDER
from ..executors import LOCAL, check_executor, needs_from
from .environment import (
    dollars_from,
    from_environment,
    names_from,
    retries_from,
    whole_number_from,
)

if TYPE_CHECKING:
    from ...backends import Needs, ServiceTerms


WAITING = 512
"""Stages that wait for a service side by side."""


def cores() -> int:
    """The processor cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _text(name: str) -> str | None:
    return from_environment(name)[0]


def _path(name: str) -> Path | None:
    text = _text(name)
    return Path(text) if text else None


def _as_path(name: str, value: object) -> Path:
    """A path that may be given as a text."""
    if not isinstance(value, str | os.PathLike) or not str(value):
        raise SpecError(f"{name}={value!r} must be a path")
    return Path(value).absolute()  # a function of a spec may change the current folder


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Which backend, which model, where the store lies, and how much runs side by side.

    What is not given is taken from the environment: ``LIMEN_BACKEND``, ``LIMEN_MODEL``,
    ``LIMEN_OTHER_MODEL``, ``LIMEN_SEEDS``, ``LIMEN_STORE``, ``LIMEN_WORKERS``, ``LIMEN_BUDGET``,
    ``LIMEN_PRICES``, ``LIMEN_SAMPLING_PRECISION``, ``LIMEN_EXECUTOR``, ``LIMEN_NEEDS``,
    ``LIMEN_EXECUTOR_ENV`` and ``LIMEN_EXECUTOR_RETRIES``. Paths can be given as texts, and are made
    absolute. The time limit of a spec's own functions, ``LIMEN_FUNCTION_TIMEOUT``, holds for the
    whole process and is no setting of one lab. Raises :class:`~limen.SpecError` for a value that is
    not of its type.

    Args:
        backend: "toy", "local", "openai", "tinker", "inspect" or a third party's. Default:
            `LIMEN_BACKEND`, or "toy".
        model: The base model of experiments that name none; the backend's own choice unless given.
            Default: from the environment.
        other_model: A second base model, for experiments that need one; the backend's own choice
            unless given. Default: from the environment.
        seeds: Seeds an arm, in place of the experiments' own. Default: from the environment.
        store: The folder of all stages. Default: `LIMEN_STORE`, or ".limen" in the current folder.
        workers: Stages side by side: unless given one a core, or 512 that wait for a service.
            Default: from the environment.
        wait: Wait for a service's fine-tuning jobs and batches; else their arms are pending.
            Default: True.
        batch: Sample through the service's batch interface. Default: False.
        budget: US dollars that the run may spend at a service. Default: `LIMEN_BUDGET`, or no
            limit.
        share: Processes that do the run together (pytest-xdist's workers): they divide cores and
            budget. Default: 1.
        prices: A file of prices that go before those that limen knows. Default: from the
            environment.
        openai: How the backend ``openai`` asks a server, such as ``{"n": 1, "seed": "none"}``; what
            is not named is taken from ``LIMEN_OPENAI_N`` and like, or found by trying. Default:
            from the environment.
        sampling_precision: "bfloat16" to sample open weights so on a processor, "auto" if it
            multiplies in bfloat16, "float32" not to. Default: `LIMEN_SAMPLING_PRECISION`, or
            "float32".
        sampling_engine: "vllm" to sample open weights by vLLM, "auto" if it is installed and there
            is a GPU, "limen" not to. Default: `LIMEN_SAMPLING_ENGINE`, or "limen".
        quantization: "nf4" to load open weights in four bits (QLoRA), "none" not to. Default:
            `LIMEN_QUANTIZATION`, or "none".
        executor: Where stages run: ``local``, ``ray``, ``dask`` or another, with ``:ADDRESS`` where
            needed. Default: from the environment.
        needs: What stages that run a model need on an executor, before what specs and backends
            state. Default: from the environment.
        shared_store: Whether the executor's nodes see the store; else inputs and outputs are sent
            through it. Default: True.
        executor_env: The environment variables that workers are given, by name. Default: from the
            environment.
        executor_retries: How often a stage is run again after its worker was lost. Default: from
            the environment.
        estimate_only: Only plan: a service's key or network may be missing. Default: False.

    Examples:
        >>> lab = Lab(Settings(store=".limen", workers=2))
    """

    backend: str = field(default_factory=lambda: _text("backend") or "toy")
    model: str | None = field(default_factory=lambda: _text("model"))
    """The base model of experiments that name none; the backend's own choice unless given."""
    other_model: str | None = field(default_factory=lambda: _text("other_model"))
    """A second base model, for experiments that need one; the backend's own choice unless given."""
    seeds: int | None = field(default_factory=lambda: whole_number_from(*from_environment("seeds")))
    """Seeds an arm, in place of the experiments' own."""
    store: Path = field(default_factory=lambda: Path(_text("store") or DEFAULT_FOLDER))
    workers: int | None = field(
        default_factory=lambda: whole_number_from(*from_environment("workers"))
    )
    """Stages side by side: unless given one a core, or 512 that wait for a service."""
    wait: bool = True
    """Wait for a service's fine-tuning jobs and batches; else their arms are pending."""
    batch: bool = False
    """Sample through the service's batch interface."""
    budget: float | None = field(default_factory=lambda: dollars_from(*from_environment("budget")))
    """US dollars that the run may spend at a service."""
    share: int = 1
    """Processes that do the run together (pytest-xdist's workers): they divide cores and budget."""
    prices: Path | None = field(default_factory=lambda: _path("prices"))
    """A file of prices that go before those that limen knows."""
    openai: Mapping[str, str | float] = field(default_factory=dict, hash=False)
    """How the backend ``openai`` asks a server, such as ``{"n": 1, "seed": "none"}``; what is not
    named is taken from ``LIMEN_OPENAI_N`` and like, or found by trying."""
    sampling_precision: str | None = field(default_factory=lambda: _text("sampling_precision"))
    """The number format in which open weights are sampled from on a processor."""
    sampling_engine: str | None = field(default_factory=lambda: _text("sampling_engine"))
    """What samples from open weights: limen itself, or vLLM."""
    quantization: str | None = field(default_factory=lambda: _text("quantization"))
    """The number format in which open weights are loaded, if not as they are."""
    executor: str = field(default_factory=lambda: _text("executor") or LOCAL)
    """Where stages run: ``local``, ``ray``, ``dask`` or another, with ``:ADDRESS`` where needed."""
    needs: "Needs | None" = field(default_factory=lambda: needs_from(*from_environment("needs")))
    """What stages that run a model need on an executor, before what specs and backends state."""
    shared_store: bool = True
    """Whether the executor's nodes see the store; else inputs and outputs are sent through it."""
    executor_env: tuple[str, ...] = field(default_factory=lambda: names_from(_text("executor_env")))
    """The environment variables that workers are given, by name."""
    executor_retries: int = field(
        default_factory=lambda: retries_from(*from_environment("executor_retries"))
    )
    """How often a stage is run again after its worker was lost."""
    estimate_only: bool = False
    """Only plan: a service's key or network may be missing."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "store", _as_path("store", self.store))
        if self.prices is not None:
            object.__setattr__(self, "prices", _as_path("prices", self.prices))
        if self.workers is not None:
            checks.count("workers", self.workers)
        checks.budget(self.budget)
        if self.executor != LOCAL:
            check_executor(self.executor)
        if self.seeds is not None:
            checks.count("seeds", self.seeds)

    @property
    def terms(self) -> "ServiceTerms":
        """What the run allows a service to do, and how an engine samples."""
        from ...backends import ServiceTerms
        from ...backends.quantization import chosen_quantization
        from ...backends.sampling_engine import chosen_engine
        from ...backends.sampling_precision import chosen_precision

        budget = None if self.budget is None else self.budget / self.share
        return ServiceTerms(
            wait=self.wait,
            batch=self.batch,
            budget=budget,
            prices=self.prices,
            estimate_only=self.estimate_only,
            choices={name: str(value) for name, value in self.openai.items()},
            sampling_precision=chosen_precision(self.sampling_precision),
            sampling_engine=chosen_engine(self.sampling_engine),
            quantization=chosen_quantization(self.quantization),
        )

    def side_by_side(self, *, waiting: bool, most: int | None = None) -> int:
        """Stages to do at a time, where they work on this machine or wait for a service.

        ``most`` is what the backend can do at a time on this machine, unless the run says.

        Args:
            waiting: Whether the stages wait for a service, so that they need no core.
            most: How many a backend can take at most. Default: None, one a core.
        """
        if self.workers is not None:
            return self.workers
        if waiting:
            return WAITING
        return max(1, min(cores() // self.share, most or cores()))
