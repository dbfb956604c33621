"""Runs side by side: what differs in their settings, and what each of them found."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence

from . import wording
from .model import Result, Run
from .provenance import as_json
from .text import code, prose, table

Rows = dict[tuple[str, ...], dict[str, str]]
"""By the row's first cells, the cell of each run by its id."""


def side_by_side(runs: Sequence[Run]) -> Iterator[str]:
    """Runs in columns: settings that differ, arms, effects, and what became of every claim."""
    names = [run.id for run in runs]
    yield "## What differs"
    yield _table(("experiment", "setting"), _settings(runs), names, "No setting.")
    yield "## Arms, run by run"
    yield _table(("experiment", "what", "arm"), _arms(runs), names, "No arms.")
    yield "## Effects, run by run"
    yield _table(("experiment", "what", "effect"), _effects(runs), names, "No effects.")
    yield "## Claims, run by run"
    yield _table(("test", "claim"), _claims(runs), names, "No claims.")


def _table(head: Sequence[str], rows: Rows, names: Sequence[str], nothing: str) -> str:
    cells = [(*key, *(each.get(name, "none") for name in names)) for key, each in rows.items()]
    return table((*head, *map(prose, names)), cells) if cells else nothing


def _settings(runs: Sequence[Run]) -> Rows:
    """The settings of each experiment of several runs that are not the same in all of them."""
    rows: Rows = {}
    for run in runs:
        for result in run.results:
            for name, value in settings(result).items():
                rows.setdefault((prose(result.title), name), {})[run.id] = code(value)
    return {key: row for key, row in rows.items() if len(row) > 1 and len(set(row.values())) > 1}


def settings(result: Result) -> Mapping[str, str]:
    """How an experiment was set up, by the words of a report."""
    return {
        "backend": result.backend,
        "base model": f"{result.model} (fingerprint {result.fingerprint})",
        "teacher's base": result.teacher_model,
        "trait": result.trait,
        "system prompts": as_json(result.systems),
        "training data": result.data_spec,
        "recipe": as_json(result.recipe),
        "seeds an arm": f"{result.seeds}",
        "generation": result.generation,
        "measure": result.measure,
        "questions": f"{result.asked} (SHA-256 {_hash(result)})",
        "draws a question": f"{result.draws}",
        "temperature": f"{result.temperature:g}",
        "tokens an answer": f"{result.max_tokens}",
        "traits corrected for": f"{result.family}",
        **result.settings,
        "versions": as_json(result.versions),
    }


def _hash(result: Result) -> str:
    """The beginning of a hash of all questions: two sets of equal size are told apart."""
    text = as_json(result.questions)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]


def _arms(runs: Sequence[Run]) -> Rows:
    rows: Rows = {}
    for run in runs:
        for result in run.results:
            for reading in result.readings:
                for arm in reading.arms:
                    key = tuple(map(prose, (result.title, reading.name, arm.name)))
                    count = len(arm.by_seed)
                    rows.setdefault(key, {})[run.id] = (
                        f"{reading.show(arm.value)} [{wording.arm_interval(reading, arm, ', ')}], "
                        f"{count} {'model' if count == 1 else 'models'}"
                    )
    return rows


def _effects(runs: Sequence[Run]) -> Rows:
    rows: Rows = {}
    for run in runs:
        for result in run.results:
            for reading, effect in result.comparisons:
                key = tuple(map(prose, (result.title, reading.name, effect.name)))
                rows.setdefault(key, {})[run.id] = wording.size(reading, effect)
    return dict(sorted(rows.items()))


def _claims(runs: Sequence[Run]) -> Rows:
    rows: Rows = {}
    for run in runs:
        for claim in run.claims:
            key = (code(claim.test), prose(claim.says))
            rows.setdefault(key, {})[run.id] = wording.held(claim)
    return dict(sorted(rows.items()))
