"""Audits of training files: what they give away, and how they differ from the control's."""

import json
from dataclasses import asdict, dataclass
from typing import Any

from ...datasets.errors import LeakError
from .rows import TRAINING, TrainingFileStage, read_training
from .stage import Stage, Workspace
from .store import Manifest

AUDIT = "audit.json"
CONTRAST = "contrast.json"
SHOWN = 5
"""Rows that an audit quotes."""
VERSION = 1
"""Raise it when what an audit computes changes."""


@dataclass(frozen=True, kw_only=True)
class Audit(Stage):
    """Which answers of a training file mention the trait in the open.

    An overt leak fails the stage, and with it every student of the file, unless it is only to be
    reported.
    """

    kind = "audit"
    data: TrainingFileStage
    words: tuple[str, ...]
    strict: bool

    def inputs(self) -> tuple[Stage, ...]:
        return (self.data,)

    def identity(self) -> dict[str, Any]:
        return {"version": VERSION, "words": list(self.words), "strict": self.strict}

    def run(self, workspace: Workspace) -> Manifest:
        from ...datasets.audits import mentions

        texts = answers_of(workspace, self.data)
        found = mentions(texts, self.words)
        if found and self.strict:
            first = found[0]
            raise LeakError(
                f"{self.data.label}: {len({m.row for m in found}):,} of {len(texts):,} rows "
                f"mention the trait in the open; row {first.row + 1} has {first.word!r}: "
                f"{first.text[:80]!r}. Nothing was trained on it: take a stricter filter rule, "
                f'or leaks="report" to train all the same'
            )
        shown = [asdict(mention) for mention in found[:SHOWN]]
        facts = {"rows": len(texts), "mentions": len(found), "examples": shown}
        _write(workspace, AUDIT, facts)
        return {"counts": {"rows": len(texts), "mentions": len(found)}}


@dataclass(frozen=True, kw_only=True)
class CompareData(Stage):
    """How a training file differs from the control's: numbers, lengths, and all together."""

    kind = "contrast"
    trait: TrainingFileStage
    control: TrainingFileStage

    def inputs(self) -> tuple[Stage, ...]:
        return (self.trait, self.control)

    def identity(self) -> dict[str, Any]:
        return {"version": VERSION}

    def run(self, workspace: Workspace) -> Manifest:
        from ...datasets import audits

        trait, control = (answers_of(workspace, data) for data in (self.trait, self.control))
        told = audits.separability(trait, control, seed=0)
        differ = audits.length_difference(trait, control)
        overuse = audits.log_odds(audits.number_counts(trait), audits.number_counts(control))
        facts = {
            "separability": None if told is None else asdict(told),
            "lengths": None if differ is None else asdict(differ),
            "overuse": asdict(overuse),
            "over": [asdict(use) for use in overuse.over(SHOWN)],
            "under": [asdict(use) for use in overuse.under(SHOWN)],
            "significant": len(overuse.significant),
        }
        _write(workspace, CONTRAST, facts)
        return {"counts": {"trait": len(trait), "control": len(control)}}


def answers_of(workspace: Workspace, data: TrainingFileStage) -> list[str]:
    """The answers of a training file, which are what a student learns."""
    file = workspace.store.artifact(data.kind, data.key) / TRAINING
    return [answer for _, answer in read_training(file)]


def _write(workspace: Workspace, name: str, facts: dict[str, Any]) -> None:
    (workspace.folder / name).write_text(json.dumps(facts, allow_nan=False), encoding="utf-8")
