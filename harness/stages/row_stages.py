"""What stages of rows have in common: those that write them, keep them, and train on them."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from ...datasets.artifacts import Manifest
from ...datasets.store_layout import KEPT, REJECTED
from .row_log import Row, write_rows
from .stage import Stage, Workspace

if TYPE_CHECKING:
    from ...datasets.chat import Conversation


MOST_REASONS = 20
"""Different reasons that a manifest counts by name."""


class PromptSample(NamedTuple):
    """Some prompts that stand for all of a stage's; estimates of tokens and money rest on it."""

    prompts: "tuple[Conversation, ...]"
    answer_tokens: int
    """Tokens of an answer at most."""
    histories_differ: bool = False
    """Whether rows differ in the turns before their prompts."""
    numbers_repeat: bool = False
    """Whether several rows of one file have the same ``row`` and ``draw``."""
    answers: tuple[str, ...] = ()
    """The answers to these prompts, where they are known beforehand."""


@dataclass(frozen=True, kw_only=True)
class PromptedStage(Stage):
    """A stage whose rows are answers to prompts."""

    def prompt_sample(self) -> PromptSample:
        """Some prompts that stand for all, without system prompts."""
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class RowsStage(PromptedStage):
    """A stage that leaves the rows to train on in ``kept.jsonl``."""

    def shortage(self, workspace: Workspace) -> str:
        """Why the stage left no more rows than it did; empty if it does not know."""
        return ""


@dataclass(frozen=True, kw_only=True)
class ChoosingStage(RowsStage):
    """A stage that keeps some rows, and drops others into ``rejected.jsonl`` with their reasons."""

    @property
    def title(self) -> str:
        """Its name in the report's table of data."""
        return self.label

    def shortage(self, workspace: Workspace) -> str:
        return filter_summary(workspace.manifest(self))


def write_choice(
    workspace: Workspace, rule: str, kept: Sequence[Row], rejected: Sequence[Row]
) -> Manifest:
    """Write both files of a :class:`ChoosingStage`; returns the facts for its manifest.

    Each row of ``rejected`` has its ``reason``.
    """
    write_rows(workspace.folder / KEPT, kept)
    write_rows(workspace.folder / REJECTED, rejected)
    counts = {"read": len(kept) + len(rejected), "kept": len(kept)}
    return {"rule": rule, "counts": counts, "reasons": _counted(rejected)}


def _counted(rejected: Sequence[Row]) -> dict[str, int]:
    """How many rows have each reason, by name; of very many reasons the most frequent ones."""
    reasons = Counter(row["reason"] for row in rejected)
    first = dict(sorted(reasons.most_common(MOST_REASONS)))
    rest = reasons.total() - sum(first.values())
    return {**first, **({f"{len(reasons) - len(first):,} other reasons": rest} if rest else {})}


@dataclass(frozen=True, kw_only=True)
class TrainingFileStage(PromptedStage):
    """A stage that leaves ``training.jsonl``, chat rows that a student is trained on."""

    @property
    def count(self) -> int:
        """Its rows."""
        raise NotImplementedError


def filter_summary(manifest: Manifest) -> str:
    """What a filter did, from its manifest; empty for a stage that is not a filter."""
    if "reasons" not in manifest:
        return ""
    reasons = ", ".join(f"{name} {count:,}" for name, count in manifest["reasons"].items())
    return (
        f"of {manifest['counts']['read']:,} rows the filter {manifest['rule']!r} kept "
        f"{manifest['counts']['kept']:,} (dropped: {reasons or 'none'})"
    )
