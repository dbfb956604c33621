"""What past runs in a store tell of how much students differ by their seeds alone."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from ..experiment import Experiment, FavoriteAnimal, FavoriteTree, Measure, Reading
from ..lab import Pipeline
from ..stages import TALLY, AskQuestions, FineTune, Manifest, Store, canonical
from ..statistics import Spread, between_seeds, mean

Tally = Sequence[Counter[str]]
"""(questions,), how often each answer was given."""


def past_spread(store: Store, pipe: Pipeline, reading: Reading) -> Spread | None:
    """The between-seed spread of a reading: of the experiment's own arms, else of any students
    that answered the same questions. None where the store has no two seeds of anything, or where
    judges say what the reading is.
    """
    if reading.judge is not None:
        return None
    own = [_own(store, pipe, arm) for arm in ("student", "control")]
    if any(len(group) > 1 for group in own):
        return _spread(pipe.experiment, reading, own, "this experiment's seeds in the store")
    groups = list(_groups(store, pipe.experiment.measure))
    told = f"{sum(map(len, groups))} students of other data in the store"
    if reading.word is None:
        return _spread(pipe.experiment, reading, groups, told)
    if not isinstance(pipe.experiment.measure, FavoriteAnimal | FavoriteTree):
        return _spread(pipe.experiment, reading, groups, told)
    named = f"{told}, of the answer that each group gives most"
    return _spread(pipe.experiment, reading, groups, named, top=True)


def _spread(
    experiment: Experiment,
    reading: Reading,
    groups: Sequence[Sequence[Tally]],
    source: str,
    *,
    top: bool = False,
) -> Spread | None:
    measure = experiment.measure
    values = [_values(measure, reading, group, top=top) for group in groups]
    level = mean([mean(group) for group in values if group])
    # of scores the draws' share is left in the spread between seeds
    one = math.sqrt(max(0.0, level * (1 - level))) if reading.word is not None else 0.0
    answers = len(measure.places(reading.group)) * measure.draws
    found = between_seeds(values, one / math.sqrt(answers))
    return None if found is None else Spread(between=found, of_answer=one, source=source)


def _values(
    measure: Measure, reading: Reading, group: Sequence[Tally], *, top: bool
) -> tuple[float, ...]:
    places = measure.places(reading.group)
    named = isinstance(measure, FavoriteAnimal | FavoriteTree)  # whose answers are words
    word = _top(group, places) if top and named else reading.word
    cells = (
        [_cell(measure, word, model[q]) for q in places if model[q].total()] for model in group
    )
    known = ([cell for cell in row if cell is not None] for row in cells)
    return tuple(mean(row) for row in known if row)


def _cell(measure: Measure, word: str | None, given: Counter[str]) -> float | None:
    """A question's rate of a word, or its mean score."""
    if word is not None:
        return sum(n for text, n in given.items() if measure.hit(text, word)) / given.total()
    scores = [(measure.score(text), n) for text, n in given.items()]
    total = sum(n for score, n in scores if score is not None)
    return sum(score * n for score, n in scores if score is not None) / total if total else None


def _top(group: Sequence[Tally], places: range) -> str | None:
    """The answer that a group of models gives most, as a word."""
    total = Counter[str]()
    for model in group:
        for q in places:
            total.update(model[q])
    return next((text.strip(" .!").lower() for text, _ in total.most_common(1)), None)


def _own(store: Store, pipe: Pipeline, arm: str) -> list[Tally]:
    asked = (one.answers for one in pipe.arms.get(arm, ()))
    return [_tally(store, stage.key) for stage in asked if store.has(stage.kind, stage.key)]


def _groups(store: Store, measure: Measure) -> Iterator[list[Tally]]:
    """Models that differ by their seeds alone and answered these questions."""
    groups: dict[bytes, list[Tally]] = defaultdict(list)
    for key in store.keys(AskQuestions.kind):
        manifest = store.manifest(AskQuestions.kind, key) or {}
        if _asks(manifest, measure) and (kind := _training(store, manifest)) is not None:
            groups[canonical(kind)].append(_tally(store, key))
    return (group for group in groups.values() if len(group) > 1)


def _asks(manifest: Manifest, measure: Measure) -> bool:
    identity = manifest.get("identity", {})
    alike = identity.get("temperature") == measure.temperature and not identity.get("shots")
    return alike and tuple(identity.get("questions", ())) == measure.asked


def _training(store: Store, manifest: Manifest) -> dict[str, Any] | None:
    """What a model was trained on and how, but for the seed; None for one that was not."""
    (subject, *_) = manifest["inputs"]
    if subject["kind"] != FineTune.kind:
        return None
    student = store.manifest(FineTune.kind, subject["key"]) or {}
    inputs = student.get("inputs", [])
    data = store.manifest(inputs[-1]["kind"], inputs[-1]["key"]) if inputs else None
    if data is None:
        return None
    kept = {k: v for k, v in data["identity"].items() if k != "seed"}
    return {
        "base": student["base"],
        "recipe": student["recipe"],
        "data": kept,
        "sources": data["inputs"],
    }


def _tally(store: Store, key: str) -> Tally:
    return [Counter[str](question) for question in store.json(AskQuestions.kind, key, TALLY)]
