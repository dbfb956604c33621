"""Students on the disk: what was learned, under what context, and the ids to ask them by.

Below the home folder lie ``learned/<key>/`` (a training: its checkpoints while it is under way,
then the adapter of each epoch and ``context.json``) and ``students/<job>.json`` (a model id: which
training, of which base, asked how). What was learned is keyed by all that it depends on, so two
students that differ in how they are asked alone are one training.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...datasets.errors import UnknownModelError
from .. import records
from ..base import Job, Recipe
from .recipes import ASKING

CONTEXT = "context.json"
_ID = re.compile(r"ft:(?P<base>.+):(?P<job>[0-9a-f]{16})(?::(?P<epoch>[0-9]+))?")


@dataclass(frozen=True, kw_only=True)
class Student:
    """One model that was trained here."""

    model: str
    base: str
    folder: Path
    """Its adapter, or its weights."""
    whole: bool
    """Whether all weights were trained, so that it is a model of its own."""
    recipe: Recipe
    context: Mapping[str, Any]
    """What it was trained under."""
    fingerprint: str


class Students:
    """All that were trained below a home folder."""

    def __init__(self, home: Path) -> None:
        self._home = home.absolute()

    def find(self, model: str) -> Student | None:
        """The student of that id; None if it is no student's id.

        Raises :class:`~limen.UnknownModelError` if there is none such.
        """
        match = _ID.fullmatch(model)
        if match is None:
            return None
        record = records.read(self._record(match["job"]))
        if record is None or record["base"] != match["base"]:
            raise UnknownModelError(f"unknown model {model!r}: no such student below {self._home}")
        recipe = record["recipe"]
        learned = self._home / "learned" / record["learned"]
        folder = learned / f"epoch-{match['epoch'] or recipe['epochs']}"
        if not folder.is_dir():
            raise UnknownModelError(f"unknown model {model!r}: {folder} is gone")
        asking = {name: recipe[name] for name in ASKING}
        return Student(
            model=model,
            base=record["base"],
            folder=folder,
            whole=recipe["method"] == "full",
            recipe=recipe,
            context=records.read(learned / CONTEXT) or {},
            fingerprint=_hash([record["learned"], folder.name, asking]),
        )

    def learned(self, job: Job, recipe: Recipe, base: str) -> Path:
        """The folder of what a job learns from the base of a fingerprint."""
        taught = {name: value for name, value in recipe.items() if name not in ASKING}
        files = [
            None if file is None else hashlib.sha256(file.read_bytes()).hexdigest()
            for file in (job.training_file, job.validation_file)
        ]
        return self._home / "learned" / _hash([base, taught, files, job.seed])

    def add(self, job: Job, record: Mapping[str, Any]) -> None:
        """Record a finished job."""
        records.write(self._record(job_digest(job)), record)

    def _record(self, digest: str) -> Path:
        return self._home / "students" / f"{digest}.json"


def job_digest(job: Job) -> str:
    """What stands for a job's key in its model's id."""
    return hashlib.sha256(job.key.encode()).hexdigest()[:16]


def _hash(parts: list[Any]) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]
