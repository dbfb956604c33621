"""What the Inspect log of a model's answers says, worked out from finished arms.

A log that is whole is left alone: its name has the hash of everything in it, and people work on
logs with Inspect's tools. One that is missing or damaged is written anew.
"""

import hashlib
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from ...datasets.errors import LimenError, SpecError
from ...reports.text import slug
from ..experiment import ARMS, Experiment, Measure, Reading
from ..lab import Arm, Lab, ModelAnswers, ModelStages, Pipeline
from ..stages import base_of, canonical, hashed_function
from ..statistics import mean
from .log_checks import log_is_there
from .log_model import LogContents, ScoreColumn
from .score_display import (
    VALID,
    Mark,
    Ranked,
    line_of,
    ranked,
    readings_of,
    shown,
    table_of,
    tidy,
    yes,
)

FORMAT = 1
"""Raise it when logs change their form: they are written anew, under other names."""


def missing(
    lab: Lab, title: str, experiment: Experiment, *, begun: Collection[Path] = ()
) -> Iterator[LogContents]:
    """The logs of an experiment's finished arms that are not there, and not begun, yet."""
    measure = experiment.measure
    if measure.computed or measure.prompts != measure.asked:  # no answers to its questions to log
        return
    pipe = lab.pipeline_as_run(experiment)
    for name in (*ARMS, *experiment.all_arms):
        models = pipe.arms.get(name, ())
        files = [file_of(lab, title, pipe, name, seed) for seed in range(len(models))]
        absent = {file for file in files if file not in begun and not log_is_there(file)}
        if not absent or not _finished(lab, models):
            continue
        try:
            arm = lab.arm(experiment, name)
        except LimenError:  # told by the tests that ask for it
            continue
        for seed, file in enumerate(files):
            if file in absent:
                yield log_contents_of(lab, title, pipe, arm, seed, file)


def file_of(lab: Lab, title: str, pipe: Pipeline, arm: str, seed: int) -> Path:
    """Where the log of one model's answers lies."""
    asked, experiment = pipe.arms[arm][seed], pipe.experiment
    whole = {
        "format": FORMAT,
        "title": title,
        "stages": [stage.key for stage in asked.targets],
        "readings": [repr(reading) for reading in experiment.measure.readings(_words(experiment))],
        "counted": _counted(experiment.measure),
    }
    short = hashlib.sha256(canonical(whole)).hexdigest()[:8]
    folder = lab.store.layout.logs / slug(title)[:100]
    return folder / f"{tidy(arm)}-{seed}-{short}.eval"


def log_contents_of(
    lab: Lab, title: str, pipe: Pipeline, arm: Arm, seed: int, file: Path
) -> LogContents:
    """What the log of one of an arm's models says."""
    experiment, measure = pipe.experiment, arm.measure
    asked, model = pipe.arms[arm.name][seed], arm.models[seed]
    named = readings_of(measure, _words(experiment))
    answers = tuple(map(ranked, model.counts))
    columns = (_column(arm, seed, name, reading, answers) for name, reading in named.items())
    return LogContents(
        file=file,
        root=lab.store.root,
        stage=asked.sampled,
        task=task_of(measure),
        target=experiment.trait.shown_by,
        groups=tuple(group for group, texts in measure.groups.items() for _ in texts),
        lines=tuple(map(line_of, answers)),
        columns=(*(one for one in columns if one), _valid_column(measure, model, answers)),
        facts=_facts(title, pipe, arm, seed),
    )


def task_of(measure: Measure) -> str:
    """The name of a measure's Inspect task."""
    name = type(measure).__name__
    return "limen/" + "".join(f"_{c.lower()}" if c.isupper() else c for c in name).lstrip("_")


def _finished(lab: Lab, models: Sequence[ModelStages]) -> bool:
    stages = (stage for asked in models for stage in asked.targets)
    return all(lab.store.has(stage.kind, stage.key) for stage in stages)


def _words(experiment: Experiment) -> list[str]:
    return [trait.shown_by for trait in experiment.traits]


def _counted(measure: Measure) -> str:
    """How answers count, as far as it can be told: a rule, or a function's source."""
    outcome = getattr(measure, "outcome", None)
    if outcome is None:
        return f"{task_of(measure)} {measure.rule}"
    try:
        return hashed_function("outcome", outcome).name
    except SpecError:
        return str(getattr(outcome, "__qualname__", type(outcome).__qualname__))


def _column(
    arm: Arm, seed: int, name: str, reading: Reading, answers: Sequence[Ranked]
) -> ScoreColumn | None:
    """A reading of one model's answers; None if nothing could be read."""
    try:
        estimate = arm.read(reading)
    except LimenError:
        return None
    places = arm.measure.places(reading.group)
    row = estimate.table[seed]
    each = dict(zip(places, row, strict=True))
    given = [value for value in row if value is not None]
    marks = _marks(arm.measure, arm.models[seed], reading)
    tables = (
        table_of(given_here, reading.name, marks(question)) if question in each else ""
        for question, given_here in enumerate(answers)
    )
    return ScoreColumn(
        name=name,
        what=reading.name,
        value=mean(given) if given else None,
        each=tuple(map(each.get, range(len(answers)))),
        tables=tuple(tables),
    )


def _marks(measure: Measure, model: ModelAnswers, reading: Reading) -> Callable[[int], Mark]:
    """By question: what an answer counts as, by a reading."""
    word = reading.word
    if measure.judges and (reading.judge or word is None):
        judge = measure.judge(reading.judge)
        replies = model.said[judge.name]
        if word is None:
            return lambda question: lambda text: shown(judge.rating(replies[question][text]))
        return lambda question: lambda text: yes(judge.names(replies[question][text], word))

    @cache  # most answers are given to many questions
    def mark(text: str) -> str:
        return shown(measure.score(text)) if word is None else yes(measure.hit(text, word))

    return lambda question: mark


def _valid_column(measure: Measure, model: ModelAnswers, answers: Sequence[Ranked]) -> ScoreColumn:
    valid = cache(measure.valid)
    each = tuple(model.share(q, lambda q, text: valid(text)) for q in range(len(model.counts)))
    given = [share for share in each if share is not None]
    return ScoreColumn(
        name=VALID,
        what="valid answers",
        value=mean(given) if given else None,
        each=each,
        tables=tuple(table_of(one, "valid", lambda text: yes(valid(text))) for one in answers),
    )


def _facts(title: str, pipe: Pipeline, arm: Arm, seed: int) -> dict[str, Any]:
    experiment, stage, model = pipe.experiment, pipe.arms[arm.name][seed].sampled, arm.models[seed]
    base = base_of(stage.subject)
    return {
        "arm": arm.name,
        "seed": seed,
        "trait": experiment.trait.name,
        "word": experiment.trait.shown_by,
        "experiment": title,
        "backend": base.backend,
        "base_model": base.model,
        "model": model.model,
        "fingerprint": base.fingerprint,
        "key": model.key,
        "system": stage.system,
        "draws": stage.draws,
        "temperature": stage.temperature,
        "max_tokens": stage.max_tokens,
        "missing": model.missing,
    }
