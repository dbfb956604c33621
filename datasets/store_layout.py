"""The layout of a store: its folders, and the names of the files in them. Spelled only here.

It stands in the lowest folder, so that reports can find a store's files as well.
"""

from dataclasses import dataclass
from pathlib import Path

DEFAULT_FOLDER = ".limen"
"""The store itself, where nothing else is said."""
MANIFEST = "manifest.json"
"""Describes an artifact and completes it: a folder without a manifest is not an artifact."""
PROGRESS = ".progress"
"""Stands in the folder of an unfinished stage."""

ROWS = "rows.jsonl"
"""Prompts and answers, as a model or a program wrote them."""
KEPT = "kept.jsonl"
"""Rows to train on."""
REJECTED = "rejected.jsonl"
"""Rows that a filter dropped, each with its reason."""
TRAINING = "training.jsonl"
"""Chat JSONL that a student is trained on."""
PROVENANCE = "provenance.jsonl"
"""For each line of a training file: the stage, row and draw that it comes from."""
ANSWERS = "answers.jsonl"
"""Every draw of a measure."""
TALLY = "tally.json"
"""For each question of a measure: how often each answer was given."""
RATINGS = "ratings.jsonl"
"""A judge's replies."""
CHANCES = "chances.json"
"""The probabilities of words as answers."""
SCORES = "scores.json"
"""The score of each row, in their order."""
VALUES = "values.json"
"""The figures of a computed measure, a row for each question."""
REASON = "reason.txt"
"""Says why a damaged artifact was set aside."""
AUDIT = "audit.json"
TARGETS = "targets.jsonl"
"""What an objective says about the tokens of each answer of a training file."""
TARGET_AUDIT = "target_audit.json"
"""What a teacher's distributions give the trait's words."""
CONTRAST = "contrast.json"


@dataclass(frozen=True)
class StoreLayout:
    """Where everything lies below the root of a store."""

    root: Path

    @property
    def stages(self) -> Path:
        """Finished artifacts: ``KIND/KEY/``."""
        return self.root / "stages"

    @property
    def work(self) -> Path:
        """Unfinished artifacts (``KEY/``) and other files on their way."""
        return self.root / "work"

    @property
    def locks(self) -> Path:
        """Lock files, one for each stage in progress."""
        return self.root / "locks"

    @property
    def models(self) -> Path:
        """The backends' own folders, by backend."""
        return self.root / "models"

    @property
    def runs(self) -> Path:
        """A record for each pytest run."""
        return self.root / "runs"

    @property
    def logs(self) -> Path:
        """Inspect logs, by experiment."""
        return self.root / "logs"

    @property
    def server(self) -> Path:
        """The files, jobs and batches of ``limen serve``."""
        return self.root / "server"

    @property
    def damaged(self) -> Path:
        """Damaged artifacts that were set aside, each with the reason."""
        return self.root / "damaged"

    @property
    def gitignore(self) -> Path:
        """Keeps the store out of a repository."""
        return self.root / ".gitignore"

    def artifact(self, kind: str, key: str) -> Path:
        """The folder of a finished artifact."""
        return self.root.joinpath("stages", kind, key)

    def manifest(self, kind: str, key: str) -> Path:
        """The manifest of a finished artifact."""
        return self.root.joinpath("stages", kind, key, MANIFEST)

    def manifests(self, kind: str = "*", key: str = "*") -> list[Path]:
        """The manifests of finished artifacts, sorted by kind and key; patterns as in ``glob``."""
        return sorted(self.stages.glob(f"{kind}/{key}/{MANIFEST}"))

    def draft(self, key: str) -> Path:
        """The folder of a stage in progress."""
        return self.work / key

    def removed(self, kind: str, key: str) -> Path:
        """The folder of an artifact that is being deleted."""
        return self.work / f".removed-{kind}-{key}"

    def progress(self, key: str) -> Path:
        """How far a stage in progress has come."""
        return self.draft(key) / PROGRESS

    def lock(self, key: str) -> Path:
        """The lock file of a stage."""
        return self.locks / f"{key}.lock"

    def backend(self, name: str) -> Path:
        """The folder in which a backend keeps its models."""
        return self.models / name
