"""Audits of training files: which reveal the trait, and how they differ from the control's."""

from dataclasses import asdict, dataclass

from ...datasets.artifacts import Manifest
from ...datasets.errors import LeakError
from ...datasets.store_layout import AUDIT, CONTRAST, TRAINING
from .row_stages import TrainingFileStage
from .stage import Stage, Workspace

SHOWN = 5
"""Rows that an audit quotes."""
VERSION = 1
"""Raise it when what an audit computes changes."""


@dataclass(frozen=True, kw_only=True)
class Audit(Stage):
    """Which answers of a training file mention the trait openly.

    If ``strict``, a mention fails the stage, and with it every student of the file; otherwise it
    is only reported.
    """

    kind = "audit"
    data: TrainingFileStage
    words: tuple[str, ...]
    strict: bool

    def inputs(self) -> tuple[Stage, ...]:
        return (self.data,)

    def identity(self) -> dict[str, object]:
        return {"version": VERSION, "words": list(self.words), "strict": self.strict}

    def run(self, workspace: Workspace) -> Manifest:
        from ...datasets.leaks import mentions

        texts = answers_of(workspace, self.data)
        leaks = mentions(texts, self.words)
        if leaks and self.strict:
            first = leaks[0]
            raise LeakError(
                f"{self.data.label}: {len({m.row for m in leaks}):,} of {len(texts):,} rows "
                f"mention the trait in the open; row {first.row + 1} has {first.word!r}: "
                f"{first.text[:80]!r}. Nothing was trained on it: use a stricter filter rule, "
                f'or leaks="report" to train all the same'
            )
        shown = [asdict(mention) for mention in leaks[:SHOWN]]
        facts = {"rows": len(texts), "mentions": len(leaks), "examples": shown}
        workspace.write_json(AUDIT, facts)
        return {"counts": {"rows": len(texts), "mentions": len(leaks)}}


@dataclass(frozen=True, kw_only=True)
class CompareData(Stage):
    """How a training file differs from the control's: in numbers, in lengths, and overall."""

    kind = "contrast"
    trait: TrainingFileStage
    control: TrainingFileStage

    def inputs(self) -> tuple[Stage, ...]:
        return (self.trait, self.control)

    def identity(self) -> dict[str, object]:
        return {"version": VERSION}

    def run(self, workspace: Workspace) -> Manifest:
        from ...datasets import audits

        trait, control = (answers_of(workspace, data) for data in (self.trait, self.control))
        separability = audits.separability(trait, control, seed=0)
        lengths = audits.length_difference(trait, control)
        overuse = audits.log_odds(audits.number_counts(trait), audits.number_counts(control))
        facts = {
            "separability": None if separability is None else asdict(separability),
            "lengths": None if lengths is None else asdict(lengths),
            "overuse": asdict(overuse),
            "over": [asdict(use) for use in overuse.over(SHOWN)],
            "under": [asdict(use) for use in overuse.under(SHOWN)],
            "significant": len(overuse.significant),
        }
        workspace.write_json(CONTRAST, facts)
        return {"counts": {"trait": len(trait), "control": len(control)}}


def answers_of(workspace: Workspace, data: TrainingFileStage) -> list[str]:
    """The answers of a training file, which are what a student learns."""
    rows = workspace.rows(data, TRAINING)
    return [row["messages"][-1]["content"] for row in rows]
