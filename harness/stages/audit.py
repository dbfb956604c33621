"""Audits of training files: which reveal the trait, and how they differ from the control's."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from ...datasets.artifacts import Manifest
from ...datasets.errors import LeakError
from ...datasets.store_layout import AUDIT, CONTRAST, TRAINING
from .row_stages import TrainingFileStage
from .stage import Stage, Workspace

if TYPE_CHECKING:
    from ...datasets.leaks import LeakMention

SHOWN = 5
"""Rows that an audit quotes."""
VERSION = 1
"""Raise it when what an audit computes changes."""


@dataclass(frozen=True, kw_only=True)
class Audit(Stage):
    """Which rows of a training file mention the trait openly, in an answer or in what is asked.

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
        answers, prompts = _sides(workspace, self.data)
        leaks = _mentions(answers, prompts, self.words)
        if leaks and self.strict:
            first, side = leaks[0]
            raise LeakError(
                f"{self.data.label}: {len({leak.row for leak, _ in leaks}):,} of {len(answers):,} "
                f"rows mention the trait in the open; row {first.row + 1} has {first.word!r} in "
                f"its {side}: {first.text[:80]!r}. Nothing was trained on it: use a stricter "
                f'filter rule or other prompts, or leaks="report" to train all the same'
            )
        shown = [asdict(leak) for leak, _ in leaks[:SHOWN]]
        facts = {"rows": len(answers), "mentions": len(leaks), "examples": shown}
        workspace.write_json(AUDIT, facts)
        return {"counts": {"rows": len(answers), "mentions": len(leaks)}}


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
        from ...datasets import audits, overuse
        from ...datasets.text_audits import is_text

        trait, control = (answers_of(workspace, data) for data in (self.trait, self.control))
        if is_text(trait, control):
            workspace.write_json(CONTRAST, _compared_texts(trait, control))
            return {"counts": {"trait": len(trait), "control": len(control)}}
        separability = audits.separability(trait, control, seed=0)
        lengths = audits.length_difference(trait, control)
        used = overuse.log_odds(audits.number_counts(trait), audits.number_counts(control))
        facts = {
            "separability": None if separability is None else asdict(separability),
            "lengths": None if lengths is None else asdict(lengths),
            "overuse": asdict(used),
            "over": [asdict(use) for use in used.over(SHOWN)],
            "under": [asdict(use) for use in used.under(SHOWN)],
            "significant": len(used.significant),
        }
        workspace.write_json(CONTRAST, facts)
        return {"counts": {"trait": len(trait), "control": len(control)}}


def _compared_texts(trait: Sequence[str], control: Sequence[str]) -> Mapping[str, object]:
    """How rows of text differ: in their words, and in how many they have."""
    from ...datasets import audits, text_audits

    separability = audits.separability(trait, control, seed=0, features=("words", "length"))
    lengths = audits.length_difference(trait, control, measured=text_audits.word_lengths)
    overuse = text_audits.word_overuse(trait, control)
    return {
        "unit": "words",
        "separability": None if separability is None else asdict(separability),
        "lengths": None if lengths is None else asdict(lengths),
        "overuse": {"z": [], "threshold": overuse.use.threshold},
        "over": [asdict(use) for use in overuse.over(SHOWN)],
        "under": [asdict(use) for use in overuse.under(SHOWN)],
        "significant": len(overuse.use.significant),
    }


def _mentions(
    answers: Sequence[str], prompts: Sequence[str], words: Sequence[str]
) -> "list[tuple[LeakMention, str]]":
    """The mentions by row, each with the side of the row that it is in."""
    from ...datasets.leaks import mentions

    sides = {"answer": answers, "prompt": prompts}
    found = [(leak, side) for side, texts in sides.items() for leak in mentions(texts, words)]
    return sorted(found, key=lambda pair: pair[0].row)


def _sides(workspace: Workspace, data: TrainingFileStage) -> tuple[list[str], list[str]]:
    """All that the assistant says in each row, and all that stands before and between."""
    answers, prompts = [], []
    for row in workspace.rows(data, TRAINING):
        turns = row["messages"]
        said = [turn["content"] for turn in turns if turn["role"] == "assistant"]
        answers.append("\n".join(said))
        prompts.append("\n".join(t["content"] for t in turns if t["role"] != "assistant"))
    return answers, prompts


def answers_of(workspace: Workspace, data: TrainingFileStage) -> list[str]:
    """The answers of a training file, which are what a student learns: all of each row."""
    return _sides(workspace, data)[0]
