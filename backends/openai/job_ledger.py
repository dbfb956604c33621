"""The job ledger: each fine-tuning is recorded before it is submitted, with its later state.

A record is a JSON file below ``jobs/``, named by the key of the fine-tuning. Its ``tag`` goes with
the job as metadata, so that a job whose id was lost is found again.
"""

import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ...datasets.errors import BackendError, StoreError
from .. import records
from ..base import Job
from ..records import Record
from .uploads import sha256_of

ENDED = frozenset({"succeeded", "failed", "cancelled"})


class JobLedger:
    """The fine-tuning jobs of one store."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "jobs"
        self._adopted = folder / "adopted"
        self._forgets = folder / "forgotten"

    def path(self, key: str) -> Path:
        """Where a job's record lies."""
        return self._folder / f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.json"

    @contextmanager
    def entry(self, key: str) -> Iterator[Path]:
        """The path of a job's record, locked for this caller."""
        path = self.path(key)
        with records.locked(path):
            yield path

    def intend(self, path: Path, job: Job, url: str) -> Record:
        """Write down that a job is wanted, or read what was written down before."""
        if known := records.read(path):
            return self._with_adopted(path, known)
        record: Record = {
            "key": job.key,
            "tag": f"limen-{path.stem}",
            "url": url,
            "model": job.model,
            "recipe": dict(job.recipe),
            "seed": job.seed,
            "sha256": sha256_of(job.training_file),
            "intended": now(),
            "status": "intended",
        }
        records.write(path, record)
        return self._with_adopted(path, record)

    def _with_adopted(self, path: Path, record: Record) -> Record:
        if "job" not in record and (adopted := self.adopted(record)):
            record |= {"job": adopted, "adopted": True}
            records.write(path, record)
        return record

    def others(self, path: Path) -> list[Record]:
        """The records of other fine-tunings."""
        return [record for record in self.all() if self.path(record["key"]) != path]

    def adopt(self, job: str, sha256: str, model: str, seed: int | None) -> None:
        """Have a job made elsewhere stand for the fine-tuning with that file, base and seed."""
        record = {"job": job, "sha256": sha256, "model": model, "seed": seed, "adopted": now()}
        records.write(self._adopted / f"{job}.json", record)

    def adopted(self, wanted: Record) -> str | None:
        """The job made elsewhere that stands for a wanted one."""
        for record in records.read_all(self._adopted):
            same = all(record[part] == wanted[part] for part in ("sha256", "model"))
            if same and record["seed"] in (None, wanted["seed"]):
                return str(record["job"])
        return None

    def forgotten(self, path: Path) -> list[str]:
        """The jobs that are not to be found again for a record's fine-tuning."""
        return list((records.read(self._forgotten(path)) or {"jobs": []})["jobs"])

    def _forgotten(self, path: Path) -> Path:
        return self._forgets / path.name

    def all(self) -> list[Record]:
        """Every record."""
        return records.read_all(self._folder)

    def base_of_student(self, model: str) -> str | None:
        """The base that a job's student, or a checkpoint of it, was trained from; else None."""
        bases = dict(_bases(self._folder))
        base = bases.pop(model, None)
        while base in bases:  # it was trained further
            base = bases.pop(base)
        return base

    def find(self, what: str) -> Record:
        """The record with a key, a tag or a job id that begins so; raises if it is not one."""
        found = [r for r in self.all() if any(_is(r, p, what) for p in ("job", "key", "tag"))]
        if len(found) != 1:
            count = "no job" if not found else f"{len(found)} jobs"
            raise BackendError(f"{count} in the ledger with the id or key {what!r}: see limen jobs")
        return found[0]

    def forget(self, record: Record) -> None:
        """Drop a record, so that the next run makes the job again."""
        path = self.path(record["key"])
        if job := record.get("job"):
            records.write(
                self._forgotten(path), {"jobs": [*self.forgotten(path), job], "at": now()}
            )
        path.unlink(missing_ok=True)
        (self._adopted / f"{record.get('job')}.json").unlink(missing_ok=True)


def _is(record: Record, part: str, what: str) -> bool:
    return bool(what) and str(record.get(part) or "").startswith(what)


def _bases(folder: Path) -> Iterator[tuple[str, str]]:
    """Models that jobs made, each with its base; damaged records are passed over."""
    for path in folder.glob("*.json"):
        with suppress(StoreError):
            record = records.read(path) or {}
            for made in (record.get("model_made"), *record.get("checkpoints", ())):
                if made:
                    yield made, record["model"]


def now() -> str:
    """The time, as records have it."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
