"""A log of Inspect as JSON: its header, a sample a question, and the samples' summaries.

The form is Inspect's own (its log format 2); what is left out has Inspect's default. Inspect makes
several objects of each draw, so a log of 10,000 draws is made without it, and without the time that
importing it takes (``benchmarks/inspect_logs.py`` has both).
"""

import hashlib
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from itertools import groupby
from statistics import stdev
from typing import Any

from ...backends import Request
from ...datasets.errors import StoreError
from ..stages import ANSWERS, ArtifactDraft, Row, Store, Workspace
from .log_checks import eval_id
from .log_model import LogContents, ScoreColumn

Json = dict[str, Any]

LOG_FORMAT = 2
"""The version of Inspect's log format."""
SERVED = ("toy", "local")
"""Backends whose models ``--model limen/...`` samples from; others have an Inspect provider."""
SUMMARY_WIDTH = 1_024
"""Characters of a text in a sample's summary, as Inspect cuts it."""


@dataclass(frozen=True, kw_only=True)
class LogJson:
    """The parts of a log."""

    start: Json
    """What a log under way says: version, specification and plan."""
    end: Json
    """What a finished log says beside it."""
    samples: list[Json]

    @property
    def header(self) -> Json:
        """All of the log but its samples."""
        return {**self.start, **self.end}


def log_json(sheet: LogContents) -> LogJson:
    """The log that a sheet stands for, with the draws that the store holds.

    Raises:
        StoreError: The answers are no longer in the store.
    """
    store, stage = Store(sheet.root), sheet.stage
    manifest = store.manifest(stage.kind, stage.key)
    if manifest is None:
        raise StoreError(
            f"the answers {stage.key} are no longer in the store {sheet.root}: run the experiment "
            f"again"
        )
    began = datetime.strptime(manifest["started"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    ended = began + timedelta(seconds=manifest["seconds"])
    config = {
        "max_tokens": stage.max_tokens,
        "temperature": stage.temperature,
        "num_choices": stage.draws,
    }
    step = {"solver": "limen/draws", "params": {}, "params_passed": {}}
    return LogJson(
        start={
            "version": LOG_FORMAT,
            "eval": _specification(sheet, began.isoformat(), config),
            "plan": {"name": "plan", "steps": [step], "config": config},
        },
        end={
            "status": "success",
            "results": _results(sheet),
            "stats": {"started_at": began.isoformat(), "completed_at": ended.isoformat()},
        },
        samples=_samples(sheet, store),
    )


def model_name(backend: str, model: str) -> str:
    """A model as Inspect names it, so that ``--model`` finds it again."""
    if backend == "inspect":
        return model
    return f"{'limen' if backend in SERVED else backend}/{model}"


def _specification(sheet: LogContents, created: str, config: Json) -> Json:
    facts = {**sheet.facts, "limen": version("limen")}
    return {
        "eval_id": eval_id(sheet.file),
        "run_id": _id(sheet, "run"),
        "created": created,
        "task": sheet.task,
        "task_id": _id(sheet, "task"),
        "task_version": 0,
        "task_attribs": {},
        "task_args": facts,
        "task_args_passed": facts,
        "tags": [facts["trait"], facts["arm"]],
        "dataset": {"name": facts["experiment"], "samples": len(sheet.stage.questions)},
        "model": model_name(facts["backend"], facts["model"]),
        "model_generate_config": config,
        "model_args": {},
        "config": {"epochs": 1},
        "packages": {"limen": facts["limen"]},
        "metadata": facts,
    }


def _results(sheet: LogContents) -> Json:
    total = len(sheet.stage.questions)
    scores = [_score_of_all(column) for column in sheet.columns if column.value is not None]
    return {"total_samples": total, "completed_samples": total, "scores": scores}


def _score_of_all(column: ScoreColumn) -> Json:
    """A column's figure for the model, which is limen's own."""
    given = [value for value in column.each if value is not None]
    metrics = {"mean": column.value or 0.0}
    if len(given) > 1:
        metrics["stderr"] = stdev(given) / len(given) ** 0.5
    return {
        "name": column.name,
        "scorer": column.name,
        "scored_samples": len(given),
        "unscored_samples": len(column.each) - len(given),
        "params": {},
        "metrics": {
            name: {"name": name, "value": value, "params": {}} for name, value in metrics.items()
        },
        "metadata": {"what": column.what},
    }


def _samples(sheet: LogContents, store: Store) -> list[Json]:
    stage = sheet.stage
    answers = store.rows(stage.kind, stage.key, ANSWERS)
    draws = {row: list(each) for row, each in groupby(answers, lambda answer: answer["row"])}
    folder = store.artifact(stage.kind, stage.key)
    workspace = Workspace(store, ArtifactDraft(folder, folder))  # it only reads
    return [
        _sample(sheet, request, draws.get(request.row, [])) for request in stage.requests(workspace)
    ]


def _sample(sheet: LogContents, request: Request, draws: Sequence[Row]) -> Json:
    number, question = request.row, request.messages[-1]["content"]
    asked = _messages(request)
    choices = [_choice(number, draw) for draw in draws if draw["text"] is not None]
    failed = {str(d["draw"]): d.get("error", "") for d in draws if d["text"] is None}
    return {
        "id": number + 1,
        "epoch": 1,
        "input": asked if len(asked) > 1 else question,
        "target": sheet.target,
        "messages": [*asked, *(choice["message"] for choice in choices[:1])],
        "output": {
            "model": sheet.facts["model"],
            "choices": choices,
            "completion": choices[0]["message"]["content"] if choices else "",
        },
        "scores": {
            column.name: _score(column, number, sheet.lines[number])
            for column in sheet.columns
            if column.each[number] is not None
        },
        "metadata": {
            "question": question,
            "group": sheet.groups[number],
            "seed": str(request.seed),
            "answered": len(choices),
            "missing": len(failed),
            **({"errors": failed} if failed else {}),
        },
        "store": {},
        "events": [],
        "model_usage": {},
        "role_usage": {},
        "attachments": {},
    }


def _messages(request: Request) -> list[Json]:
    return [
        {"id": f"q{request.row + 1}-{place}", "content": turn["content"], "role": turn["role"]}
        for place, turn in enumerate(request.messages)
    ]


def _choice(number: int, draw: Row) -> Json:
    return {
        "message": {
            "id": f"q{number + 1}d{draw['draw']}",
            "content": draw["text"],
            "source": "generate",
            "role": "assistant",
        },
        "stop_reason": "max_tokens" if draw["finish"] == "length" else "stop",
    }


def _score(column: ScoreColumn, number: int, line: str) -> Json:
    return {
        "value": column.each[number],
        "answer": line,
        "explanation": column.tables[number],
        "history": [],
    }


def summary_of(sample: Json) -> Json:
    """A sample's summary: its scores and metadata, with long texts cut as Inspect cuts them."""
    return {
        **{name: sample[name] for name in ("id", "epoch", "input", "target")},
        "metadata": _cut(sample["metadata"]),
        "scores": {name: _cut(score) for name, score in sample["scores"].items()},
        "model_usage": {},
        "role_usage": {},
        "completed": True,
        "message_count": len(sample["messages"]),
    }


def _cut(values: Mapping[str, Any]) -> Json:
    return {
        name: _shortened(value) if isinstance(value, str) else value
        for name, value in values.items()
    }


def _shortened(text: str) -> str:
    words = " ".join(text[: 8 * SUMMARY_WIDTH].split())
    if len(words) <= SUMMARY_WIDTH:
        return words
    # what is past the width plays no part, and ``shorten`` would take it apart
    return textwrap.shorten(words[: SUMMARY_WIDTH + 32], width=SUMMARY_WIDTH, placeholder="...")


def _id(sheet: LogContents, what: str) -> str:
    """An id of 22 characters, the same for the same log; a run is an experiment's."""
    of = sheet.facts["experiment"] if what == "run" else sheet.file.name
    return hashlib.sha256(f"{what} {of}".encode()).hexdigest()[:22]
