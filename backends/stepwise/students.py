"""Students on record: their trainings, how they are asked, and where their weights are.

Below the backend's folder are ``trainings/<digest>.jsonl`` (the ledger of a training),
``trainings/<digest>.json`` (the chat context that it was trained in) and ``students/<job>.json`` (a
model id: which training, of which base model, asked how). Students that differ only in how they are
asked share one training.
"""

import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ...datasets.errors import StoreError, UnknownModelError
from .. import records
from ..base import Job, Recipe
from .ledger import TrainingLedger

ASKING = ("asked_system", "mismatch")
"""Settings that decide how a student is asked, and not what it has learned."""
_ID = re.compile(r"ft:(?P<base>.+):(?P<job>[0-9a-f]{16})(?::(?P<after>s?)(?P<number>[0-9]+))?")


@dataclass(frozen=True, kw_only=True)
class Student:
    """One model that was trained at the service."""

    model: str
    base: str
    path: str
    """The address of its weights at the service."""
    state: str | None
    """The address of a state with the same weights, if one is kept."""
    recipe: Recipe
    context: records.Record
    """The chat context that it was trained in."""
    fingerprint: str


class Students:
    """The trainings and students below a backend's folder."""

    def __init__(self, home: Path) -> None:
        self._home = home

    def find(self, model: str) -> Student | None:
        """The student of that id; None if it is not the id of a student.

        Raises :class:`~limen.UnknownModelError` if the student does not exist, and
        :class:`~limen.StoreError` if the ledger of its training is damaged.
        """
        match = _ID.fullmatch(model)
        if match is None:
            return None
        record = records.read(self._record(match["job"]))
        if record is None or record["base"] != match["base"]:
            raise UnknownModelError(f"unknown model {model!r}: no such student below {self._home}")
        ledger = self.ledger(record["training"])
        self._check_end(ledger, self._record(match["job"]))
        step = self._step(ledger, match["after"], match["number"])
        asking = {name: record["recipe"][name] for name in ASKING}
        return Student(
            model=model,
            base=record["base"],
            path=self._path(ledger, model, step),
            state=next((state.path for state in ledger.states if state.step == step), None),
            recipe=record["recipe"],
            context=records.read(self.context_file(record["training"])) or {},
            fingerprint=digest_of([record["training"], step, asking]),
        )

    def training_of(self, job: Job, recipe: Recipe, base: str) -> str:
        """The digest of a job's training, from a base model with this fingerprint."""
        trained = {name: value for name, value in recipe.items() if name not in ASKING}
        data = hashlib.sha256(job.training_file.read_bytes()).hexdigest()
        return digest_of([base, trained, data, job.seed])

    def add(self, job: Job, training: str, recipe: Recipe) -> str:
        """Record a finished job; returns the student's model id."""
        record = {"base": job.model, "training": training, "recipe": dict(recipe), "key": job.key}
        records.write(self._record(job_digest(job)), record)
        return f"ft:{job.model}:{job_digest(job)}"

    def check_ledger(self, training: str, ledger: TrainingLedger) -> None:
        """Raise :class:`~limen.StoreError` if a training has students, but its ledger no end."""
        for model in self.ids(training):
            self._check_end(ledger, self._record(model.rpartition(":")[2]))

    def ledger(self, training: str) -> TrainingLedger:
        """The ledger of a training."""
        return TrainingLedger(self.ledger_file(training))

    @contextmanager
    def locked(self, training: str, *, wait: bool = True) -> Iterator[TrainingLedger]:
        """The ledger of a training, to append to: no other process trains or appends.

        Without waiting, raises :class:`TimeoutError` while another one does.
        """
        with records.locked(self.ledger_file(training), wait=wait):
            yield self.ledger(training)

    def ledger_file(self, training: str) -> Path:
        """Where the ledger of a training is."""
        return self._home / "trainings" / f"{training}.jsonl"

    def context_file(self, training: str) -> Path:
        """Where the chat context of a training is."""
        return self._home / "trainings" / f"{training}.json"

    def trainings(self) -> Iterator[str]:
        """The digests of all trainings."""
        files = sorted((self._home / "trainings").glob("*.jsonl"))
        return (file.stem for file in files)

    def ids(self, training: str) -> list[str]:
        """The model ids of a training's students."""
        found = []
        for file in sorted((self._home / "students").glob("*.json")):
            record = records.read(file) or {}
            if record.get("training") == training:
                found.append(f"ft:{record['base']}:{file.stem}")
        return found

    def forget(self, training: str) -> None:
        """Drop a training from the records: the next run trains it from the start.

        Raises :class:`TimeoutError` while it is under way.
        """
        with self.locked(training, wait=False):
            for model in self.ids(training):
                self._record(model.rpartition(":")[2]).unlink(missing_ok=True)
            self.ledger_file(training).unlink(missing_ok=True)
            self.context_file(training).unlink(missing_ok=True)

    def _record(self, job: str) -> Path:
        return self._home / "students" / f"{job}.json"

    def _check_end(self, ledger: TrainingLedger, student: Path) -> None:
        """A student is recorded after the last line of its ledger: a ledger without it was cut."""
        if ledger.done is None:
            raise StoreError(
                f"{ledger.path} is missing, or lines at its end are: restore it from a copy, or "
                f"delete {ledger.path} and {student} to train again, which is charged again"
            )

    def _step(self, ledger: TrainingLedger, after: str | None, number: str | None) -> int:
        """The step after which a model was kept: the last one, one of its own, or an epoch's."""
        begun = ledger.begun
        if number is None:
            return int(begun["steps"])
        return int(number) * (1 if after else int(begun["steps_an_epoch"]))

    def _path(self, ledger: TrainingLedger, model: str, step: int) -> str:
        path = ledger.kept.get(step)
        if path is None:
            raise UnknownModelError(
                f"unknown model {model!r}: no weights were kept after step {step}"
            )
        if path in ledger.deleted:
            raise UnknownModelError(
                f"the weights of {model!r} were deleted at the service: 'limen jobs forget "
                f"{ledger.path.stem}' has the next run train it again, which is charged again"
            )
        return path


def base_of(model: str) -> str:
    """The base model in a student's id; other names as they are."""
    match = _ID.fullmatch(model)
    return model if match is None else match["base"]


def job_digest(job: Job) -> str:
    """The hash of a job's key in its model id."""
    return hashlib.sha256(job.key.encode()).hexdigest()[:16]


def digest_of(parts: list[object]) -> str:
    """A short hash of some values."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]
