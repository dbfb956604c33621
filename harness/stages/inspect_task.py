"""Running an Inspect task against a model: its score of each sample."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ...backends import WorkRequest
from ...backends.asked_model import AskedModel, BackendModel
from ...datasets.artifacts import Manifest
from ...datasets.errors import BackendError, ExperimentError
from ...datasets.store_layout import VALUES
from .evaluated_model import KeptAnswers, WatchedModel
from .functions import HashedFunction
from .inspect_evaluation import Evaluation, TaskScores
from .inspect_process import EvaluationEndedError, evaluate_apart
from .models import Subject, base_of, model_id, training_of
from .stage import Stage, Workspace
from .stalled_calls import interrupted_if_stalled
from .time_limits import TimeIsUp, alarm_is_free
from .user_calls import TIMEOUT_VARIABLE, function_timeout

EXPECTED_TOKENS = 256
"""Of an answer, for estimates."""
LOGS = "inspect-tasks"
KEPT = "answers"
TIMES_LONGER = 10
"""A task's own code may take so many times longer than a function on one text: it loads data."""


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
        model = self._model(workspace)
        scores = self._scores(model, workspace)
        if model.fault and self._is_asked_of_a_service(workspace):
            raise model.fault  # the budget, a key, or the end of the run: no fault of a sample
        if scores.fault:
            raise BackendError(f"{self.label}: the Inspect task failed: {scores.fault}")
        if not scores.rows:
            raise BackendError(f"{self.label}: the Inspect task has no samples with a score")
        workspace.write_json(VALUES, list(scores.rows.values()))
        failed = {"failed": scores.failed} if scores.failed else {}
        return {
            "model": model.name,
            "system": self.system,
            "questions": list(scores.rows),
            "metrics": scores.metrics,
            "counts": {"samples": scores.samples, **failed},
            **self._cost(model, workspace),
        }

    def _scores(self, model: WatchedModel, workspace: Workspace) -> TaskScores:
        """Evaluate here, or where no timer could interrupt that in a process of its own."""
        evaluation, idle = self._evaluation(workspace), model.activity.idle_seconds
        limit = TIMES_LONGER * function_timeout()
        try:
            if alarm_is_free():
                return interrupted_if_stalled(lambda: evaluation.scores(model), idle, limit)
            return evaluate_apart(evaluation, model, model.activity, limit)
        except TimeIsUp:
            raise BackendError(
                f"{self.label}: the Inspect task asked its model nothing for {limit:g} seconds, "
                f"and did not end: correct it, or set {TIMEOUT_VARIABLE} to more seconds (a task "
                f"may take {TIMES_LONGER} times as many)"
            ) from None
        except EvaluationEndedError as error:
            raise model.fault or ExperimentError(f"{self.label}: {error}") from None

    def _evaluation(self, workspace: Workspace) -> Evaluation:
        return Evaluation(
            task=self.task,
            arguments=dict(self.arguments),
            limit=self.limit,
            seed=self.seed,
            system=self.system,
            logs=_log_folder(workspace),
        )

    def _model(self, workspace: Workspace) -> WatchedModel:
        """The model, whose answers are kept if they are paid for: a corrected task has them."""
        backend = workspace.backend(base_of(self.subject).backend)
        asked: AskedModel = BackendModel(backend, model_id(workspace, self.subject))
        if self._is_asked_of_a_service(workspace):
            name = self.task if isinstance(self.task, str) else self.task.name.rpartition("-")[0]
            file = f"{self.subject.key}-{_file_name(name)}.jsonl"
            asked = KeptAnswers(asked, _log_folder(workspace) / KEPT / file)
        return WatchedModel(asked)

    def _is_asked_of_a_service(self, workspace: Workspace) -> bool:
        backend = workspace.backend(base_of(self.subject).backend)
        return backend.capabilities.service is not None

    def _cost(self, model: WatchedModel, workspace: Workspace) -> Manifest:
        """What the answers cost, if the backend is a service."""
        service = workspace.backend(base_of(self.subject).backend).capabilities.service
        if service is None:
            return {}
        return {"cost": {**asdict(model.usage), "usd": service.cost(model.name, model.usage)}}

    def work(self) -> WorkRequest:
        return WorkRequest(
            model=base_of(self.subject).model,
            completions=self.limit or 0,
            max_tokens=EXPECTED_TOKENS,
            student=training_of(self.subject) is not None,
        )


def _file_name(task: str) -> str:
    return "".join(letter if letter.isalnum() else "_" for letter in task.rpartition("@")[2])


def _log_folder(workspace: Workspace) -> Path:
    """Where the evaluation writes its log: beside the stage's folder, which takes files alone."""
    return workspace.store.layout.logs / LOGS
