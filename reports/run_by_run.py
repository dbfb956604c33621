"""Runs side by side: what differs in their settings, and what each of them found."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence

from . import wording
from .model import ArmRow, ReadingRow, Result, Run
from .provenance import as_json
from .text import code, prose, table

APART = (
    "No experiment is in two of them. Experiments are joined by the name of their spec file, and "
    "by their place in it."
)
Rows = dict[tuple[str, ...], dict[str, str]]
"""By the row's first cells, the cell of each run by its id."""


def side_by_side(runs: Sequence[Run]) -> Iterator[str]:
    """Runs in columns: settings that differ, arms, effects, and what became of every claim."""
    names = [run.id for run in runs]
    yield (
        "Results side by side: nothing is tested between them. Whether two settings differ is for "
        "one spec to test that has both."
    )
    yield "## What differs"
    nothing = "No setting." if _joined(runs) else APART
    yield _table(("experiment", "setting"), _settings(runs), names, nothing)
    yield "## Arms, run by run"
    yield _table(("experiment", "what", "arm"), _arms(runs), names, "No arms.")
    if any(_in_others(runs, run, result, arm) for run, result, _, arm in _all_arms(runs)):
        yield "*Shared* models are in another column, too: they were trained once."
    yield "## Effects, run by run"
    yield _table(("experiment", "what", "effect"), _effects(runs), names, "No effects.")
    yield "## Claims, run by run"
    yield _table(("experiment", "test", "claim"), _claims(runs), names, "No claims.")
    yield from _failures(runs)


def _joined(runs: Sequence[Run]) -> bool:
    """Whether an experiment is in more than one of the runs."""
    titles = [title for run in runs for title in {result.title for result in run.results}]
    return len(set(titles)) < len(titles)


def _failures(runs: Sequence[Run]) -> Iterator[str]:
    """Why an experiment of a run has not finished."""
    for run in runs:
        for result in run.results:
            if result.failure:
                title = f"{prose(run.id)}, {prose(result.title)}"
                yield f"**{title}: not finished.** {prose(result.failure)}"


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


def _all_arms(runs: Sequence[Run]) -> Iterator[tuple[Run, Result, ReadingRow, ArmRow]]:
    for run in runs:
        for result in run.results:
            for reading in result.readings:
                yield from ((run, result, reading, arm) for arm in reading.arms)


def _in_others(runs: Sequence[Run], run: Run, result: Result, arm: ArmRow) -> int:
    """How many models of an arm are in another run's experiment of that title, too."""
    others = {
        key
        for _, other, _, same in _all_arms([each for each in runs if each.id != run.id])
        if (other.title, same.name) == (result.title, arm.name)
        for key in same.keys
    }
    return len(others & set(arm.keys))


def _arms(runs: Sequence[Run]) -> Rows:
    rows: Rows = {}
    for run, result, reading, arm in _all_arms(runs):
        key = tuple(map(prose, (result.title, reading.name, arm.name)))
        count, shared = len(arm.by_seed), _in_others(runs, run, result, arm)
        rows.setdefault(key, {})[run.id] = (
            f"{reading.show(arm.value)} [{wording.arm_interval(reading, arm, ', ')}], "
            f"{count} {'model' if count == 1 else 'models'}{f', {shared} shared' if shared else ''}"
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
            test = code(claim.test.partition("::")[2] or claim.test)
            key = (prose(claim.experiment), test, prose(claim.says))
            rows.setdefault(key, {})[run.id] = wording.held(claim)
    return dict(sorted(rows.items()))
