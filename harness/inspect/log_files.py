"""A sheet as an Inspect log: one sample a question, its draws the choices of its output.

Inspect itself is imported in functions: what writes logs is a worker process.
"""

import gc
import hashlib
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from itertools import groupby
from statistics import stdev
from typing import TYPE_CHECKING, Any

from ...backends.inspect.draws import chat_messages
from ...datasets.errors import StoreError
from ..stages import ANSWERS, ArtifactDraft, Row, Store, StoreLayout, Workspace
from .log_checks import eval_id, sign_log
from .log_draws import choice_id, has_plain_text, put_draws, stop_reason
from .log_model import LogContents, ScoreColumn

if TYPE_CHECKING:
    from inspect_ai.log import EvalLog, EvalResults, EvalSample, EvalScore, EvalSpec
    from inspect_ai.model import ModelOutput
    from inspect_ai.scorer import Score

    from ...backends import Request

SERVED = ("toy", "local")
"""Backends whose models ``--model limen/...`` samples from; others have an Inspect provider."""


def write_log(sheet: LogContents) -> None:
    """Write a log, whole or not at all."""
    from inspect_ai.log import write_eval_log

    scratch = StoreLayout(sheet.root).work / f"{sheet.file.stem}-{os.getpid()}.eval"
    for folder in (scratch.parent, sheet.file.parent):
        folder.mkdir(parents=True, exist_ok=True)
    with _without_collection():
        draws = _drawn(sheet)
        answered = {number: _answered(each) for number, each in draws.items()}
        plain = all(map(has_plain_text, answered.values()))
        try:
            write_eval_log(_eval_log(sheet, draws, 1 if plain else None), scratch)
            if plain:
                put_draws(scratch, answered)
            scratch.replace(sheet.file)
            sign_log(sheet.file)
        finally:
            scratch.unlink(missing_ok=True)


@contextmanager
def _without_collection() -> Iterator[None]:
    """No garbage is made among ten thousand draws, and looking for it takes a third of the time."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def eval_log(sheet: LogContents) -> "EvalLog":
    """The log that a sheet stands for."""
    return _eval_log(sheet, _drawn(sheet), None)


def _eval_log(sheet: LogContents, draws: Mapping[int, list[Row]], most: int | None) -> "EvalLog":
    """The log with at most so many draws of each question."""
    from inspect_ai.log import EvalLog, EvalPlan, EvalPlanStep, EvalStats
    from inspect_ai.model import GenerateConfig

    store = Store(sheet.root)
    stage = sheet.stage
    manifest = store.manifest(stage.kind, stage.key)
    if manifest is None:
        raise StoreError(
            f"the answers {stage.key} are no longer in the store {sheet.root}: run the experiment "
            f"again"
        )
    began = datetime.strptime(manifest["started"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    ended = began + timedelta(seconds=manifest["seconds"])
    config = GenerateConfig(
        temperature=stage.temperature, max_tokens=stage.max_tokens, num_choices=stage.draws
    )
    return EvalLog(
        status="success",
        eval=_spec(sheet, began.isoformat(), config),
        plan=EvalPlan(steps=[EvalPlanStep(solver="limen/draws")], config=config),
        results=_results(sheet),
        stats=EvalStats(started_at=began.isoformat(), completed_at=ended.isoformat()),
        samples=_samples(sheet, store, draws, most),
    )


def model_name(backend: str, model: str) -> str:
    """A model as Inspect names it, so that ``--model`` finds it again."""
    if backend == "inspect":
        return model
    return f"{'limen' if backend in SERVED else backend}/{model}"


def _spec(sheet: LogContents, created: str, config: Any) -> "EvalSpec":
    from inspect_ai.log import EvalConfig, EvalDataset, EvalSpec

    facts = {**sheet.facts, "limen": version("limen")}
    return EvalSpec(
        eval_id=eval_id(sheet.file),
        run_id=_id(sheet, "run"),
        task_id=_id(sheet, "task"),
        created=created,
        task=sheet.task,
        task_args=facts,
        task_args_passed=facts,
        tags=[facts["trait"], facts["arm"]],
        dataset=EvalDataset(name=facts["experiment"], samples=len(sheet.stage.questions)),
        model=model_name(facts["backend"], facts["model"]),
        model_generate_config=config,
        config=EvalConfig(epochs=1),
        packages={"limen": facts["limen"]},
        metadata=facts,
    )


def _results(sheet: LogContents) -> "EvalResults":
    from inspect_ai.log import EvalResults

    total = len(sheet.stage.questions)
    scores = [_score_of_all(column) for column in sheet.columns if column.value is not None]
    return EvalResults(total_samples=total, completed_samples=total, scores=scores)


def _score_of_all(column: ScoreColumn) -> "EvalScore":
    """A column's figure for the model, which is limen's own."""
    from inspect_ai.log import EvalMetric, EvalScore

    given = [value for value in column.each if value is not None]
    metrics = {"mean": column.value or 0.0}
    if len(given) > 1:
        metrics["stderr"] = stdev(given) / len(given) ** 0.5
    return EvalScore(
        name=column.name,
        scorer=column.name,
        scored_samples=len(given),
        unscored_samples=len(column.each) - len(given),
        metrics={name: EvalMetric(name=name, value=value) for name, value in metrics.items()},
        metadata={"what": column.what},
    )


def _drawn(sheet: LogContents) -> dict[int, list[Row]]:
    """The draws of each question, failed ones too."""
    stage = sheet.stage
    answers = Store(sheet.root).rows(stage.kind, stage.key, ANSWERS)
    return {row: list(draws) for row, draws in groupby(answers, lambda answer: answer["row"])}


def _answered(draws: list[Row]) -> list[Row]:
    return [draw for draw in draws if draw["text"] is not None]


def _samples(
    sheet: LogContents, store: Store, draws: Mapping[int, list[Row]], most: int | None
) -> "list[EvalSample]":
    stage = sheet.stage
    folder = store.artifact(stage.kind, stage.key)
    workspace = Workspace(store, ArtifactDraft(folder, folder))  # it only reads
    return [
        _sample(sheet, request, draws.get(request.row, []), most)
        for request in stage.requests(workspace)
    ]


def _sample(
    sheet: LogContents, request: "Request", draws: list[Row], most: int | None
) -> "EvalSample":
    from inspect_ai.log import EvalSample

    number = request.row
    asked = chat_messages(request.messages, f"q{number + 1}")
    answered = _answered(draws)
    output = _output(sheet, number, answered[:most])
    failed = {str(d["draw"]): d.get("error", "") for d in draws if d["text"] is None}
    return EvalSample(
        id=number + 1,
        epoch=1,
        input=asked if len(asked) > 1 else request.messages[-1]["content"],
        target=sheet.target,
        messages=[*asked, *(choice.message for choice in output.choices[:1])],
        output=output,
        scores={
            column.name: _score(column, number, sheet.lines[number])
            for column in sheet.columns
            if column.each[number] is not None
        },
        metadata={
            "question": request.messages[-1]["content"],
            "group": sheet.groups[number],
            "seed": str(request.seed),
            "answered": len(answered),
            "missing": len(failed),
            **({"errors": failed} if failed else {}),
        },
    )


def _output(sheet: LogContents, number: int, answered: list[Row]) -> "ModelOutput":
    """The draws of a question, in their order; failed ones are no choices."""
    from inspect_ai.model import ChatCompletionChoice, ChatMessageAssistant, ModelOutput

    return ModelOutput(
        model=sheet.facts["model"],
        choices=[
            ChatCompletionChoice(
                message=ChatMessageAssistant(
                    id=choice_id(number, draw), content=draw["text"], source="generate"
                ),
                stop_reason=stop_reason(draw),
            )
            for draw in answered
        ],
    )


def _score(column: ScoreColumn, number: int, line: str) -> "Score":
    from inspect_ai.scorer import Score

    value = column.each[number]
    assert value is not None  # the caller leaves such questions out
    return Score(value=value, answer=line, explanation=column.tables[number])


def _id(sheet: LogContents, what: str) -> str:
    """An id of 22 characters, the same for the same log; a run is an experiment's."""
    of = sheet.facts["experiment"] if what == "run" else sheet.file.name
    return hashlib.sha256(f"{what} {of}".encode()).hexdigest()[:22]
