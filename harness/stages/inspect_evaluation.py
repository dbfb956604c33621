"""One evaluation of an Inspect task: what is run, and the scores that it gives."""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...backends.asked_model import AskedModel
from .functions import HashedFunction

if TYPE_CHECKING:
    from inspect_ai.log import EvalLog, EvalSample
    from inspect_ai.model import Model


LETTERS = {"C": 1.0, "I": 0.0, "P": 0.5, "N": 0.0}
"""Inspect's letters for correct, incorrect, partially correct, and no answer."""
MEANS = frozenset({"accuracy", "mean"})
"""Metrics that are the mean of a score over samples."""
PROVIDER = "limen_stage"
"""The name of limen's provider of models in these logs."""


@dataclass(frozen=True, kw_only=True)
class TaskScores:
    """The scores of a task's samples, or why there are none."""

    rows: Mapping[str, Mapping[str, float | None]]
    """Of each sample by its id: by scorer, and by metrics that are a scorer's mean."""
    metrics: Mapping[str, Sequence[str]]
    samples: int
    failed: int
    fault: str = ""
    """Why the task failed; empty if it did not."""


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """A task and how it is run; another process can be given it."""

    task: str | HashedFunction
    arguments: Mapping[str, Any]
    limit: int | None
    seed: int
    system: str | None
    logs: Path
    """The folder for Inspect's own log."""

    def scores(self, asked: AskedModel) -> TaskScores:
        """Run the task against a model, in this process; raises what the task's function raises."""
        log = self._log(_inspect_model(asked, self.system))
        samples, metrics = log.samples or [], _metrics(log)
        return TaskScores(
            rows=scored_samples(samples, metrics),
            metrics=metrics,
            samples=len(samples),
            failed=sum(sample.error is not None for sample in samples),
            fault="" if log.status == "success" else log.error.message if log.error else log.status,
        )

    def _log(self, model: "Model") -> "EvalLog":
        from inspect_ai import eval as evaluate

        given = dict(self.arguments)
        task = self.task if isinstance(self.task, str) else self.task.call(**given)
        (log,) = evaluate(
            task,
            model=model,
            task_args=given if isinstance(self.task, str) else {},
            limit=self.limit,
            seed=self.seed,
            log_dir=str(self.logs),
            display="none",
            ctl_server=False,
            fail_on_error=False,
        )
        return log


def _inspect_model(asked: AskedModel, system: str | None) -> "Model":
    """The model as Inspect sees it."""
    from inspect_ai.model import GenerateConfig, Model, modelapi

    from ...backends.inspect.provider import BackendAPI

    registered: Any = modelapi(name=PROVIDER)(BackendAPI)
    config = GenerateConfig()
    return Model(registered(asked.name, asked, config, system=system), config)


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
