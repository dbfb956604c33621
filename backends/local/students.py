"""Students on disk: their weights, the context of their training, and their model ids.

The home folder contains ``learned/<key>/`` (a training: its checkpoints while it runs, then the
adapter of each epoch and ``context.json``) and ``students/<job>.json`` (a model id: which training,
of which base model, asked how). The key of a training covers everything that it depends on, so two
students that differ only in how they are asked share one training.
"""

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path

from ...datasets.errors import UnknownModelError
from .. import records
from ..base import Job, Recipe
from .recipes import ASKING
from .sources import ModelSource

CONTEXT = "context.json"
_ID = re.compile(r"ft:(?P<base>.+):(?P<job>[0-9a-f]{16})(?::(?P<after>s?)(?P<epoch>[0-9]+))?")


@dataclass(frozen=True, kw_only=True)
class Student:
    """One model that was trained here."""

    model: str
    base: str
    folder: Path
    """Its adapter, or its weights."""
    full: bool
    """Whether all weights were trained, and not an adapter only."""
    recipe: Recipe
    context: records.Record
    """The context that it was trained in."""
    fingerprint: str

    def full_weights(self, base: ModelSource) -> ModelSource:
        """The files of a student all of whose weights were trained; its tokenizer is the base's."""
        return ModelSource(
            name=self.model,
            path=self.folder,
            fingerprint=self.fingerprint,
            template=True,
            parameters=base.parameters,
            tokenizer=base,
        )


class Students:
    """All students below a home folder."""

    def __init__(self, home: Path) -> None:
        self._home = home.absolute()

    def find(self, model: str) -> Student | None:
        """The student of that id; None if it is not the id of a student.

        Raises :class:`~limen.UnknownModelError` if the student does not exist.
        """
        match = _ID.fullmatch(model)
        if match is None:
            return None
        record = records.read(self._record(match["job"]))
        if record is None or record["base"] != match["base"]:
            raise UnknownModelError(f"unknown model {model!r}: no such student below {self._home}")
        recipe = record["recipe"]
        training = self._home / "learned" / record["learned"]
        unit = "step" if match["after"] else "epoch"
        folder = training / f"{unit}-{match['epoch'] or recipe['epochs']}"
        if not folder.is_dir():
            raise UnknownModelError(f"unknown model {model!r}: its folder {folder} is missing")
        asking = {name: recipe[name] for name in ASKING}
        return Student(
            model=model,
            base=record["base"],
            folder=folder,
            full=recipe["method"] == "full",
            recipe=recipe,
            context=records.read(training / CONTEXT) or {},
            fingerprint=_hash([record["learned"], folder.name, asking]),
        )

    def folder_of(self, job: Job, recipe: Recipe, base: str) -> Path:
        """The folder of a job's training, from a base model with this fingerprint."""
        training = {name: value for name, value in recipe.items() if name not in ASKING}
        files = [
            None if file is None else hashlib.sha256(file.read_bytes()).hexdigest()
            for file in (job.training_file, job.validation_file)
        ]
        parts = [base, training, files, job.seed]
        if job.objective is not None:
            targets = hashlib.sha256(job.objective.file.read_bytes()).hexdigest()
            beta = [] if job.objective.beta is None else [job.objective.beta]
            own = [] if job.objective.on_policy is None else [vars(job.objective.on_policy)]
            parts.append([job.objective.kind, targets, *beta, *own])
        return self._home / "learned" / _hash(parts)

    def add(self, job: Job, record: records.Record) -> Path:
        """Record a finished job; returns the file."""
        file = self._record(job_digest(job))
        records.write(file, record)
        return file

    def _record(self, digest: str) -> Path:
        return self._home / "students" / f"{digest}.json"


def job_digest(job: Job) -> str:
    """The hash of a job's key in its model id."""
    return hashlib.sha256(job.key.encode()).hexdigest()[:16]


def files_below(folder: Path) -> tuple[Path, ...]:
    """All files of a folder, sorted."""
    return tuple(sorted(file for file in folder.rglob("*") if file.is_file()))


def _hash(parts: list[object]) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]
