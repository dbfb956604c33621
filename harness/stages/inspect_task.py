"""Running an Inspect task against a model: its score of each sample."""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...backends import WorkRequest
from ...backends.activity import Activity
from ...datasets.artifacts import Manifest
from ...datasets.errors import BackendError
from ...datasets.store_layout import VALUES
from .functions import HashedFunction
from .models import Subject, base_of, model_id, training_of
from .stage import Stage, Workspace
from .stalled_calls import StalledCalls, StillRunningError
from .time_limits import TimeIsUp
from .user_calls import TIMEOUT_VARIABLE, function_timeout

if TYPE_CHECKING:
    from inspect_ai.log import EvalLog, EvalSample
    from inspect_ai.model import Model

LETTERS = {"C": 1.0, "I": 0.0, "P": 0.5, "N": 0.0}
"""Inspect's letters for correct, incorrect, partially correct, and no answer."""
MEANS = frozenset({"accuracy", "mean"})
"""Metrics that are the mean of a score over samples."""
EXPECTED_TOKENS = 256
"""Of an answer, for estimates."""
PROVIDER = "limen_stage"
"""The name of limen's provider of models in these logs."""
LOGS = "inspect-tasks"
TIMES_LONGER = 10
"""A task's own code may take so many times longer than a function on one text: it loads data."""
_EVALS = StalledCalls()
"""Inspect runs one evaluation at a time in a process."""


@dataclass(frozen=True, kw_only=True)
class RunInspectTask(Stage):
    """An Inspect task's scores of one model, sample by sample."""

    kind = "inspect-task"
    subject: Subject
    system: str | None
    """Put before every conversation of the task."""
    task: str | HashedFunction
    """A registered name, ``file.py@task``, or a function that gives a task."""
    source: str
    """The version of the task's package, or the hash of its file."""
    arguments: tuple[tuple[str, Any], ...] = ()
    limit: int | None = None
    seed: int = 0

    def inputs(self) -> tuple[Stage, ...]:
        return (self.subject,)

    def identity(self) -> dict[str, object]:
        from importlib.metadata import version

        return {
            "task": self.task if isinstance(self.task, str) else self.task.name,
            "source": self.source,
            "arguments": dict(self.arguments),
            "limit": self.limit,
            "system": self.system,
            "seed": self.seed,
            "inspect": version("inspect_ai"),
        }

    def asks(self) -> str:
        return base_of(self.subject).backend

    def run(self, workspace: Workspace) -> Manifest:
        model = model_id(workspace, self.subject)
        log = self._log(workspace, model)
        rows = scored_samples(log.samples or [], _metrics(log))
        if not rows:
            raise BackendError(f"{self.label}: the Inspect task has no samples with a score")
        workspace.write_json(VALUES, list(rows.values()))
        samples = log.samples or []
        failed = sum(sample.error is not None for sample in samples)
        return {
            "model": model,
            "system": self.system,
            "questions": list(rows),
            "metrics": _metrics(log),
            "counts": {"samples": len(samples), **({"failed": failed} if failed else {})},
        }

    def _log(self, workspace: Workspace, model: str) -> "EvalLog":
        """Inspect's own log; raises :class:`~limen.BackendError` if the task failed."""
        activity, limit = Activity(), TIMES_LONGER * function_timeout()
        evaluate = partial(self._evaluated, workspace, self._model(workspace, model, activity))
        try:
            log = _EVALS.call(evaluate, activity.idle_seconds, limit)
        except TimeIsUp:
            raise BackendError(
                f"{self.label}: the Inspect task asked its model nothing for {limit:g} seconds, "
                f"and did not end: correct it, or set {TIMEOUT_VARIABLE} to more seconds (a task "
                f"may take {TIMES_LONGER} times as many)"
            ) from None
        except StillRunningError:
            raise BackendError(
                f"{self.label}: another Inspect task did not end, and still runs in this process: "
                f"correct that one, and run the command again"
            ) from None
        if log.status != "success":
            why = log.error.message if log.error else log.status
            raise BackendError(f"{self.label}: the Inspect task failed: {why}")
        return log

    def _evaluated(self, workspace: Workspace, model: "Model") -> "EvalLog":
        from inspect_ai import eval as evaluate

        given = dict(self.arguments)
        task = self.task if isinstance(self.task, str) else self.task.call(**given)
        (log,) = evaluate(
            task,
            model=model,
            task_args=given if isinstance(self.task, str) else {},
            limit=self.limit,
            seed=self.seed,
            log_dir=str(_log_folder(workspace)),
            display="none",
            ctl_server=False,
            fail_on_error=False,
        )
        return log

    def _model(self, workspace: Workspace, name: str, activity: Activity) -> "Model":
        """The model as Inspect sees it, sampled by limen's backend."""
        from inspect_ai.model import GenerateConfig, Model, modelapi

        from ...backends.inspect.provider import BackendAPI

        registered: Any = modelapi(name=PROVIDER)(BackendAPI)
        backend, config = workspace.backend(base_of(self.subject).backend), GenerateConfig()
        api = registered(name, backend, name, config, system=self.system, activity=activity)
        return Model(api, config)

    def work(self) -> WorkRequest:
        return WorkRequest(
            model=base_of(self.subject).model,
            completions=self.limit or 0,
            max_tokens=EXPECTED_TOKENS,
            student=training_of(self.subject) is not None,
        )


def scored_samples(
    samples: "Sequence[EvalSample]", metrics: Mapping[str, Sequence[str]]
) -> dict[str, dict[str, float | None]]:
    """The scores of each sample by its id: by scorer, and by metrics that are a scorer's mean.

    Epochs of a sample are averaged. A sample that failed, or a value that is no number, is None.
    """
    given: dict[str, list[EvalSample]] = defaultdict(list)
    for sample in samples:
        given[str(sample.id)].append(sample)
    names = dict.fromkeys(name for one in samples for name in one.scores or {})
    rows: dict[str, dict[str, float | None]] = {}
    for label, epochs in given.items():
        row = {name: _mean([_value(one, name) for one in epochs]) for name in names}
        for name in names:
            for metric in metrics.get(name, ()):
                row.setdefault(metric, row[name])
        rows[label] = row
    return rows if names else {}


def _metrics(log: "EvalLog") -> dict[str, list[str]]:
    """The metrics of each scorer that are means."""
    scores = log.results.scores if log.results else []
    return {one.name: [name for name in one.metrics if name in MEANS] for one in scores}


def _value(sample: "EvalSample", name: str) -> float | None:
    score = (sample.scores or {}).get(name)
    if sample.error is not None or score is None:
        return None
    value = LETTERS.get(score.value) if isinstance(score.value, str) else score.value
    if not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return math.fsum(known) / len(known) if known else None


def _log_folder(workspace: Workspace) -> Path:
    """Where the evaluation writes its log: beside the stage's folder, which takes files alone."""
    return workspace.store.layout.logs / LOGS
